"""Optuna studies as queues of cells.

Why not a `GridSampler`: its documentation warns that processes sharing a study may draw the same point twice, and it
does not know which points MLflow already holds. Here every missing cell is enqueued first; taking a WAITING trial is
one atomic change of state in the storage, so each cell goes to exactly one worker. On SQLite that needs our help:
Optuna reads the state with SELECT … FOR UPDATE, which SQLite ignores, so two workers could read WAITING before either
writes RUNNING; we open every transaction with BEGIN IMMEDIATE, which takes the write lock first. Why `RDBStorage`: it
alone has heartbeats, which find trials whose worker died and put them back; SQLite serves one machine, PostgreSQL many.
"""

from __future__ import annotations

import sqlite3
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import OptunaError
from optuna.samplers import RandomSampler
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import SQLAlchemyError

from sslbench.contract.identity import digest
from sslbench.contract.spec import InputError
from sslbench.stores.urls import reason, shown

HEARTBEAT_SECONDS = 15
GRACE_SECONDS = 90
RETRIES = 2


def open_storage(url: str) -> RDBStorage:
    """Connect to Optuna's store, creating its schema if need be.

    Raises:
        InputError: it cannot be reached.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    arguments: dict[str, object] = {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            storage = RDBStorage(
                url,
                engine_kwargs=arguments,
                heartbeat_interval=HEARTBEAT_SECONDS,
                grace_period=GRACE_SECONDS,
                heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=RETRIES),
            )
        if url.startswith("sqlite"):
            _lock_at_begin(storage.engine)
        return storage
    except (SQLAlchemyError, OptunaError, RuntimeError, ImportError, OSError) as error:
        raise InputError(f"--storage {shown(url)!r} cannot be used: {reason(error)}") from error


def _lock_at_begin(engine: Engine) -> None:
    """Make every transaction of an SQLite engine take the write lock when it begins."""

    def leave_transactions_to_us(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # else Python's driver begins them itself, and too late

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine, "connect", leave_transactions_to_us)
    event.listen(engine, "begin", begin)
    engine.dispose()  # connections from before do not know of this


Axis = CategoricalDistribution | IntDistribution | FloatDistribution


class CellFailed(Exception):
    """A cell went wrong and people were told why; the worker goes on with the next."""


@dataclass(frozen=True)
class QueuedCell:
    """What a trial says about its cell: identity, the axes Optuna's plots show, and who works on it."""

    cell_id: str
    title: str
    axes: Mapping[str, str | int | float]


class CellQueue:
    """One study handing cells to workers.

    Args:
        storage: from `open_storage`.
        name: e.g. `quick/evaluate`.
        axes: the axes Optuna's plots show. A study cannot change its categories, so they are part of its full name.
        value: what the study's value is, the more the better, as Optuna's plots call it.
    """

    def __init__(self, storage: RDBStorage, name: str, axes: Mapping[str, Axis], value: str) -> None:
        self.axes = axes
        categories = {
            axis: list(kind.choices) for axis, kind in axes.items() if isinstance(kind, CategoricalDistribution)
        }
        self.study = optuna.create_study(
            storage=storage,
            study_name=f"{name}/{digest([categories, value])[:6]}",
            direction="maximize",
            sampler=RandomSampler(seed=0),  # never asked: every trial that matters is enqueued
            load_if_exists=True,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            if self.study.metric_names is None:
                self.study.set_metric_names([value])

    def waiting(self) -> list[FrozenTrial]:
        """Trials no worker has taken yet."""
        return self.study.get_trials(deepcopy=False, states=(TrialState.WAITING,))

    def running(self) -> list[FrozenTrial]:
        """Trials a worker holds, dead workers' included."""
        return [
            trial
            for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
            if "cell_id" in trial.user_attrs
        ]

    def fill(self, cells: Iterable[QueuedCell]) -> int:
        """Enqueue every cell that no trial waits for or works on; returns how many."""
        held = {trial.user_attrs.get("cell_id") for trial in [*self.waiting(), *self.running()]}
        added = 0
        for cell in cells:
            if cell.cell_id not in held:
                self.study.enqueue_trial(dict(cell.axes), user_attrs={"cell_id": cell.cell_id, "title": cell.title})
                added += 1
        return added

    def release(self, worker: int | None = None) -> int:
        """Mark running trials failed so that they can be filled again: all, or those of one dead worker process."""
        released = 0
        for trial in self.running():
            if worker is None or trial.user_attrs.get("worker") == worker:
                self.study.tell(trial.number, state=TrialState.FAIL)
                released += 1
        return released

    def work(self, worker: int, handle: Callable[[str], float | None]) -> bool:
        """Take one waiting cell and handle it; False if none was waiting.

        `handle` gets the cell's identity and returns the study's value, or None for a cell that has none or that
        nobody wants: its trial is pruned, which Optuna shows without a value.
        `CellFailed` marks the cell failed; any other error goes up. `Study.optimize` keeps the heartbeat and first
        puts back trials whose worker died.
        """
        if not self.waiting():
            return False

        def objective(trial: Trial) -> float:
            cell_id = trial.user_attrs.get("cell_id")
            if cell_id is None:  # another worker took the last waiting trial between the look and the draw
                raise optuna.TrialPruned
            trial.set_user_attr("worker", worker)
            trial.set_user_attr("taken_at", time.time())
            for axis, kind in self.axes.items():
                _read_axis(trial, axis, kind)
            value = handle(cell_id)
            if value is None:
                raise optuna.TrialPruned
            return value

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self.study.optimize(objective, n_trials=1, catch=(CellFailed,))
        return True


def _read_axis(trial: Trial, axis: str, kind: Axis) -> None:
    """Make the enqueued value of an axis a parameter of the trial."""
    if isinstance(kind, CategoricalDistribution):
        trial.suggest_categorical(axis, kind.choices)
    elif isinstance(kind, IntDistribution):
        trial.suggest_int(axis, kind.low, kind.high)
    else:
        trial.suggest_float(axis, kind.low, kind.high)
