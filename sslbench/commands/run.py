"""`sslbench run`: what is missing of a suite, then its tables."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sslbench.commands.options import (
    FAILED,
    DataRoot,
    Device,
    EngineName,
    EngineOptions,
    Home,
    OnlyDatasets,
    OnlyFractions,
    OnlyLatentDims,
    OnlyPretexts,
    OnlySeeds,
    Plugin,
    Storage,
    SuiteName,
    TrackingUri,
    Workers,
    a_place,
    options_of,
    plain_errors,
    say,
    terminal,
    warner,
    workers_of,
)
from sslbench.commands.patience import signs_of_life
from sslbench.contract.errors import InputError
from sslbench.datasets import default_root
from sslbench.stores.addresses import locate

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from sslbench.sweep.asked import Request
    from sslbench.sweep.news import Failure
    from sslbench.sweep.request import Prepared


def run(
    suite: SuiteName,
    workers: Workers = "auto",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what is missing and the time left; run nothing.")
    ] = False,
    dataset: OnlyDatasets = None,
    pretext: OnlyPretexts = None,
    latent_dim: OnlyLatentDims = None,
    fraction: OnlyFractions = None,
    seed: OnlySeeds = None,
    device: Device = "auto",
    from_published: Annotated[
        bool, typer.Option("--from-published", help="Take finished cells from the published results; run the others.")
    ] = False,
    results: Annotated[
        Path | None,
        typer.Option(
            help="Published results to compare with or go on from; default results, here or at the package.",
            callback=a_place,
        ),
    ] = None,
    home: Home = None,
    tracking_uri: TrackingUri = None,
    storage: Storage = None,
    data_root: DataRoot = None,
    plugin: Plugin = None,
    engine: EngineName = "local",
    engine_option: EngineOptions = None,
) -> None:
    """Run what is missing of a suite, then write its tables into the home folder. Several runs share the work.

    Nothing else is written: sslbench publish copies the tables to results/SUITE.

    Examples: sslbench run quick | sslbench run quick --dry-run |
    sslbench run quick --pretext vicreg --latent-dim 128 --fraction 0.01 --workers 2 |
    sslbench run my_copy_of_catalogue.py --from-published |
    sslbench run quick --plugin my_task.py --pretext my_task |
    sslbench run quick --engine slurm --workers 20 --engine-option slurm_partition=gpu
    """
    with plain_errors():
        from sslbench.sweep import suites
        from sslbench.sweep.asked import Request, Selection
        from sslbench.sweep.engines import engine_known

        suites.find(suite)
        engine_known(engine)
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
            chosen = engine, options_of(engine_option)
            raise typer.Exit(_run(request, results, from_published, chosen, terminal()))


def _dry_run(request: Request, results: Path | None, console: Console) -> None:
    """Print how much is done, what is missing, and an estimate of the time left."""
    with signs_of_life(console, f"preparing {request.suite}"):
        from sslbench.commands.display import counts, describe, estimate, say_unusual
        from sslbench.commands.missing import missing_words, say_matrices
        from sslbench.publishing.folders import published_among
        from sslbench.sweep.request import layout, plan_request

        prepared = plan_request(request, stores=False)
        left = estimate(request, prepared, published_among(prepared.suite.name, results))
    say_matrices(prepared, console)
    say_unusual(prepared, console)
    if prepared.finished:
        _say_done(len(prepared.plan.evaluations), console)
        return
    for line in missing_words(prepared):
        say(console, ("missing", "yellow"), f" {line}")
    say(console, f"\n{counts(prepared)}")
    chosen = layout(request, prepared)
    say(console, f"time left: {describe(left, chosen.workers)}; layout: {chosen.title}")


def _run(
    request: Request,
    results: Path | None,
    from_published: bool,
    engine: tuple[str, Mapping[str, str]],
    console: Console,
) -> int:
    """Run what is missing, write and print the tables; returns the exit code."""
    with signs_of_life(console, f"preparing {request.suite}"):
        from sslbench.publishing.folders import published_among
        from sslbench.publishing.kept import kept_suite

        kept = None if from_published else kept_suite(request)
    if kept is not None:
        _say_done(kept["cell_id"][kept["split"] == "test"].nunique(), console)
        folder = request.stores.results / kept["suite"].iloc[0]
        _show(request, kept, folder, console, new=False)
        _say_compared(folder, published_among(folder.name, results), console)
        return 0
    with signs_of_life(console, f"preparing {request.suite}"):  # torch is imported here
        from sslbench.commands.display import say_unusual
        from sslbench.contract.owner import temporary_files_in
        from sslbench.sweep.request import plan_request, prepare_request

        prepared = plan_request(request)
        published = published_among(prepared.suite.name, results)
        taken = 0
        if from_published:
            from sslbench.publishing.continuation import take_published

            taken = take_published(request, prepare_request(request), published / prepared.suite.name)
        if from_published or not prepared.finished:
            prepared = prepare_request(request)
    if from_published:
        say(console, f"taken from {published / prepared.suite.name}: {taken} evaluations")
    say_unusual(prepared, console)
    failures: list[Failure] = []
    if prepared.finished:
        _say_done(len(prepared.plan.evaluations), console)
    else:
        failures = _sweep(request, prepared, published, engine, console)
    with signs_of_life(console, "writing tables"), temporary_files_in(request.stores.temporary):
        folder = _tables(request, prepared, console)
    for failure in failures:
        say(console, ("failed:", "bold red"), f" {failure.title}: {failure.reason}")
    if folder:
        _say_compared(folder, published, console)
    return FAILED if failures else 0


def _sweep(
    request: Request, prepared: Prepared, published: Path, engine: tuple[str, Mapping[str, str]], console: Console
) -> list[Failure]:
    """Run every missing cell, saying how far it is; returns what failed."""
    from sslbench.commands.display import Display, counts, describe, estimate
    from sslbench.report.words.numbers import duration
    from sslbench.sweep import crew
    from sslbench.sweep.engines import engine_of

    started = time.monotonic()
    chosen = engine_of(engine[0], request, prepared, engine[1])
    left = estimate(request, prepared, published)
    say(console, f"{counts(prepared)}; {describe(left, chosen.workers)}")
    say(console, f"layout: {chosen.title}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a cluster that ends the job: as at Ctrl-C
    display = Display(prepared, left, chosen.workers, console)
    with display.bars:
        failures = crew.run(request, prepared, display.show, chosen)
    say(console, f"took {duration(time.monotonic() - started)}")
    return failures


def _tables(request: Request, prepared: Prepared, console: Console) -> Path | None:
    """Print the tables, written before unless they are as they would be again; returns their folder, None of a part."""
    from sslbench.publishing.kept import kept_records
    from sslbench.report.records import from_records
    from sslbench.sweep.request import records_of

    folder, whole = request.stores.results / prepared.suite.name, request.selection.everything
    frame = kept_records(request, prepared) if prepared.finished else None
    new = frame is None
    if frame is None:
        records = records_of(request, prepared)
        if not records:
            return None
        if whole:
            from sslbench.publishing.publish import write_tables

            write_tables(request, prepared, records, warn=warner(console))
        frame = from_records(records)
    _show(request, frame, folder, console, new)
    return folder if whole else None


def _show(request: Request, frame: pd.DataFrame, folder: Path, console: Console, new: bool) -> None:
    """Print the tables of these records, and where the suite's are, if it is all of it."""
    from sslbench.commands.tables import say_written
    from sslbench.report.attachments.predictions import read_answers
    from sslbench.report.tables.terminal import print_summary

    whole = request.selection.everything
    print_summary(frame, console, answers=read_answers(folder) if whole else None)
    if whole:
        say_written(request.suite, request.stores.home, folder, console, new=new)
    else:
        say(console, "only a part was selected: no tables are written")


def _say_done(evaluations: int, console: Console) -> None:
    say(console, f"everything is done: {evaluations:,} evaluations")


def _say_compared(folder: Path, results: Path, console: Console) -> None:
    """Say how tables differ from the published ones of the same suite, if there are any."""
    from sslbench.publishing.folders import RECORDS_FILE

    if (results / folder.name / RECORDS_FILE).is_file():
        from sslbench.commands.tables import short
        from sslbench.publishing.sides import compared

        say(console, compared(short(folder), results / folder.name))
