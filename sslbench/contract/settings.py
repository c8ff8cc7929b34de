"""Settings by name: checked against a config, declared for Optuna, and the file that keeps what tuning found.

`sslbench tune SUITE` writes `settings/<suite>.json` beside the suite's file; a suite uses such a file by naming it
(`Suite(settings_file="settings/quick_tuned.json")`). The file is sorted and indented JSON, so git shows what changed:

* `suite`, `sslbench_version`, `git_commit`: what was tuned, and with what.
* `budget`: what every arm was given, the same for each, and which label budgets the winners are meant for: the fields
  of `Budget`.
* `arms`: by pretext; `supervised` holds the settings of protocol `finetune`. The fields of `TunedArm`: the winning
  settings, how good they were, and what all trials of the arm cost together. A reader adds `seconds`, `samples` and
  `flops` of an arm to the cost of its rows: without them tuning would look free.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sslbench.contract.files import replace_file
from sslbench.contract.spec import REFERENCE_PROTOCOLS, Checked, InputError, Range, Suite

if TYPE_CHECKING:  # `schema` says why
    from sslbench.contract.schema import Amount, Count, Epochs, Fraction, InstanceOf, Line, Name, Seed, Size, Whole


@dataclass(frozen=True)
class Declared:
    """A hyper-parameter declared with `tuned(...)`: its value now and where Optuna may look."""

    value: float | int
    range: Range

    @property
    def start(self) -> float | int:
        """The value now, or the nearest in the range: no weight decay at all has no place on a log scale."""
        return type(self.value)(min(max(self.value, self.range.low), self.range.high))

    @property
    def whole(self) -> bool:
        """Whether only whole numbers make sense."""
        return isinstance(self.value, int)


@dataclass(frozen=True)
class Budget(Checked):
    """What every arm of a tuning was given.

    Attributes:
        criterion: the selection rule.
        fraction: share of the training labels that the rule may see, `num_labels` of them; a subset of its own.
        trials: finished trials per arm, pruned and diverged ones included.
        epochs: length of an unpruned trial: passes over the unlabelled inputs, or for `supervised` the same share of
            the optimiser steps that the suite gives it (every fold of the cross-validation is trained that long).
        num_unlabelled: how many inputs a pretraining sees; None means all.
        seed: of the draws of Optuna, of the labels and of every training.
        serves_from, serves_to: label budgets that the winners are meant for. Fewer labels than the rule saw would be
            credited with more; with many more, other settings may be better.
    """

    dataset: Line
    pretrain_dataset: Line
    encoder: Name
    latent_dim: Size
    criterion: Name
    fraction: Fraction
    num_labels: Count
    trials: Count
    epochs: Epochs
    num_unlabelled: Count | None
    seed: Seed
    serves_from: Count
    serves_to: Count


@dataclass(frozen=True)
class TunedArm(Checked):
    """What tuning found for one pretext or for `supervised`, and what it cost.

    Attributes:
        settings: dotted field names to the winning values.
        score: of the winner, in the criterion's unit (accuracy in [0, 1], or an effective rank).
        default_score: of the suite's own settings (moved into their ranges), which every arm tries first; None if
            that trial diverged.
        trial: number of the winning trial among the arm's finished ones, from 0; None if that is not kept, as beside
            published records, which keep no `epochs` either.
        trials: finished ones: `completed`, and pruned or diverged early.
        seconds, samples, flops: of all these trials together, judging included in the seconds; what was interrupted
            and run again is not counted twice.
        pretext: or `supervised`; a settings file names arms by it and leaves it out of them, as it does `criterion`.
        criterion: what the score is, in words.
        serves_from, serves_to: as of `Budget`; None where that is not kept.
    """

    settings: Mapping[Line, float | int]
    score: float
    default_score: float | None
    trial: Whole | None
    trials: Count
    completed: Whole
    epochs: Amount | None
    seconds: Amount
    samples: Whole
    flops: Amount
    pretext: str = ""
    criterion: str = ""
    serves_from: Count | None = None
    serves_to: Count | None = None

    def serves(self, num_labels: int) -> bool:
        """Whether its settings are meant for a budget of so many labels; for any where that is not kept."""
        return (self.serves_from or 0) <= num_labels and (self.serves_to is None or num_labels <= self.serves_to)


@dataclass(frozen=True)
class Tuning(Checked):
    """A settings file."""

    suite: Name
    sslbench_version: Line
    git_commit: Line
    budget: Budget
    arms: Mapping[Name, InstanceOf[TunedArm]] = field(default_factory=dict)

    def published(self) -> tuple[TunedArm, ...]:
        """The arms by name, each with its pretext, its criterion in words and whom it serves: what reports show."""
        budget = self.budget
        criterion = f"{budget.criterion} with {100 * budget.fraction:g}% of the labels"
        return tuple(
            dataclasses.replace(
                arm,
                pretext=pretext,
                criterion=criterion,
                serves_from=budget.serves_from,
                serves_to=budget.serves_to,
            )
            for pretext, arm in sorted(self.arms.items())
        )


def declared(config: Any) -> dict[str, Declared]:
    """Every hyper-parameter of a (nested) config that has a range, by dotted name, in the order of declaration."""
    found: dict[str, Declared] = {}
    for item in dataclasses.fields(config):
        value = vars(config)[item.name]
        if dataclasses.is_dataclass(value):
            found.update({f"{item.name}.{name}": inner for name, inner in declared(value).items()})
        elif "tuned" in item.metadata:
            found[item.name] = Declared(value, item.metadata["tuned"])
    return found


def configure(config: Any, overrides: Mapping[str, Any], owner: str) -> Any:
    """Replace fields of a (nested) frozen config by dotted name.

    Raises:
        InputError: a name is not a field (the message lists the fields), or a value is not what its field declares.
    """
    from sslbench.contract.schema import checked, hints

    kinds = hints(config.__class__)
    changes: dict[str, Any] = {}
    nested: dict[str, dict[str, Any]] = {}
    for path, value in overrides.items():
        head, _, rest = path.partition(".")
        if head not in kinds:
            raise InputError(f"unknown setting {path!r} of {owner}; choose one of {', '.join(sorted(kinds))}")
        if not rest:
            changes[head] = checked(kinds[head], value, f"setting {path!r} of {owner}")
        elif dataclasses.is_dataclass(vars(config)[head]):
            nested.setdefault(head, {})[rest] = value
        else:
            raise InputError(f"setting {path!r} of {owner}: {head!r} has no fields of its own")
    for head, inner in nested.items():
        changes[head] = configure(changes.get(head, vars(config)[head]), inner, f"{owner}.{head}")
    return dataclasses.replace(config, **changes)


def owner_of(arm: str) -> str:
    """Whose settings an arm's are: a pretext's its own, those of `supervised` the protocol `finetune`'s."""
    return REFERENCE_PROTOCOLS.get(arm, arm)


