"""`sslbench run`: what is missing of a suite, then its tables."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sslbench.commands.options import (
    FAILED,
    DataRoot,
    Device,
    Home,
    Plugin,
    Storage,
    SuiteName,
    TrackingUri,
    Workers,
    plain_errors,
    say,
    terminal,
    workers_of,
)
from sslbench.contract.spec import InputError
from sslbench.datasets import default_root
from sslbench.stores.addresses import locate

if TYPE_CHECKING:
    from rich.console import Console

    from sslbench.sweep.news import Failure
    from sslbench.sweep.request import Request


def run(
    suite: SuiteName,
    workers: Workers = "auto",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the cells and the time left; run nothing.")] = False,
    dataset: Annotated[list[str] | None, typer.Option(help="Only this dataset; may be repeated.")] = None,
    pretext: Annotated[list[str] | None, typer.Option(help="Only this pretext; may be repeated.")] = None,
    latent_dim: Annotated[list[int] | None, typer.Option(help="Only this latent size; may be repeated.")] = None,
    fraction: Annotated[list[float] | None, typer.Option(help="Only this label fraction, e.g. 0.01.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Only this seed; may be repeated.")] = None,
    device: Device = "auto",
    from_published: Annotated[
        bool, typer.Option("--from-published", help="Take finished cells from the published results; run the others.")
    ] = False,
    results: Annotated[
        Path | None,
        typer.Option(help="Published results to compare with or go on from; default results, here or at the package."),
    ] = None,
    home: Home = None,
    tracking_uri: TrackingUri = None,
    storage: Storage = None,
    data_root: DataRoot = None,
    plugin: Plugin = None,
) -> None:
    """Run what is missing of a suite, then write its tables into the home folder.

    Nothing else is written: sslbench publish copies the tables to results/SUITE.

    Examples: sslbench run quick | sslbench run quick --dry-run |
    sslbench run quick --pretext vicreg --latent-dim 128 --fraction 0.01 --workers 2 |
    sslbench run my_copy_of_catalogue.py --from-published |
    sslbench run quick --plugin my_task.py --pretext my_task
    """
    with plain_errors():
        from sslbench.sweep.plan import Selection
        from sslbench.sweep.request import Request

        selection = Selection(
            tuple(dataset or ()),
            tuple(pretext or ()),
            tuple(latent_dim or ()),
            tuple(fraction or ()),
            tuple(seed or ()),
        )
        request = Request(
            suite,
            selection,
            locate(home, tracking_uri, storage),
            (data_root or default_root()).resolve(),
            device,
            workers_of(workers),
            tuple(plugin or ()),
        )
        if dry_run and from_published:
            raise InputError("--dry-run writes nothing, so it takes nothing with --from-published; leave one out")
        if dry_run:
            _dry_run(request, results, terminal())
        else:
            raise typer.Exit(_run(request, results, from_published, terminal()))


def _dry_run(request: Request, results: Path | None, console: Console) -> None:
    """Print every cell with its state, the counts, and an estimate of the time left."""
    from sslbench.commands.display import counts, describe, estimate, say_unsuitable
    from sslbench.publishing.publish import published_among
    from sslbench.sweep import crew
    from sslbench.sweep.request import prepare_request

    prepared = prepare_request(request)
    for cell_id, title in prepared.cells:
        say(console, ("done   ", "green") if cell_id in prepared.done else ("missing", "yellow"), f" {title}")
    say_unsuitable(prepared, console)
    left = estimate(request, prepared, published_among(prepared.suite.name, results))
    say(console, f"\n{counts(prepared)}")
    say(console, f"time left: {describe(left, crew.layout(request, prepared).workers)}")


def _run(request: Request, results: Path | None, from_published: bool, console: Console) -> int:
    """Run what is missing, write and print the tables; returns the exit code."""
    from sslbench.commands.display import Display, counts, describe, estimate, say_unsuitable
    from sslbench.commands.tables import say_written, short
    from sslbench.publishing.continuation import take_published
    from sslbench.publishing.publish import compared, published_among, write_tables
    from sslbench.report.attachments.predictions import read_answers
    from sslbench.report.records import from_records
    from sslbench.report.tables.terminal import print_summary
    from sslbench.report.words.numbers import duration
    from sslbench.sweep import crew
    from sslbench.sweep.plan import Selection
    from sslbench.sweep.request import prepare_request, records_of

    prepared = prepare_request(request)
    published = published_among(prepared.suite.name, results)
    if from_published:
        folder = published / prepared.suite.name
        say(console, f"taken from {folder}: {take_published(request, prepared, folder)} evaluations")
        prepared = prepare_request(request)
    say_unsuitable(prepared, console)
    failures: list[Failure] = []
    started = time.monotonic()
    if all(cell.cell_id in prepared.done for cell in prepared.plan.evaluations):
        say(console, f"everything is done: {counts(prepared)}")
    else:
        left = estimate(request, prepared, published)
        layout = crew.layout(request, prepared)
        say(console, f"{counts(prepared)}; {describe(left, layout.workers)}")
        say(console, f"layout: {layout.title}")
        display = Display(prepared, left, layout.workers, console)
        with display.bars:
            failures = crew.run(request, prepared, display.show)
        say(console, f"took {duration(time.monotonic() - started)}")
    records = records_of(request, prepared)
    whole = request.selection == Selection()
    folder = request.stores.results / prepared.suite.name
    if records and whole:
        files = write_tables(request, prepared, records)
        print_summary(from_records(records), console, answers=read_answers(folder))
        say_written(request.suite, request.stores.home, folder, files, console)
    elif records:
        print_summary(from_records(records), console)
        say(console, "only a part was selected: no tables are written")
    for failure in failures:
        say(console, ("failed:", "bold red"), f" {failure.title}: {failure.reason}")
    if records and whole and (published / folder.name / "records.csv").is_file():
        say(console, compared(short(folder), published / folder.name))
    return FAILED if failures else 0
