"""`report.html`: one page that answers first, holds every number, and loads nothing; `render` puts it together."""

from sslbench.report.page.render import report_html, unlinked

__all__ = ["report_html", "unlinked"]
