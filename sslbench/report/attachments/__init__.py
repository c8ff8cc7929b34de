"""Files beside the records that a report shows too: gaps, pictures, the environment, what tuning found and cost."""

from sslbench.report.attachments.attachments import UI_URL, Attachments
from sslbench.report.attachments.exhibits import Exhibit, shrink
from sslbench.report.attachments.gaps import Failure, Gaps

__all__ = ["UI_URL", "Attachments", "Exhibit", "Failure", "Gaps", "shrink"]
