"""Two results side by side: where they come from, what changed beyond its interval, and how that is said."""

from sslbench.report.comparison.compare import compare
from sslbench.report.comparison.sides import open_sides
from sslbench.report.comparison.text import comparison_markdown, print_comparison

__all__ = ["compare", "comparison_markdown", "open_sides", "print_comparison"]
