"""`sslbench publish`: the tables of the home folder become the published ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sslbench.commands.options import Home, Results, SuiteName, plain_errors, say, terminal
from sslbench.stores.addresses import locate


def publish(
    suite: SuiteName,
    readme: Annotated[
        Path | None, typer.Option(help="Markdown file whose marked findings and tables are written anew too.")
    ] = None,
    results: Results = Path("results"),
    home: Home = None,
) -> None:
    """Copy a suite's tables from the home folder, where run and report write them, to results/SUITE.

    The folder is replaced whole: old files that no longer belong go, and nobody sees half of it.

    Examples: sslbench publish quick | sslbench publish quick --readme README.md |
    sslbench publish my_suite.py --results ../paper/results
    """
    with plain_errors():
        from sslbench.commands.tables import refresh
        from sslbench.publishing.publish import publish as publish_tables
        from sslbench.sweep import suites

        folder = publish_tables(suites.load(suite).name, locate(home), results)
        say(terminal(), f"published: {folder}")
        if readme is not None:
            refresh(readme, results, terminal())
