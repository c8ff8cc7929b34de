"""Two results side by side: which cells changed by more than their interval, and whether that can be chance.

Cells that share at least two replicates are compared pair by pair (paired t-test); others by Welch's test (Welch
1947, Biometrika 34), which supposes neither equal spread nor equal numbers. P-values are corrected over all cells
compared. A cell changed if that stays significant at 5%; it lies outside its interval if its own 95% interval of the
difference leaves out zero, which one of twenty unchanged cells does.

Where both sides stored their answers, every pair of evaluations of a cell is also compared input by input, by
McNemar's exact test (McNemar 1947, Psychometrika 12) on the inputs that one side alone answers rightly. It knows the
noise of the test inputs and not that of the training: another course of the same training may differ by it too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
import pandas as pd
from scipy import stats

from sslbench.contract.errors import InputError
from sslbench.contract.titles import protocol_rank
from sslbench.report.attachments.predictions import Answers
from sslbench.report.records import pretext_rank
from sslbench.report.scores.layout import lay_out
from sslbench.report.scores.rows import Row, Subject
from sslbench.report.statistics.spread import (
    CONFIDENCE,
    ROUNDING,
    SIGNIFICANCE,
    Estimate,
    estimate,
    holm,
    paired_difference,
    paired_p_value,
)


@dataclass(frozen=True)
class Side:
    """One of two results: how it was asked for, its records, and which test inputs were answered rightly."""

    name: str
    records: pd.DataFrame
    answers: Answers = field(default_factory=dict)


class Procedure(StrEnum):
    """How a cell was compared."""

    PAIRED = "paired"
    WELCH = "Welch"
    NONE = "one seed"


@dataclass(frozen=True)
class Disagreement:
    """The answers of one cell in both results, evaluation by evaluation of the same replicate.

    Attributes:
        images: answers compared, of all evaluations together.
        only_first, only_second: those of them that are right on one side alone.
        p_values: of McNemar's test, one per pair of evaluations.
        p_holm: the smallest of them, corrected over all pairs of all cells; NaN before that.
    """

    images: int
    only_first: int
    only_second: int
    p_values: tuple[float, ...]
    p_holm: float = math.nan

    @property
    def differing(self) -> int:
        """Answers that are right on one side alone."""
        return self.only_first + self.only_second

    @property
    def significant(self) -> bool:
        """Whether any pair of evaluations differs by more than the noise of the test inputs, after correction."""
        return self.p_holm < SIGNIFICANCE


@dataclass(frozen=True)
class Change:
    """One cell in both results; accuracies as shares in [0, 1].

    Attributes:
        difference: second minus first, over pairs or as means; no half-width where a test is not possible.
        p_value: NaN where a test is not possible, as is `p_holm`, which is corrected over all cells.
        answers: the same input by input; None where a side did not store them.
    """

    name: Subject
    first: Estimate
    second: Estimate
    difference: Estimate
    procedure: Procedure
    p_value: float
    p_holm: float = math.nan
    answers: Disagreement | None = None

    @property
    def outside(self) -> bool:
        """Whether the difference exceeds its interval; without an interval, whether there is any."""
        reach = 0.0 if math.isnan(self.difference.half_width) else self.difference.half_width
        return abs(self.difference.mean) > max(reach, ROUNDING)

    @property
    def changed(self) -> bool:
        """Whether it is significant after correction."""
        return self.p_holm < SIGNIFICANCE


@dataclass(frozen=True)
class Comparison:
    """All cells of two results: those in both, and those in one alone."""

    first: str
    second: str
    changes: tuple[Change, ...]
    only_first: tuple[Subject, ...]
    only_second: tuple[Subject, ...]
    speed: float

    @property
    def changed(self) -> tuple[Change, ...]:
        """The cells that changed."""
        return tuple(change for change in self.changes if change.changed)

    @property
    def outside(self) -> tuple[Change, ...]:
        """The cells outside their own interval, changed or not."""
        return tuple(change for change in self.changes if change.outside)

    @property
    def answered(self) -> tuple[tuple[Change, Disagreement], ...]:
        """The cells that were compared input by input, and how."""
        return tuple((change, change.answers) for change in self.changes if change.answers is not None)


def compare(first: Side, second: Side) -> Comparison:
    """Compare the test accuracies of two results cell by cell.

    Raises:
        InputError: two records of one side claim the same cell, or the two sides share no cell.
    """
    ours, theirs = _cells(first), _cells(second)
    shared = _ordered(ours.keys() & theirs.keys())
    if not shared:
        raise InputError(f"{first.name} and {second.name} have no cell in common: nothing to compare")
    found = [_change(name, ours[name], theirs[name]) for name in shared]
    corrected = holm([change.p_value for change in found])
    alike = _same_inputs(first.records, second.records)
    disagreements = _corrected(
        [_disagreement(name, ours[name], theirs[name]) if name.dataset in alike else None for name in shared]
    )
    return Comparison(
        first.name,
        second.name,
        tuple(
            replace(change, p_holm=p_holm, answers=answers)
            for change, p_holm, answers in zip(found, corrected, disagreements, strict=True)
        ),
        _ordered(ours.keys() - theirs.keys()),
        _ordered(theirs.keys() - ours.keys()),
        _speed(first.records, second.records),
    )


def _ordered(names: Iterable[Subject]) -> tuple[Subject, ...]:
    """In the order of the tables."""
    return tuple(sorted(names, key=_place))


def _place(name: Subject) -> tuple[object, ...]:
    where = name.dataset, name.encoder, name.pretrain_dataset, protocol_rank(name.protocol), name.latent_dim
    return *where, pretext_rank(name.pretext), name.label_fraction


def _cells(side: Side) -> dict[Subject, Row]:
    """The row of every cell, with independent replicates only."""
    try:
        rows = lay_out(side.records, answers=side.answers).rows
    except InputError as error:
        raise InputError(f"{side.name}: {error}") from error
    return {row.subject(fraction): row for row in rows for fraction in row.fractions}


def _change(name: Subject, before: Row, after: Row) -> Change:
    ours, theirs = before.scores(name.label_fraction), after.scores(name.label_fraction)
    first, second = estimate(ours.values()), estimate(theirs.values())
    paired = paired_difference(theirs, ours)
    if paired is not None and paired.n >= 2:
        return Change(name, first, second, paired, Procedure.PAIRED, paired_p_value(paired))
    n = min(first.n, second.n)
    half_width, p_value = welch(list(ours.values()), list(theirs.values())) if n > 1 else (math.nan, math.nan)
    difference = Estimate(second.mean - first.mean, math.nan, n, half_width)
    return Change(name, first, second, difference, Procedure.WELCH if n > 1 else Procedure.NONE, p_value)


def _disagreement(name: Subject, before: Row, after: Row) -> Disagreement | None:
    ours, theirs = before.right(name.label_fraction), after.right(name.label_fraction)
    pairs = [(ours[one], theirs[one]) for one in ours if one in theirs]
    pairs = [(first, second) for first, second in pairs if len(first) == len(second)]  # else the dataset has changed
    if not pairs:
        return None
    counts = [(int(np.greater(*pair).sum()), int(np.less(*pair).sum())) for pair in pairs]  # right on one side alone
    return Disagreement(
        images=sum(len(first) for first, _ in pairs),
        only_first=sum(lost for lost, _ in counts),
        only_second=sum(won for _, won in counts),
        p_values=tuple(mcnemar(*pair) for pair in counts),
    )


def _same_inputs(first: pd.DataFrame, second: pd.DataFrame) -> set[str]:
    """The datasets whose test inputs are the same on both sides: as one version of them has it."""
    ours, theirs = (frame.groupby("dataset")["dataset_version"].unique().map(tuple) for frame in (first, second))
    return {str(name) for name, versions in ours.items() if len(versions) == 1 and versions == theirs.get(name)}


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided p-value of McNemar's exact test, given how many answers are right on one side alone."""
    differing = only_first + only_second
    return float(stats.binomtest(only_first, differing).pvalue) if differing else 1.0


