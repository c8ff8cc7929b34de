"""A cell in the hands of a process, and how it gets back into its queue."""

from __future__ import annotations

from collections.abc import Sequence

import optuna
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from sslbench.contract.owner import OWNER, me

#: A cell over which more workers died, none having brought it further, is not tried any more.
RETRIES = 2

#: What a trial says of its cell: how many workers died over it before, whether this one brought it further, and that it
#: failed by its own worker's account: one that failed without was taken from a worker that died.
DIED, PROGRESS, FAILED = "died", "progress", "failed"


class CellFailed(Exception):
    """A cell went wrong and people were told why; the worker goes on with the next."""


class NotYet(Exception):
    """A cell cannot be done now; it goes to the end of the queue."""


class ClaimLost(Exception):
    """A worker was silent for so long that its cell was given to another: what it computed must not be kept."""


class Claim:
    """A cell in the hands of this process.

    Attributes:
        earlier: numbers of trials of the same cell that came before.
    """

    def __init__(self, storage: RDBStorage, trial_id: int, trial: optuna.Trial, earlier: Sequence[int]) -> None:
        self.storage, self.trial_id, self.trial, self.number = storage, trial_id, trial, trial.number
        self.cell_id: str = trial.user_attrs["cell_id"]
        self.earlier = earlier

    @property
    def repeated(self) -> bool:
        """Whether the cell was in the queue before, so that it may be done."""
        return bool(self.earlier)

    def held(self) -> bool:
        """Whether it is still in our hands."""
        trial = self.storage.get_trial(self.trial_id)
        return trial.state == TrialState.RUNNING and trial.user_attrs.get(OWNER) == me()

    def check(self) -> None:
        """Raise `ClaimLost` if it is no longer."""
        if not self.held():
            raise ClaimLost(self.cell_id)

    def note_progress(self) -> None:
        """Say that the next to take the cell will go on from further on: deaths over it so far no longer count."""
        self.check()
        self.trial.set_user_attr(PROGRESS, True)


def taken_away(trial: FrozenTrial) -> bool:
    """Whether a trial ended by no account of its worker: it was taken from one that died."""
    return trial.state == TrialState.FAIL and FAILED not in trial.user_attrs


def deadly(trial: FrozenTrial) -> bool:
    """Whether so many workers died over the cell of a trial that it is not tried any more."""
    attributes = trial.user_attrs
    return taken_away(trial) and PROGRESS not in attributes and attributes.get(DIED, 0) >= RETRIES


def put_back(study: optuna.Study, trial: FrozenTrial, died: bool = True) -> None:
    """Queue the cell of a trial that ended without being done once more, unless its workers `died` too often."""
    times = 0 if trial.user_attrs.get(PROGRESS) else trial.user_attrs.get(DIED, 0) + died
    if times <= RETRIES and "cell_id" in trial.user_attrs:
        about = {name: trial.user_attrs[name] for name in ("cell_id", "title")}
        again = create_trial(
            state=TrialState.WAITING,
            params=trial.params,
            distributions=trial.distributions,
            user_attrs={**about, DIED: times},
        )
        study.add_trial(again)
