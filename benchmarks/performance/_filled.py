"""Stores that look as if a large suite had been run: real cells, real runs copied row by row with other names."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sslbench.contract.cells import EvaluateCell, PretrainCell
from sslbench.datasets import default_root, load
from sslbench.stores.addresses import Stores, locate
from sslbench.stores.inputs import describe
from sslbench.stores.queue import CellQueue
from sslbench.stores.tracker import Tracker
from sslbench.sweep import suites
from sslbench.sweep.asked import Request, Selection
from sslbench.sweep.request import Prepared, prepare_request
from sslbench.sweep.studies import open_queues, queued_evaluation, queued_pretraining

SUITE = '''
"""A suite of {cells:,} evaluations."""
from sslbench.contract.spec import Suite

SUITE = Suite(
    name="growth",
    datasets=("digits",),
    encoders=("conv",),
    pretexts=("random_init", "autoencoder", "vae", "rotation", "jigsaw", "simclr", "moco", "byol", "vicreg", "swav"),
    latent_dims=(8, 16, 32, 64, 128),
    seeds=tuple(range({seeds})),
    epochs=1,
    label_fractions={fractions},
    protocols=("linear_probe", "knn"),
)
'''
PER_SEED = 10 * 5 * 20 * 2
SCORES = {
    **{"accuracy": 0.9, "budget_accuracy": 0.9},
    **{"evaluate_seconds": 0.1, "evaluate_flops": 1e9, "num_labels": 100.0},
}
COSTS = {"pretrain_seconds": 10.0, "pretrain_samples": 6e4, "pretrain_flops": 1e12, "parameters": 1e5}
MEASURES = {
    f"representation.{name}": 0.5
    for name in ("rankme", "alpha_req", "lidar", "uniformity", "alignment", "per_dimension_std")
}


@dataclass(frozen=True)
class Filled:
    """A suite whose every cell is done, and the stores that say so."""

    request: Request
    prepared: Prepared


def fill(folder: Path, evaluations: int) -> Filled:
    """A suite of so many evaluations (a multiple of 2,000) whose runs and trials are all finished."""
    fractions = tuple(round(0.05 * (1 + number), 2) for number in range(20))
    suite = folder / "growth.py"
    seeds = evaluations // PER_SEED
    suite.write_text(SUITE.format(cells=evaluations, seeds=seeds, fractions=fractions), encoding="utf-8")
    stores = locate(folder, f"sqlite:///{folder / 'mlflow.db'}", f"sqlite:///{folder / 'optuna.db'}")
    request = Request(str(suite), Selection(), stores, default_root())
    prepared = prepare_request(request)
    _fill_tracking(stores, prepared)
    _fill_queues(request, prepared)
    return Filled(request, prepare_request(request))


def _fill_tracking(stores: Stores, prepared: Prepared) -> None:
    """One run per cell: two real ones are written through the tracker, the others are theirs under other names."""
    tracker = Tracker(stores.tracking_uri, "growth", stores.artifact_root)
    source = describe(load("digits", default_root()))
    first = prepared.plan.pretrain[0]
    parent = tracker.start_pretrain(first, source, "cpu")
    tracker.finish(parent, {**COSTS, **MEASURES, "collapsed": 0.0, "final_loss": 0.1}, {"modality": "image"})
    child = tracker.start_evaluate(prepared.plan.evaluations[0], parent, source, "cpu")
    tracker.finish(child, {**SCORES, **COSTS}, {"modality": "image"})
    ids = {cell.cell_id: uuid.uuid4().hex for cell in prepared.plan.pretrain}
    with sqlite3.connect(folder_of(stores.tracking_uri)) as connection:
        _copy(connection, parent, [(ids[cell.cell_id], _tags(cell)) for cell in prepared.plan.pretrain])
        copies = [
            (
                uuid.uuid4().hex,
                {**_tags(cell.pretrain), **_evaluation_tags(cell), "mlflow.parentRunId": ids[cell.pretrain.cell_id]},
            )
            for cell in prepared.plan.evaluations
        ]
        _copy(connection, child, copies)
        for template in (parent, child):
            connection.execute("UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = ?", (template,))


def folder_of(address: str) -> str:
    """The file behind an SQLite address."""
    return address.removeprefix("sqlite:///")


def _tags(cell: PretrainCell) -> dict[str, str]:
    axes = {"pretext": cell.pretext, "latent_dim": str(cell.latent_dim), "seed": str(cell.seed)}
    return {**axes, "cell_id": cell.cell_id, "mlflow.runName": cell.title}


def _evaluation_tags(cell: EvaluateCell) -> dict[str, str]:
    axes = {"label_seed": str(cell.label_seed), "label_fraction": repr(cell.label_fraction), "protocol": cell.protocol}
    return {**axes, "cell_id": cell.cell_id, "mlflow.runName": cell.title}


def _copy(connection: sqlite3.Connection, run: str, copies: Sequence[tuple[str, Mapping[str, str]]]) -> None:
    """Repeat a run's rows under other identities, some of its tags replaced and its scores moved a little."""
    for table in ("runs", "params", "latest_metrics", "metrics"):
        columns, rows = _rows(connection, table, run)
        scores = columns.index("value") if "metrics" in table else None
        repeated = (
            [_moved(identity, number, row, columns, scores) for row in rows]
            for number, (identity, _) in enumerate(copies)
        )
        _insert(connection, table, columns, (row for group in repeated for row in group))
    _, rows = _rows(connection, "tags", run)
    tags = {key: value for key, value, _ in rows}
    _insert(
        connection,
        "tags",
        ["key", "value", "run_uuid"],
        ((key, value, identity) for identity, own in copies for key, value in {**tags, **own}.items()),
    )


