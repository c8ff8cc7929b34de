"""`sslbench publish`: the tables of the home folder become the published ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sslbench.commands.options import Home, Plugin, Results, SuiteName, plain_errors, say, terminal
from sslbench.contract.outside import load_plugins
from sslbench.stores.addresses import locate


def publish(
    suite: SuiteName,
    readme: Annotated[
        list[Path] | None,
        typer.Option(help="Markdown file whose marked passages are written anew too; may be repeated."),
    ] = None,
    encoders: Annotated[
        bool, typer.Option("--encoders", help="Publish an encoder of every pretext too, for run --from-published.")
    ] = False,
    results: Results = Path("results"),
    home: Home = None,
    plugin: Plugin = None,
) -> None:
    """Copy a suite's tables from the home folder, where run and report write them, to results/SUITE.

    The folder is replaced whole: old files that no longer belong go, and nobody sees half of it. Encoders are those of
    the largest latent size and the first seed, at most 1 MiB each.

    Examples: sslbench publish quick | sslbench publish quick --readme README.md |
    sslbench publish quick --encoders |
    sslbench publish my_suite.py --results ../paper/results
    """
    with plain_errors():
        from sslbench.commands.tables import refresh
        from sslbench.publishing.publish import publish as publish_tables
        from sslbench.sweep import suites

        load_plugins(plugin or ())
        folder = publish_tables(suites.load(suite).name, locate(home), results, encoders)
        say(terminal(), f"published: {folder}")
        for file in readme or []:
            refresh(file, results, terminal())
