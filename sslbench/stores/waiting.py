"""What waits in a queue, remembered from one look to the next."""

from __future__ import annotations

import random
from collections.abc import Container

import optuna
from optuna.trial import TrialState


class Waiting:
    """The trials of a study that waited at the last look; others may have taken them since."""

    def __init__(self, study: optuna.Study) -> None:
        self._study, self._near = study, 1
        self._cells: dict[int, tuple[str, tuple[int, ...]]] = {}

    def look(self) -> None:
        """Read all trials that have changed."""
        trials, numbers = self._study.get_trials(deepcopy=False), dict[str, list[int]]()
        self._near = 1 + sum(trial.state == TrialState.RUNNING for trial in trials)
        self._cells = {}
        for trial in trials:
            cell_id = trial.user_attrs.get("cell_id", "")
            earlier = numbers.setdefault(cell_id, [])
            if trial.state == TrialState.WAITING:
                self._cells[trial.number] = cell_id, tuple(earlier)
            earlier.append(trial.number)

    def of(self, wanted: Container[str]) -> list[int]:
        """Numbers of the trials of these cells, in the order in which to try them: one of the first, of as many as are
        being worked on, then any.

        So a lone worker keeps the order, and many do not all run after the same cell.
        """
        numbers = [number for number, (cell_id, _) in self._cells.items() if cell_id in wanted]
        first = random.sample(numbers[: self._near], min(1, len(numbers)))
        others = [number for number in numbers if number not in first]
        return first + random.sample(others, len(others))

    def pop(self, number: int) -> tuple[int, ...]:
        """Forget a trial; returns the numbers of those of the same cell that came before it."""
        return self._cells.pop(number)[1]
