"""From finished runs to `results/<suite>/`: records, what else MLflow knows of them, and the report run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from sslbench.contract.settings import TunedArm
from sslbench.contract.spec import PretrainCell, Record, Suite
from sslbench.publishing.environment import environment
from sslbench.report.attachments import UI_URL, Attachments, Exhibit, Failure, Gaps, shrink
from sslbench.report.build import build
from sslbench.report.records import from_records
from sslbench.stores.tracker import Tracker
from sslbench.sweep import suites
from sslbench.sweep.plan import Plan
from sslbench.sweep.request import Prepared, Request

#: Bytes of pictures: enough to see what was learned, little enough to publish. What does not fit stays in MLflow.
MOST_BYTES = 1_500_000

#: What every encoder has comes after what only its own task shows, so that no task is crowded out.
COMMON_SUBJECTS = ("map", "neighbours")


def publish(
    request: Request, prepared: Prepared, records: list[Record], results: Path, ui_url: str = UI_URL
) -> list[Path]:
    """Write the results of a suite and log them to a report run in MLflow; returns the files written.

    Raises:
        InputError: nothing to show, or the folder cannot be written.
    """
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"  # a bar per picture is no progress
    suite = prepared.suite
    tracker = Tracker(request.stores.tracking_uri, suite.name, request.stores.artifact_root)
    gaps = gaps_of(tracker, prepared, {record.cell_id for record in records})
    shown = exhibits(tracker, prepared.plan)
    attached = Attachments(environment(), gaps, shown, tuned(request.suite, suite), ui_url)
    folder = results / suite.name
    files = build(from_records(records), folder, suite.name, suite.notes, attached)
    tracker.log_report(folder, files)
    return files


def gaps_of(tracker: Tracker, prepared: Prepared, recorded: set[str]) -> Gaps:
    """What the suite defines and has no record of, and which of its cells failed."""
    wanted = {cell_id for cell_id, _ in prepared.cells}
    failures = tuple(_failure(tags) for tags in tracker.failures() if tags["cell_id"] in wanted)
    planned = prepared.plan.evaluations
    return Gaps(len(planned), sum(cell.cell_id not in recorded for cell in planned), failures)


def tuned(name: str, suite: Suite) -> tuple[TunedArm, ...]:
    """What the settings file of a suite says its tuning found and cost; nothing if it names none.

    Raises:
        InputError: the file does not exist or is no settings file.
    """
    tuning = suites.tuning_of(name, suite)
    return () if tuning is None else tuning.published()


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
    )
