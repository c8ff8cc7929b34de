"""One statistic a file, each a pure function of scores that returns a frame; `analyse` makes all of them."""

from sslbench.report.statistics.analysis import Analysis, analyse
from sslbench.report.statistics.spread import Estimate, estimate

__all__ = ["Analysis", "Estimate", "analyse", "estimate"]
