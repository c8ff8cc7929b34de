"""`report.html`: one page that loads nothing."""