def _corrected(found: Sequence[Disagreement | None]) -> list[Disagreement | None]:
    """With the smallest p-value of each cell, by Holm over all pairs of evaluations."""
    corrected = iter(holm([p_value for one in found if one for p_value in one.p_values]))
    return [one and replace(one, p_holm=min(next(corrected) for _ in one.p_values)) for one in found]


def welch(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """Half-width of the 95% interval of the difference of means, and Welch's two-sided p-value.

    Without spread on either side: (0, 1) if the means are equal, else (0, 0).
    """
    if max(np.ptp(first), np.ptp(second)) < ROUNDING:
        equal = abs(np.mean(first) - np.mean(second)) < ROUNDING
        return 0.0, float(equal)
    found = stats.ttest_ind(second, first, equal_var=False)
    interval = found.confidence_interval(CONFIDENCE)
    return float(interval.high - interval.low) / 2, float(found.pvalue)


def _speed(first: pd.DataFrame, second: pd.DataFrame) -> float:
    """Median ratio of pretraining seconds, second to first, over the pretrainings in both; NaN if there are none."""
    axes = ["dataset", "pretrain_dataset", "encoder", "pretext", "latent_dim", "seed"]
    seconds = [
        frame[frame["pretrain_samples"] > 0].drop_duplicates(axes).set_index(axes)["pretrain_seconds"]
        for frame in (first, second)
    ]
    ratio = (seconds[1] / seconds[0]).dropna()
    return float(ratio.median()) if len(ratio) else math.nan
