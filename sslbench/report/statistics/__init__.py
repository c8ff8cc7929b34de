"""One statistic a file, each a pure function of scores that returns a frame; `Analysis` has all of them."""

from sslbench.report.statistics.analysis import Analysis
from sslbench.report.statistics.spread import Estimate, estimate

__all__ = ["Analysis", "Estimate", "estimate"]
