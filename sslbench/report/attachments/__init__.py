"""Files beside the records that a report shows too: gaps, pictures, answers, environment, what tuning cost."""

from sslbench.report.attachments.attachments import Attachments
from sslbench.report.attachments.exhibits import Exhibit, shrink
from sslbench.report.attachments.files import PLUG_INS, TAKEN, read_environment, read_gaps
from sslbench.report.attachments.gaps import Failure, Gaps
from sslbench.report.attachments.predictions import Answered, Answers

__all__ = [
    "PLUG_INS",
    "TAKEN",
    "Answered",
    "Answers",
    "Attachments",
    "Exhibit",
    "Failure",
    "Gaps",
    "read_environment",
    "read_gaps",
    "shrink",
]
