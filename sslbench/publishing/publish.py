"""From finished runs to tables in the home folder, and from there, when a person says so, to `results/<suite>/`."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sslbench.contract.cells import PretrainCell
from sslbench.contract.environment import QUIET, unless_set
from sslbench.contract.record import Record
from sslbench.contract.registry import Registry
from sslbench.contract.settings import TunedArm
from sslbench.contract.spec import InputError, Suite
from sslbench.datasets import DATASETS
from sslbench.encoders import ENCODERS
from sslbench.pretexts import PRETEXTS
from sslbench.protocols import PROTOCOLS
from sslbench.publishing.community import read_community
from sslbench.publishing.encoders import ship
from sslbench.publishing.environment import environment
from sslbench.publishing.folders import RECORDS_FILE, published_among, replaced
from sslbench.publishing.versions import current_versions
from sslbench.report.attachments import PLUG_INS, TAKEN, Answered, Answers, Attachments, Exhibit, Failure, Gaps, shrink
from sslbench.report.build import PAGE_FILE, build
from sslbench.report.page import unlinked
from sslbench.report.records import from_records, read_records
from sslbench.stores.addresses import Stores, ui_of
from sslbench.stores.answers import ANSWERS_FILE, read_right
from sslbench.stores.reports import log_report
from sslbench.stores.tracker import Tracker
from sslbench.sweep import suites
from sslbench.sweep.asked import Request
from sslbench.sweep.plan import Plan
from sslbench.sweep.request import Prepared, tracker_of

#: Bytes of pictures: enough to see what was learned, little enough to publish. What does not fit stays in MLflow.
MOST_BYTES = 1_500_000

#: What every encoder has comes after what only its own task shows, so that no task is crowded out.
COMMON_SUBJECTS = ("map", "neighbours")


@unless_set(QUIET)
def write_tables(
    request: Request,
    prepared: Prepared,
    records: list[Record],
    ui_url: str | None = None,
    warn: Callable[[str], object] = warnings.warn,
) -> list[Path]:
    """Write a suite's tables into the home folder and log them to a report run in MLflow; returns the files.

    Args:
        ui_url: where run ids of the page lead; None for the UI of these stores.
        warn: takes a line about everything that is passed over.

    Raises:
        InputError: nothing to show, or the folder cannot be written.
    """
    stores, suite = request.stores, prepared.suite
    tracker = tracker_of(stores, suite.name)
    gaps = gaps_of(tracker, prepared, {record.cell_id for record in records})
    shown = exhibits(tracker, prepared.plan)
    attached = replace(
        attachments_of(request.suite, suite, warn=warn),
        ui_url=ui_of(stores.tracking_uri) if ui_url is None else ui_url,
        environment={**environment(), **offered_by(suite), **taken(tracker, prepared.plan)},
        gaps=gaps,
        exhibits=shown,
        answers=answers_of(tracker, records),
    )
    frame = from_records(records)
    folder = stores.results / suite.name
    with replaced(folder) as unfinished:
        built = build(frame, unfinished, suite.name, suite.notes, attached)
    files = [folder / path.relative_to(unfinished) for path in built]
    log_report(tracker, folder, files)
    return files


def publish(name: str, stores: Stores, results: Path, encoders: bool = False) -> Path:
    """Copy a suite's tables from the home folder to `results/<name>/`, whose old files go; returns that folder.

    The page leaves its links to runs behind: who reads what is published does not have them.

    Args:
        encoders: whether encoders go along, as `encoders.ship` chooses them.

    Raises:
        InputError: there are no tables to publish, the folder holds something else, or it cannot be written.
    """
    fresh, published = stores.results / name, results / name
    if not (fresh / RECORDS_FILE).is_file():
        raise InputError(f"no tables of suite {name!r} in {stores.results}; run it first")
    if published.exists() and not (published / RECORDS_FILE).is_file():
        raise InputError(
            f"{published} is in the way: it is no folder of published tables, for it has no {RECORDS_FILE}"
        )
    if published.exists() and published.samefile(fresh):
        raise InputError(f"{published} is where runs write their tables; publish them to another folder")
    with replaced(published) as unfinished:
        for file in filter(Path.is_file, fresh.rglob("*")):
            place = unfinished / file.relative_to(fresh)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
        page = unfinished / PAGE_FILE
        page.write_text(unlinked(page.read_text(encoding="utf-8")), encoding="utf-8")
        if encoders:
            ship(read_records(fresh / RECORDS_FILE), tracker_of(stores, name), unfinished)
    return published


def taken(tracker: Tracker, plan: Plan) -> dict[str, str]:
    """How many evaluations were not run in this store but taken from published results; nothing if none."""
    planned = {cell.cell_id for cell in plan.evaluations}
    count = len(planned & tracker.published_evaluations())
    return {TAKEN: f"{count:,} of {len(planned):,}"} if count else {}


def offered_by(suite: Suite) -> dict[str, str]:
    """Which other packages offer plug-ins of a suite, with their versions; nothing if none does."""
    named: list[tuple[Registry[Any], tuple[str, ...]]] = [
        (DATASETS, suite.all_datasets),
        (ENCODERS, suite.encoders),
        (PRETEXTS, suite.pretexts),
        (PROTOCOLS, suite.protocols),
    ]
    owners = {registry.owner(name) for registry, names in named for name in names} - {""}
    return {PLUG_INS: ", ".join(sorted(owners))} if owners else {}


def gaps_of(tracker: Tracker, prepared: Prepared, recorded: set[str]) -> Gaps:
    """What the suite defines and has no record of, and which of its cells failed."""
    wanted = {cell_id for cell_id, _ in prepared.cells}
    failures = tuple(_failure(tags) for tags in tracker.failures() if tags["cell_id"] in wanted)
    planned = prepared.plan.evaluations
    return Gaps(len(planned), sum(cell.cell_id not in recorded for cell in planned), failures)


def attachments_of(
    name: str, suite: Suite, results: Path | None = None, warn: Callable[[str], object] = warnings.warn
) -> Attachments:
    """What a suite and the plug-ins say about its records; the rest is as the results folder has it.

    Args:
        name: of the suite or its file.
        results: folder of published results, which has scores of others; None for the one that has the suite's.
        warn: takes a line about scores of others that break a rule: they are passed over.

    Raises:
        InputError: its settings file does not exist or is none.
    """
    return Attachments(
        tuned=tuned(name, suite),
        primary=suite.primary,
        versions=current_versions(),
        community=read_community(results or published_among(suite.name, None), warn),
    )


def tuned(name: str, suite: Suite) -> tuple[TunedArm, ...]:
    """What the settings file of a suite says its tuning found and cost; nothing if it names none.

    Raises:
        InputError: the file does not exist or is no settings file.
    """
    tuning = suites.tuning_of(name, suite)
    return () if tuning is None else tuning.published()


def answers_of(tracker: Tracker, records: Sequence[Record]) -> Answers:
    """Which test inputs the recorded evaluations answered rightly; those whose runs did not store it are left out."""
    tests = [record for record in records if record.metric == "accuracy" and record.split == "test"]
    stored = tracker.artifacts([record.run_id for record in tests], ANSWERS_FILE)
    return {
        record.cell_id: Answered(record.dataset, *read_right(stored[record.run_id], f"run {record.run_id}"))
        for record in tests
        if record.run_id in stored
    }


def exhibits(tracker: Tracker, plan: Plan) -> tuple[Exhibit, ...]:
    """Pictures of one encoder of every pretext: the largest latent size, and the first seed of it that is finished."""
    finished = tracker.finished()
    chosen: dict[tuple[str, str, str], PretrainCell] = {}
    for cell in sorted(plan.pretrain, key=lambda cell: (-cell.latent_dim, cell.seed)):
        if cell.cell_id in finished:
            chosen.setdefault((cell.dataset, cell.encoder, cell.pretext), cell)
    every = [
        Exhibit(cell.dataset, cell.encoder, cell.pretext, cell.latent_dim, cell.seed, subject, shrink(png))
        for cell in chosen.values()
        for subject, png in sorted(tracker.pictures(finished[cell.cell_id]).items())
    ]
    found: list[Exhibit] = []
    left = MOST_BYTES
    for exhibit in sorted(every, key=lambda one: _round(one.subject)):
        if len(exhibit.png) <= left:
            left -= len(exhibit.png)
            found.append(exhibit)
    return tuple(found)


def _round(subject: str) -> int:
    return 1 + COMMON_SUBJECTS.index(subject) if subject in COMMON_SUBJECTS else 0


def _failure(tags: Mapping[str, str]) -> Failure:
    evaluation = tags["kind"] == "evaluate"
    return Failure(
        dataset=tags["dataset"],
        encoder=tags["encoder"],
        pretext=tags["pretext"],
        latent_dim=int(tags["latent_dim"]),
        seed=int(tags["seed"]),
        label_seed=int(tags["label_seed"]) if evaluation else None,
        label_fraction=float(tags["label_fraction"]) if evaluation else None,
        protocol=tags["protocol"] if evaluation else None,
        reason=tags.get("error", "unknown"),
        run_id=tags["run_id"],
        pretrain_dataset=tags["pretrain_dataset"],
    )
