"""`sslbench compare`: two results side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sslbench.commands.options import Results, plain_errors, terminal


def compare(
    first: Annotated[str, typer.Argument(help="A results folder, records.csv, suite, COMMIT:PATH or commit.")],
    second: Annotated[str, typer.Argument(help="The same; a commit alone means the other's place at that commit.")],
    every: Annotated[
        bool, typer.Option("--all", help="Show every cell, not only those outside their interval.")
    ] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown to paste elsewhere.")] = False,
    fail_on_change: Annotated[
        bool, typer.Option("--fail-on-change", help="Exit code 1 if a cell changed significantly.")
    ] = False,
    results: Results = Path("results"),
) -> None:
    """Put two results side by side: what changed beyond its interval.

    Examples: sslbench compare HEAD~1 quick | sslbench compare HEAD:results/quick results/quick --markdown |
    sslbench compare quick other/records.csv --fail-on-change
    """
    with plain_errors():
        from sslbench.publishing.sides import open_sides
        from sslbench.report import comparison

        found = comparison.compare(*open_sides(first, second, results))
        if markdown:
            typer.echo(comparison.comparison_markdown(found, every), nl=False)
        else:
            comparison.print_comparison(found, every, terminal())
        raise typer.Exit(1 if found.changed and fail_on_change else 0)
