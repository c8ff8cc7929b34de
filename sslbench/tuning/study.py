"""One arm's trials: an Optuna study that goes on after an interruption as if there had been none.

TPE with median pruning. Trials of an arm run one after the other, and what is random in trial k follows from names and
k alone: a study that was interrupted and goes on asks the same questions, and finds the same winner, as one that was
not. A trial that is pruned or diverges counts like any other; one that was killed does not, and runs again.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import optuna
from optuna.pruners import MedianPruner
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, Trial, TrialState

from sslbench.contract.identity import digest, named_seed
from sslbench.contract.settings import Budget, Declared, TunedArm, configure, declared
from sslbench.contract.spec import InputError
from sslbench.stores.queue import open_storage
from sslbench.stores.trials import TuningRuns
from sslbench.tuning.arms import Arm, Diverged, Stretch

#: Trials drawn at random (the first is the suite's own settings) before TPE proposes and the median prunes.
STARTUP = 5

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class News:
    """What happened in a tuning: an arm's trial passed a stretch, or ended.

    Attributes:
        number: of the trial, from 0; `trials` are to be done.
        share: of the trial done.
        ended: None while it goes on, else `completed`, `pruned` or `diverged`.
        best: score of the best completed trial so far; None before there is one.
    """

    arm: str
    number: int
    trials: int
    share: float
    score: float
    ended: str | None
    best: float | None


class ArmStudy:
    """One arm's Optuna study, whose finished trials are numbered from 0 whatever was interrupted in between."""

    def __init__(self, suite: str, arm: Arm, budget: Budget, storage: str) -> None:
        self.suite, self.arm, self.budget = suite, arm, budget
        self.ranges = declared(arm.config)
        definition = {
            # More trials of the same study go on where fewer ended.
            "budget": {name: value for name, value in dataclasses.asdict(budget).items() if name != "trials"},
            "config": arm.config,
            "ranges": {name: item.range for name, item in self.ranges.items()},
        }
        self.name = f"{suite}/tune/{arm.name}/{digest(definition)[:8]}"
        self.study = optuna.create_study(
            storage=open_storage(storage),
            study_name=self.name,
            direction="maximize",
            pruner=MedianPruner(n_startup_trials=STARTUP),
            load_if_exists=True,
        )

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

    def run_next(self, runs: TuningRuns, parent: str, show: Callable[[News], None]) -> None:
        """Run the next trial: the suite's own settings first, then what the sampler proposes."""
        number = len(self.finished())
        seed = named_seed("tuning sampler", self.suite, self.arm.name, self.budget.seed, number) % 2**32
        self.study.sampler = TPESampler(n_startup_trials=STARTUP, seed=seed, constant_liar=False)
        if number == 0 and not self.study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            self.study.enqueue_trial({name: item.start for name, item in self.ranges.items()})

        def objective(trial: Trial) -> float:
            return self._try(trial, number, runs, parent, show)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self.study.optimize(objective, n_trials=1)

    def _try(self, trial: Trial, number: int, runs: TuningRuns, parent: str, show: Callable[[News], None]) -> float:
        settings = {name: suggest(trial, name, item) for name, item in self.ranges.items()}
        config = configure(self.arm.config, settings, f"arm {self.arm.name!r}")
        run_id = runs.open_trial(parent, self.name, self.arm.name, number, settings)
        best = self.winner()
        last, ended = Stretch(0.0, float("nan"), 0.0, 0, 0.0), "completed"

        def tell(ended: str | None) -> None:
            scores = [] if best is None else [best.values[0]]
            scores += [last.score] if ended == "completed" else []
            top = max(scores, default=None)
            show(News(self.arm.name, number, self.budget.trials, last.share, last.score, ended, top))

        try:
            for step, last in enumerate(self.arm.stretches(config), start=1):
                trial.report(last.score, step)
                runs.log_point(run_id, step, {"score": last.score, "share": last.share})
                tell(None)
                if last.share < 1 and trial.should_prune():
                    ended = "pruned"
                    break
        except Diverged as error:
            last, ended = (
                dataclasses.replace(last, seconds=error.seconds, samples=error.samples, flops=error.flops),
                "diverged",
            )
        cost = {"seconds": last.seconds, "samples": last.samples, "flops": last.flops}
        for name, value in {**cost, "ended": ended}.items():
            trial.set_user_attr(name, value)
        runs.close(run_id, {name: float(value) for name, value in cost.items()}, {"ended": ended})
        tell(ended)
        if ended != "completed":
            raise optuna.TrialPruned
        return last.score

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
