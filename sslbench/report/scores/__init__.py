"""Records laid out once, for every statistic and every writer, and what speaks against their numbers."""

from sslbench.report.scores.evaluations import evaluations, headline
from sslbench.report.scores.layout import Block, Layout, Peers, lay_out
from sslbench.report.scores.rows import Row, Run, Subject, rows_of

__all__ = ["Block", "Layout", "Peers", "Row", "Run", "Subject", "evaluations", "headline", "lay_out", "rows_of"]
