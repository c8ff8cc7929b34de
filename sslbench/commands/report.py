"""`sslbench report`: tables, plots and page of what has run or was published."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sslbench.commands.options import (
    DataRoot,
    Home,
    Plugin,
    Results,
    SuiteName,
    TrackingUri,
    plain_errors,
    say,
    terminal,
    warner,
)
from sslbench.commands.tables import refresh, say_written
from sslbench.contract.errors import InputError
from sslbench.contract.outside import load_plugins
from sslbench.datasets import default_root
from sslbench.stores.addresses import locate
from sslbench.stores.urls import hidden, shown

if TYPE_CHECKING:
    from rich.console import Console

    from sslbench.sweep.asked import Request


def report(
    suite: SuiteName,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Write results/SUITE again, from the records in it.")
    ] = False,
    ui_url: Annotated[
        str | None,
        typer.Option(help="Where the page's run ids lead; default sslbench ui, and with --rebuild nowhere."),
    ] = None,
    readme: Annotated[
        list[Path] | None,
        typer.Option(help="Markdown file whose marked passages are written anew too; may be repeated."),
    ] = None,
    results: Results = Path("results"),
    home: Home = None,
    tracking_uri: TrackingUri = None,
    data_root: DataRoot = None,
    plugin: Plugin = None,
) -> None:
    """Write a suite's tables, plots and page from its MLflow runs, or the published ones again from records.csv.

    Those of the runs go to the home folder, where run writes them too; sslbench publish copies them to results/SUITE.

    Examples: sslbench report quick | sslbench report quick --rebuild --readme README.md
    """
    with plain_errors():
        if ui_url and not ui_url.startswith(("http://", "https://")):
            raise InputError(f"--ui-url {ui_url!r} is no address that begins with http:// or https://")
        if ui_url and hidden(ui_url) != ui_url:
            raise InputError(f"--ui-url {hidden(ui_url)!r} holds a password, which everybody would read in the page")
        from sslbench.sweep.asked import Request, Selection

        stores = locate(home, tracking_uri)
        data = (data_root or default_root()).resolve()
        request = Request(suite, Selection(), stores, data, plugins=tuple(plugin or ()))
        _report(request, results, rebuild, ui_url, terminal())
        for file in readme or []:
            refresh(file, results, terminal())


def _report(request: Request, results: Path, rebuild: bool, ui_url: str | None, console: Console) -> None:
    """Write a suite's tables and plots from its finished runs, or again from its published records.

    Raises:
        InputError: there are no records to report.
    """
    from sslbench.publishing.publish import attachments_of, write_tables
    from sslbench.report.attachments.predictions import read_answers
    from sslbench.report.build import rebuild as rebuild_report
    from sslbench.report.records import from_records, read_records
    from sslbench.report.tables.terminal import print_summary
    from sslbench.sweep import suites
    from sslbench.sweep.request import prepare_request, records_of

    if rebuild:
        load_plugins(request.plugins)
        suite = suites.load(request.suite)
        destination = results / suite.name
        attached = replace(attachments_of(request.suite, suite, results, warner(console)), ui_url=ui_url or "")
        rebuild_report(destination, suite.name, suite.notes, attached)
        records, answers = read_records(destination / "records.csv"), read_answers(destination)
        print_summary(records, console, attached.versions, answers)
        say(console, f"written: {destination}")
    else:
        prepared = prepare_request(request)
        finished = records_of(request, prepared)
        if not finished:
            where = shown(request.stores.tracking_uri)
            raise InputError(f"no finished runs of suite {prepared.suite.name!r} in {where}; run it first")
        destination = request.stores.results / prepared.suite.name
        write_tables(request, prepared, finished, ui_url, warner(console))
        print_summary(from_records(finished), console, answers=read_answers(destination))
        say_written(request.suite, request.stores.home, destination, console)
