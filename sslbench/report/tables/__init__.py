"""Tables: a `Sheet` says what stands where, and a file per writer puts it in Markdown, LaTeX or on the terminal."""

from sslbench.report.tables.sheet import Sheet, Tables, tables_of

__all__ = ["Sheet", "Tables", "tables_of"]