def with_tuning(suite: Suite, tuning: Tuning) -> Suite:
    """The suite with the tuned settings added to its own.

    Raises:
        InputError: both set the same field: one of them would be ignored.
    """
    settings = {owner: dict(values) for owner, values in suite.settings.items()}
    for arm, found in tuning.arms.items():
        own = settings.setdefault(owner_of(arm), {})
        twice = sorted(own.keys() & found.settings.keys())
        if twice:
            raise InputError(
                f"suite {suite.name!r} and its settings file {suite.settings_file!r} both set {twice[0]!r} of "
                f"{owner_of(arm)!r}; keep one"
            )
        own.update(found.settings)
    return dataclasses.replace(suite, settings=settings)


def write_tuning(tuning: Tuning, path: Path) -> None:
    """Write a settings file, replacing it whole.

    Raises:
        InputError: the folder cannot be written.
    """
    content = dataclasses.asdict(tuning)
    for arm in content["arms"].values():
        for said_by_budget in ("pretext", "criterion", "serves_from", "serves_to"):
            del arm[said_by_budget]
    replace_file(path, json.dumps(content, indent=2, sort_keys=True) + "\n")


def read_tuning(path: Path) -> Tuning:
    """Read what `write_tuning` wrote.

    Raises:
        InputError: no such file, or it is not a settings file.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        arms = {name: TunedArm(**arm) for name, arm in content.pop("arms").items()}
        return Tuning(**{**content, "budget": Budget(**content["budget"]), "arms": arms})
    except FileNotFoundError as error:
        raise InputError(f"no settings file {path}; `sslbench tune` writes one") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = error if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        raise InputError(f"{path} is not a settings file: {reason}") from error
