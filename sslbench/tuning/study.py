"""One arm's trials: an Optuna study that goes on after an interruption as if there had been none.

TPE with median pruning. Trials of an arm run one after the other, and what is random in trial k follows from names and
k alone: a study that was interrupted and goes on asks the same questions, and finds the same winner, as one that was
not. A trial that is pruned or diverges counts like any other; one that was killed does not, and runs again.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import optuna
from optuna.pruners import MedianPruner
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, Trial, TrialState

from sslbench.contract.errors import InputError
from sslbench.contract.identity import digest, named_seed
from sslbench.contract.settings import Budget, Declared, TunedArm, configure, declared
from sslbench.stores.storage import name_value, open_storage
from sslbench.stores.tracker import Tracker
from sslbench.tuning.arms import Arm, Stretch

#: Trials drawn at random (the first is the suite's own settings) before TPE proposes and the median prunes.
STARTUP = 5

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class News:
    """What happened in a tuning: an arm's trial passed a stretch, or ended.

    Attributes:
        number: of the trial, from 0.
        share: of the trial done.
        ended: None while it goes on, else `completed`, `pruned` or `diverged`.
        best: score of the best completed trial so far; None before there is one.
    """

    arm: str
    number: int
    share: float
    score: float
    ended: str | None
    best: float | None


class ArmStudy:
    """One arm's Optuna study, whose finished trials are numbered from 0 whatever was interrupted in between."""

    def __init__(self, suite: str, arm: Arm, budget: Budget, storage: str) -> None:
        self.suite, self.arm, self.budget = suite, arm, budget
        self.ranges = declared(arm.config)
        # More trials of the same study go on where fewer ended.
        self.terms = {name: value for name, value in dataclasses.asdict(budget).items() if name != "trials"}
        ranges = {name: item.range for name, item in self.ranges.items()}
        definition = {"budget": self.terms, "config": arm.config, "ranges": ranges}
        self.name = f"{suite}/tune/{arm.name}/{digest(definition)[:8]}"
        self.tags = {"suite": suite, "study": self.name, "pretext": arm.name}
        self.study = optuna.create_study(
            storage=open_storage(storage),
            study_name=self.name,
            direction="maximize",
            pruner=MedianPruner(n_startup_trials=STARTUP),
            load_if_exists=True,
        )
        name_value(self.study, budget.criterion)

    def ended(self) -> list[FrozenTrial]:
        """Every trial that was not interrupted, in order; another tuning may have asked for more than this one."""
        return sorted(self.study.get_trials(deepcopy=False, states=FINISHED), key=lambda trial: trial.number)

    def finished(self) -> list[FrozenTrial]:
        """Trials that count, in order, as many as the budget has."""
        return self.ended()[: self.budget.trials]

    def winner(self) -> FrozenTrial | None:
        """The completed trial with the best score, the earliest of equals; None before there is one."""
        completed = [trial for trial in self.finished() if trial.state == TrialState.COMPLETE]
        return max(completed, key=lambda trial: (trial.values[0], -trial.number), default=None)

    def settle(self) -> None:
        """Give up the trials of a process that died; call only while no other tunes."""
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self.study.tell(trial.number, state=TrialState.FAIL)

    def open_run(self, tracker: Tracker) -> str:
        """The arm's run in MLflow, opened again if an interrupted tuning left one; returns its id."""
        tags = {"kind": "tune", **self.tags}
        return tracker.reopen(tags) or tracker.start(self.arm.name, tags, self.terms)

    def run_next(self, tracker: Tracker, parent: str, show: Callable[[News], None]) -> None:
        """Run the next trial, below `parent`: the suite's own settings first, then what the sampler proposes."""
        number = len(self.finished())
        seed = named_seed("tuning sampler", self.suite, self.arm.name, self.budget.seed, number) % 2**32
        self.study.sampler = TPESampler(n_startup_trials=STARTUP, seed=seed, constant_liar=False)
        if number == 0 and not self.study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            self.study.enqueue_trial({name: item.start for name, item in self.ranges.items()})

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self.study.optimize(lambda trial: self._try(trial, number, tracker, parent, show), n_trials=1)

    def _try(self, trial: Trial, number: int, tracker: Tracker, parent: str, show: Callable[[News], None]) -> float:
        settings = {name: suggest(trial, name, item) for name, item in self.ranges.items()}
        config = configure(self.arm.config, settings, f"arm {self.arm.name!r}")
        tags = {"kind": "trial", **self.tags, "trial": str(number)}
        run_id = tracker.start(f"{self.arm.name} trial {number}", tags, settings, parent)
        last, ended = Stretch(0.0, math.nan, 0.0, 0, 0.0), "completed"
        for step, last in enumerate(self.arm.stretches(config), start=1):
            if math.isnan(last.score):
                ended = "diverged"
                break
            trial.report(last.score, step)
            tracker.log_points(run_id, [(step, {"score": last.score, "share": last.share})])
            show(self._news(number, last, None))
            if last.share < 1 and trial.should_prune():
                ended = "pruned"
                break
        cost = {"seconds": last.seconds, "samples": last.samples, "flops": last.flops}
        for name, value in {**cost, "ended": ended}.items():
            trial.set_user_attr(name, value)
        tracker.finish(run_id, cost, {"ended": ended})
        show(self._news(number, last, ended))
        if ended != "completed":
            raise optuna.TrialPruned
        return last.score

    def _news(self, number: int, last: Stretch, ended: str | None) -> News:
        """What to tell of the trial that runs, or that just ended and is not among the finished ones yet."""
        best = self.winner()
        scores = ([] if best is None else [best.values[0]]) + ([last.score] if ended == "completed" else [])
        return News(self.arm.name, number, last.share, last.score, ended, max(scores, default=None))

    def result(self) -> TunedArm:
        """What the finished trials found and cost.

        Raises:
            InputError: no trial was completed.
        """
        trials, winner = self.finished(), self.winner()
        if winner is None:
            raise InputError(f"no trial of {self.arm.name!r} was completed; allow more than {len(trials)} trials")
        first = trials[0]
        return TunedArm(
            settings={name: winner.params[name] for name in sorted(self.ranges)},
            score=winner.values[0],
            default_score=first.values[0] if first.state == TrialState.COMPLETE else None,
            trial=[trial.number for trial in trials].index(winner.number),
            trials=len(trials),
            completed=sum(trial.state == TrialState.COMPLETE for trial in trials),
            epochs=self.budget.epochs,
            seconds=sum(trial.user_attrs["seconds"] for trial in trials),
            samples=sum(trial.user_attrs["samples"] for trial in trials),
            flops=sum(trial.user_attrs["flops"] for trial in trials),
        )


def suggest(trial: Trial, name: str, item: Declared) -> float | int:
    """A value of a declared range."""
    low, high = item.range.low, item.range.high
    if item.whole:
        return trial.suggest_int(name, int(low), int(high), log=item.range.log)
    return trial.suggest_float(name, low, high, log=item.range.log)
