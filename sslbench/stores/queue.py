"""Optuna studies as queues of cells.

Why not a `GridSampler`: its documentation warns that processes sharing a study may draw the same point twice, and it
does not know which points MLflow already holds. Here missing cells are enqueued, some hundred at a time, since a look
at them reads all that wait; taking one is an atomic change of state in the storage, so each goes to exactly one worker.

Every trial names its owner (machine, process, start), and whoever comes takes over only what is stale: an owner that
ended on this machine, or one anywhere whose heartbeat stopped. Any number of runs share the queues of a suite.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.samplers import RandomSampler
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from sslbench.contract.identity import digest
from sslbench.contract.owner import OWNER, gone, me
from sslbench.stores.claim import FAILED, RETRIES, CellFailed, Claim, ClaimLost, NotYet, deadly, put_back, taken_away
from sslbench.stores.outage import PAUSE, since_outage, store_lost
from sslbench.stores.storage import HEARTBEAT_SECONDS, as_announced, beating, in_turn, name_value
from sslbench.stores.waiting import Waiting

#: Cells that wait at a time; more are queued as they are taken.
WINDOW = 128

#: Cells that are queued at a time, before a look at what others have queued meanwhile.
CHUNK = 16

#: Cells of those that waited at the last look that are tried before the next.
TRIES = 4

Axis = CategoricalDistribution | IntDistribution | FloatDistribution


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

    Attributes:
        window: as many cells wait at a time, of those that a process would have done.
    """

    def __init__(self, storage: RDBStorage, name: str, axes: Mapping[str, Axis], value: str) -> None:
        self.axes, self.storage, self.window = axes, storage, WINDOW
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
        name_value(self.study, value)
        self.study_id = storage.get_study_id_from_name(self.study.study_name)
        self.seen = Waiting(self.study)
        self.ended_before = {one.number for one in self.study.get_trials(deepcopy=False) if one.state.is_finished()}

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

    def given_up(self) -> dict[str, str]:
        """Why a cell is not tried any more, by its identity: of those over which too many workers died."""
        why = f"{RETRIES + 1} workers died over it, killed by somebody or by a machine without memory left"
        return {cell_id: why for cell_id, trial in self._last().items() if deadly(trial)}

    def fill(self, cells: Iterable[QueuedCell]) -> int:
        """Enqueue cells that no trial waits for or works on, until `window` of them wait; returns how many.

        Whatever became of them before is forgiven: a person asks for them. Processes that fill at the same time may
        enqueue a cell twice; `work` then hands it out once.
        """
        return self._fill(cells, lambda trial: trial.state == TrialState.RUNNING, wait=True)

    def top_up(self, cells: Iterable[QueuedCell], wait: bool = True) -> int:
        """The same without cells that were tried, by whomever, since this process opened the queue, and without those
        over which too many workers died.

        Args:
            wait: for another that is at it, to see what is left to do; else that is left to the other.
        """
        return self._fill(cells, lambda trial: trial.number not in self.ended_before or deadly(trial), wait)

    def _fill(self, cells: Iterable[QueuedCell], keeps: Callable[[FrozenTrial], bool], wait: bool) -> int:
        """Enqueue a few at a time, with a look before each: two may find a queue in SQLite empty at one moment."""
        wanted, queued = list(cells), set[str]()
        room, missing = self._look(wanted, keeps)
        if not missing or room < min(self.window // 2, len(missing)):  # full enough: nobody who fills it is waited for
            return 0
        with in_turn(self.storage.engine, self.study.study_name, wait) as ours:
            while ours and len(queued) < self.window:
                room, missing = self._look(wanted, keeps)
                chosen = [cell for cell in missing if cell.cell_id not in queued][: max(0, min(room, CHUNK))]
                if not chosen:
                    break
                for cell in chosen:
                    self._enqueue(cell)
                    queued.add(cell.cell_id)
        return len(queued)

    def _look(self, cells: list[QueuedCell], keeps: Callable[[FrozenTrial], bool]) -> tuple[int, list[QueuedCell]]:
        """How many more can be queued, for `window` to wait and one for each at work, and which of the cells could."""
        waiting, kept, running = set(), set(), 0
        for trial in self.study.get_trials(deepcopy=False):
            running += trial.state == TrialState.RUNNING
            if trial.state == TrialState.WAITING:
                waiting.add(trial.user_attrs.get("cell_id"))
            elif keeps(trial):
                kept.add(trial.user_attrs.get("cell_id"))
        room = self.window + running - sum(cell.cell_id in waiting for cell in cells)
        there = waiting | kept
        return room, [cell for cell in cells if cell.cell_id not in there]

    def _enqueue(self, cell: QueuedCell) -> None:
        about = {"cell_id": cell.cell_id, "title": cell.title}
        axes = {axis: cell.axes[axis] for axis in self.axes}
        waiting = create_trial(state=TrialState.WAITING, params=axes, distributions=dict(self.axes), user_attrs=about)
        self.study.add_trial(waiting)

    def release_gone(self) -> None:
        """Put back the cells of workers that are gone: ended on this machine, or silent for `GRACE_SECONDS` anywhere.

        Any number of processes may do so at a time. A cell over which more than `RETRIES` workers died stays out.
        """
        for trial in self.running():
            if gone(trial.user_attrs.get(OWNER, "")) or _nobodys(trial):
                self._release(trial, died=True)
        if since_outage() > PAUSE + HEARTBEAT_SECONDS:  # else hearts may be silent because the store was away
            with as_announced():
                optuna.storages.fail_stale_trials(self.study)
        self._mend()

    def _mend(self) -> None:
        """Put back what a process that died meanwhile took from a dead worker and did not put back."""
        for trial in self._last().values():
            if taken_away(trial) and trial.number not in self.ended_before:
                put_back(self.study, trial)

    def _last(self) -> dict[str, FrozenTrial]:
        """The last trial of every cell, by the cell's identity."""
        return {trial.user_attrs.get("cell_id", ""): trial for trial in self.study.get_trials(deepcopy=False)}

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
        `ClaimLost` leaves it to who took it over; any other error goes up.

        Args:
            wanted: identities of cells; others are left to who runs another part of the suite.
        """
        claim = self._take(wanted)
        if claim is None:
            return False
        with beating(self.storage, claim.trial_id), suppress(ClaimLost):
            self._sign(claim.trial)
            self._handle(claim, (lambda _: None) if self._another(claim.earlier) else handle)
        return True

    def _take(self, wanted: Container[str]) -> Claim | None:
        """Take one cell of what waited at the last look and may wait still, a look costing as much as ten tries; else
        look again."""
        claim = self._try(self.seen.of(wanted)[:TRIES])
        while claim is None:
            self.seen.look()
            waiting = self.seen.of(wanted)
            if not waiting:
                return None
            claim = self._try(waiting)
        return claim

    def _try(self, numbers: Iterable[int]) -> Claim | None:
        for number in numbers:
            earlier, trial_id = self.seen.pop(number), self._id_of(number)
            if self._start(trial_id):
                return Claim(self.storage, trial_id, Trial(self.study, trial_id), earlier)
        return None

    def _start(self, trial_id: int) -> bool:
        """Whether a waiting trial is now this process's; to all others it is not."""
        try:
            return self.storage.set_trial_state_values(trial_id, TrialState.RUNNING)
        except UpdateFinishedTrialError:  # another was so quick that it is done
            return False

    def _handle(self, claim: Claim, handle: Callable[[Claim], float | None]) -> None:
        """Have what was taken handled, and end its trial."""
        value: float | None = None
        state = TrialState.PRUNED
        try:
            value = handle(claim)
            claim.check()
            state = TrialState.PRUNED if value is None else TrialState.COMPLETE
        except NotYet:
            put_back(self.study, self.storage.get_trial(claim.trial_id), died=False)
        except CellFailed:
            state = self._fail(claim)
        except ClaimLost:
            raise
        except Exception as error:
            if not store_lost(error):
                self._end(claim.number, self._fail(claim))
            raise
        self._end(claim.number, state, value)

    def _fail(self, claim: Claim) -> TrialState:
        """Say on a trial that its cell failed, and not its worker."""
        with suppress(UpdateFinishedTrialError):
            claim.trial.set_user_attr(FAILED, True)
        return TrialState.FAIL

    def _sign(self, trial: Trial) -> None:
        try:
            trial.set_user_attr(OWNER, me())
            trial.set_user_attr("taken_at", time.time())
        except UpdateFinishedTrialError as error:
            raise ClaimLost(trial.user_attrs["cell_id"]) from error

    def _end(self, number: int, state: TrialState, value: float | None = None) -> None:
        with suppress(ValueError, UpdateFinishedTrialError):  # another process has ended it
            self.study.tell(number, value, state)

    def _id_of(self, number: int) -> int:
        return self.storage.get_trial_id_from_study_id_trial_number(self.study_id, number)

    def _another(self, earlier: Iterable[int]) -> bool:
        """Whether one of these trials, of the same cell, waits or runs, and so is the one to do.

        So of a cell that was enqueued twice exactly one trial is worked on at a time: the first.
        """
        return any(not self.storage.get_trial(self._id_of(number)).state.is_finished() for number in earlier)


def _nobodys(trial: FrozenTrial) -> bool:
    """Whether who took a trial died before it could write its name and let its heart beat, which takes milliseconds.

    A machine with another time of day may think so too early; who took it then finds out, and keeps nothing.
    """
    if OWNER in trial.user_attrs or trial.datetime_start is None:
        return False
    return abs((datetime.now() - trial.datetime_start).total_seconds()) > HEARTBEAT_SECONDS
