"""Files beside the records that a report shows too: gaps, pictures, environment, plan, what tuning found and cost."""

from sslbench.report.attachments.attachments import UI_URL, Attachments
from sslbench.report.attachments.exhibits import Exhibit, shrink
from sslbench.report.attachments.gaps import Failure, Gaps
from sslbench.report.attachments.plan import Plan

__all__ = ["UI_URL", "Attachments", "Exhibit", "Failure", "Gaps", "Plan", "shrink"]
