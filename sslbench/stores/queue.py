"""Optuna studies as queues of cells.

Why not a `GridSampler`: its documentation warns that processes sharing a study may draw the same point twice, and it
does not know which points MLflow already holds. Here every missing cell is enqueued first; taking a WAITING trial is
one atomic change of state in the storage, so each cell goes to exactly one worker. On SQLite that needs our help:
Optuna reads the state with SELECT … FOR UPDATE, which SQLite ignores, so two workers could read WAITING before either
writes RUNNING; we open every transaction with BEGIN IMMEDIATE, which takes the write lock first. Why `RDBStorage`: it
alone has heartbeats, which find trials whose worker died and put them back; SQLite serves one machine, PostgreSQL many.

Every trial names its owner (machine, process, start), and whoever comes takes over only what is stale: an owner that
ended on this machine, or one anywhere whose heartbeat stopped. Any number of runs share the queues of a suite.
"""

from __future__ import annotations

import sqlite3
import time
import warnings
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import OptunaError, UpdateFinishedTrialError
from optuna.samplers import RandomSampler
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import SQLAlchemyError

from sslbench.contract.identity import digest
from sslbench.contract.spec import InputError
from sslbench.stores.outage import connect_patiently
from sslbench.stores.owner import OWNER, gone, me
from sslbench.stores.urls import reason, shown

HEARTBEAT_SECONDS = 15
GRACE_SECONDS = 90
RETRIES = 2

#: How many workers died over the cell of a trial.
DIED = "died"


def open_storage(url: str) -> RDBStorage:
    """Connect to Optuna's store, creating its schema if need be.

    Raises:
        InputError: it cannot be reached.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    arguments: dict[str, object] = {"connect_args": {"timeout": 60}}
    if not url.startswith("sqlite"):  # two connections: for the work, and for the heartbeat beside it
        arguments = {"pool_size": 2, "max_overflow": 0, "pool_pre_ping": True}
    try:
        with _as_announced():
            storage = RDBStorage(
                url,
                engine_kwargs=arguments,
                heartbeat_interval=HEARTBEAT_SECONDS,
                grace_period=GRACE_SECONDS,
                heartbeat_stale_trial_callback=put_back,
            )
        if url.startswith("sqlite"):
            _lock_at_begin(storage.engine)
        else:
            connect_patiently(storage.engine)
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


class NotYet(Exception):
    """A cell cannot be done now; it goes to the end of the queue."""


class ClaimLost(Exception):
    """A worker was silent for so long that its cell was given to another: what it computed must not be kept."""


class Claim:
    """A cell in the hands of this process.

    Attributes:
        repeated: whether the cell was in the queue before, so that it may be done.
    """

    def __init__(self, study: optuna.Study, number: int, cell_id: str, repeated: bool) -> None:
        self.study, self.number, self.cell_id, self.repeated = study, number, cell_id, repeated

    def held(self) -> bool:
        """Whether it is still in our hands."""
        trial = self.study.get_trials(deepcopy=False)[self.number]
        return trial.state == TrialState.RUNNING and trial.user_attrs.get(OWNER) == me()

    def check(self) -> None:
        """Raise `ClaimLost` if it is no longer."""
        if not self.held():
            raise ClaimLost(self.cell_id)


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
        with _as_announced():
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

    def held(self) -> dict[str, str]:
        """Owner of every cell that a worker holds, by the cell's identity."""
        return {trial.user_attrs["cell_id"]: trial.user_attrs.get(OWNER, "") for trial in self.running()}

    def at_work(self) -> list[tuple[str, str, float]]:
        """Owner of every cell that is held, its title, and since when, in seconds since the epoch."""
        attributes = [trial.user_attrs for trial in self.running()]
        return [(one.get(OWNER, ""), one["title"], one.get("taken_at", time.time())) for one in attributes]

    def fill(self, cells: Iterable[QueuedCell]) -> int:
        """Enqueue every cell that no trial waits for or works on; returns how many.

        Processes that fill at the same time may enqueue a cell twice; `work` then hands it out once.
        """
        held = {trial.user_attrs.get("cell_id") for trial in [*self.waiting(), *self.running()]}
        missing = [cell for cell in cells if cell.cell_id not in held]
        for cell in missing:
            about = {"cell_id": cell.cell_id, "title": cell.title, "axes": dict(cell.axes)}
            self.study.enqueue_trial(dict(cell.axes), user_attrs=about)
        return len(missing)

    def release_gone(self) -> None:
        """Put back the cells of workers that are gone: ended on this machine, or silent for `GRACE_SECONDS` anywhere.

        Any number of processes may do so at a time. A cell over which more than `RETRIES` workers died stays out.
        """
        for trial in self.running():
            if gone(trial.user_attrs.get(OWNER, "")) or _nobodys(trial):
                self._release(trial, died=True)
        with _as_announced():
            optuna.storages.fail_stale_trials(self.study)

    def release_own(self) -> None:
        """Put back what this process holds."""
        for trial in self.running():
            if trial.user_attrs.get(OWNER) == me():
                self._release(trial, died=False)

    def _release(self, trial: FrozenTrial, died: bool) -> None:
        with suppress(ValueError, UpdateFinishedTrialError):  # another process did
            self.study.tell(trial.number, state=TrialState.FAIL)
            put_back(self.study, trial, died)

    def work(self, wanted: Container[str], handle: Callable[[Claim], float | None]) -> bool:
        """Take one waiting cell and handle it; False if none of those wanted was waiting.

        `handle` returns the study's value, or None for a cell that has none or that is done already: its trial is
        pruned, which Optuna shows without a value. `CellFailed` marks the cell failed, `NotYet` puts it back,
        `ClaimLost` leaves it to who took it over; any other error goes up. `Study.optimize` keeps the heartbeat.

        Args:
            wanted: identities of cells; others, of who runs another part of the suite, are put back.
        """
        if not any(trial.user_attrs.get("cell_id") in wanted for trial in self.waiting()):
            return False
        taken: list[Claim] = []
        lost = False

        def objective(trial: Trial) -> float:
            nonlocal lost
            if "cell_id" not in trial.user_attrs:  # another worker took the last one between the look and the draw
                raise optuna.TrialPruned
            try:
                trial.set_user_attr(OWNER, me())
            except UpdateFinishedTrialError as error:
                lost = True
                raise ClaimLost(trial.user_attrs["cell_id"]) from error
            trial.set_user_attr("taken_at", time.time())
            for axis, kind in self.axes.items():
                _read_axis(trial, axis, kind)
            claim = self._claim(trial)
            if claim is None:
                raise optuna.TrialPruned
            taken.append(claim)
            try:
                value = handle(claim) if claim.cell_id in wanted else _not_ours()
            except NotYet as error:
                put_back(self.study, self.study.get_trials(deepcopy=False)[claim.number], died=False)
                raise optuna.TrialPruned from error
            claim.check()
            if value is None:
                raise optuna.TrialPruned
            return value

        try:
            with _as_announced():
                self.study.optimize(objective, n_trials=1, catch=(CellFailed, ClaimLost))
        except (AssertionError, ValueError, UpdateFinishedTrialError):
            if not lost and (not taken or taken[0].held()):
                raise  # else: Optuna will not end a trial that another process has ended
        return True

    def _claim(self, trial: Trial) -> Claim | None:
        """What was taken; None if the same cell is in an earlier trial that waits or runs, which then is the one to do.

        So of a cell that was enqueued twice exactly one trial is worked on at a time: the first.
        """
        cell_id = trial.user_attrs["cell_id"]
        earlier = [
            other.state
            for other in self.study.get_trials(deepcopy=False)[: trial.number]
            if other.user_attrs.get("cell_id") == cell_id
        ]
        if TrialState.WAITING in earlier or TrialState.RUNNING in earlier:
            return None
        return Claim(self.study, trial.number, cell_id, repeated=bool(earlier))