def _rows(connection: sqlite3.Connection, table: str, run: str) -> tuple[list[str], list[tuple[object, ...]]]:
    found = connection.execute(f"SELECT * FROM {table} WHERE run_uuid = ?", (run,))
    return [column[0] for column in found.description], found.fetchall()


def _moved(identity: str, number: int, row: tuple[object, ...], columns: list[str], score: int | None) -> list[object]:
    moved = list(row)
    moved[columns.index("run_uuid")] = identity
    if score is not None and "accuracy" in str(row[columns.index("key")]):
        moved[score] = 0.5 + 0.4 * ((number * 2654435761) % 1000) / 1000
    return moved


def _insert(connection: sqlite3.Connection, table: str, columns: list[str], rows: Iterable[Sequence[object]]) -> None:
    places = ", ".join("?" * len(columns))
    connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows)


def _fill_queues(request: Request, prepared: Prepared) -> None:
    """A finished trial per cell: one real one per study, the others copied row by row."""
    pretrain, evaluate = open_queues(suites.load(request.suite), request.selection, request.stores.storage)
    plan, names = prepared.plan, prepared.datasets
    for queue, cells in (
        (pretrain, [queued_pretraining(cell, names) for cell in plan.pretrain]),
        (evaluate, [queued_evaluation(cell, names) for cell in plan.evaluations]),
    ):
        queue.fill(cells[:1])
        queue.work({cells[0].cell_id}, lambda _: 0.5)
        _copy_trials(folder_of(request.stores.storage), queue, [cell.cell_id for cell in cells[1:]])


def _copy_trials(path: str, queue: CellQueue, cell_ids: Sequence[str]) -> None:
    with sqlite3.connect(path) as connection:
        (study,) = connection.execute(
            "SELECT study_id FROM studies WHERE study_name = ?", (queue.study.study_name,)
        ).fetchone()
        columns, (first,) = _select(connection, "trials", "study_id", study)
        template = first[columns.index("trial_id")]
        (start,) = connection.execute("SELECT MAX(trial_id) FROM trials").fetchone()
        trials = []
        for number, _ in enumerate(cell_ids, start=1):
            row = list(first)
            row[columns.index("trial_id")], row[columns.index("number")] = start + number, number
            trials.append(row)
        _insert(connection, "trials", columns, trials)
        for table in ("trial_params", "trial_values", "trial_user_attributes", "trial_system_attributes"):
            columns, rows = _select(connection, table, "trial_id", template)
            _insert(connection, table, columns[1:], _renamed(columns, rows, start, cell_ids))


def _select(
    connection: sqlite3.Connection, table: str, column: str, value: object
) -> tuple[list[str], list[tuple[object, ...]]]:
    found = connection.execute(f"SELECT * FROM {table} WHERE {column} = ?", (value,))
    return [each[0] for each in found.description], found.fetchall()


def _renamed(
    columns: list[str], rows: list[tuple[object, ...]], start: int, cell_ids: Sequence[str]
) -> Iterable[list[object]]:
    """The rows of a trial for every other cell, without their own key, which comes first."""
    for number, cell_id in enumerate(cell_ids, start=1):
        for row in rows:
            copied = dict(zip(columns, row, strict=True))
            copied["trial_id"] = start + number
            if copied.get("key") == "cell_id":
                copied["value_json"] = json.dumps(cell_id)
            yield list(copied.values())[1:]
