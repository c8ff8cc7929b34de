"""Two results side by side: what changed beyond its interval, and how that is said."""

from sslbench.report.comparison.compare import Side, compare
from sslbench.report.comparison.text import comparison_markdown, print_comparison, verdict

__all__ = ["Side", "compare", "comparison_markdown", "print_comparison", "verdict"]