def _nobodys(trial: FrozenTrial) -> bool:
    """Whether who took a trial died before it could write its name and let its heart beat, which takes milliseconds.

    A machine with another time of day may think so too early; who took it then finds out, and keeps nothing.
    """
    if OWNER in trial.user_attrs or trial.datetime_start is None:
        return False
    return abs((datetime.now() - trial.datetime_start).total_seconds()) > HEARTBEAT_SECONDS


def _not_ours() -> float | None:
    raise NotYet


def put_back(study: optuna.Study, trial: FrozenTrial, died: bool = True) -> None:
    """Queue the cell of a trial that ended without being done once more, unless its workers `died` too often."""
    times = trial.user_attrs.get(DIED, 0) + died
    if times <= RETRIES and "axes" in trial.user_attrs:
        about = {name: trial.user_attrs[name] for name in ("cell_id", "title", "axes")}
        study.enqueue_trial(about["axes"], user_attrs={**about, DIED: times})


@contextmanager
def _as_announced() -> Iterator[None]:
    """Without Optuna's warnings that heartbeats and names of values may change."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield


def _read_axis(trial: Trial, axis: str, kind: Axis) -> None:
    """Make the enqueued value of an axis a parameter of the trial."""
    if isinstance(kind, CategoricalDistribution):
        trial.suggest_categorical(axis, kind.choices)
    elif isinstance(kind, IntDistribution):
        trial.suggest_int(axis, kind.low, kind.high)
    else:
        trial.suggest_float(axis, kind.low, kind.high)
