"""How many labels pretraining saves: label multiplier and crossover."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from sslbench.report.scores.evaluations import ROW_KEY
from sslbench.report.scores.layout import Peers
from sslbench.report.scores.replicates import Scores
from sslbench.report.scores.rows import Floats, Row
from sslbench.report.statistics.crossing import Crossing, Where, crossing
from sslbench.report.statistics.spread import ROUNDING, estimate

REACHED = "reached"
BEYOND = "more than the data holds"
BELOW = "fewer than the smallest budget"

OVERTAKEN = "overtaken"
NEVER_OVERTAKEN = "never overtaken"
NEVER_AHEAD = "never ahead"
NO_SINGLE = "no single crossover"

ONE_SEED = "one seed: no interval"
ONE_BUDGET = "one label budget: no curve"
NO_SEED = "no seed has every label budget"
GROWING = "pretraining gains on training from scratch as labels grow, or they take turns"

MULTIPLIER_COLUMNS = (
    *(*ROW_KEY, "label_fraction", "num_labels", "accuracy"),
    *("multiplier", "low", "high", "outcome", "bound", "n", "reason"),
)
CROSSOVER_COLUMNS = (*ROW_KEY, "label_fraction", "low", "high", "outcome", "sign_changes", "n", "reason")


class Curves(NamedTuple):
    """A row and `supervised` where both were run, with the seeds that have all of it.

    Attributes:
        fractions: label fractions of the columns.
        num_labels: `(fractions,)`.
        row: `(seeds, fractions)` test accuracy, as is `supervised`.
    """

    fractions: tuple[float, ...]
    num_labels: Floats
    row: Floats
    supervised: Floats


def multipliers(compared: Iterable[Peers]) -> pd.DataFrame:
    """How many times more labels training from scratch needs to be as accurate: one line per row and label fraction.

    The budget at which the `supervised` curve, interpolated linearly on the log-label axis and made monotone, reaches
    the accuracy of the row at this fraction, over this fraction's labels. Estimator, interval (which pairs by seed)
    and why the curve is made monotone: `crossing`. 2.0 means half the labels are saved.

    Returns:
        Columns `MULTIPLIER_COLUMNS`. `outcome` is `reached`; or `more than the data holds` where `supervised` is
        below even with its largest budget; or `fewer than the smallest budget` where it is above already with its
        smallest: then `multiplier` is NaN and lies above or below `bound`. `low` is 0 and `high` infinite where the
        data does not bound them; both are NaN for one seed, and `reason` says so. `n` counts seeds that have
        the row's fraction and every budget of `supervised`.
    """
    lines = [
        (
            *(*row.key, fraction, row.labels(fraction), estimate(row.scores(fraction).values()).mean),
            *_multiplier(peers.supervised, row.scores(fraction), row.labels(fraction)),
        )
        for peers in compared
        for row in peers.rows
        for fraction in row.fractions
    ]
    return pd.DataFrame(lines, columns=list(MULTIPLIER_COLUMNS))


def crossovers(compared: Iterable[Peers]) -> pd.DataFrame:
    """From which label fraction on training from scratch is ahead: one line per row.

    Where the paired difference `supervised - row`, interpolated on the log-label axis and made monotone, passes zero;
    estimator and interval: `crossing`. Monotone, because a crossover supposes that the advantage of pretraining
    shrinks as labels grow; `sign_changes` counts how often the raw means disagree on who is ahead, more than one
    being a sign that it does not.

    Returns:
        Columns `CROSSOVER_COLUMNS`. `outcome` is `overtaken` at `label_fraction`; else that is NaN, and the row's
        mean is `never overtaken` or `never ahead` at any fraction, or there is `no single crossover`, because it is
        ahead with more labels rather than with fewer. `low` is 0 and `high` infinite where the data does not bound
        them; both are NaN for one seed and without a single crossover.
    """
    lines = [(*row.key, *_crossover(common_curves(row, peers.supervised))) for peers in compared for row in peers.rows]
    return pd.DataFrame(lines, columns=list(CROSSOVER_COLUMNS))


def common_curves(row: Row, supervised: Row) -> Curves:
    """Both rows at the fractions that both were run at, and the seeds that have all of them; maybe none."""
    fractions = tuple(fraction for fraction in supervised.fractions if fraction in row.fractions)
    shared = [replicate for replicate in supervised.replicates if replicate in row.replicates]
    ours, theirs = (
        one.test[np.ix_([one.replicates.index(seed) for seed in shared], [one.fractions.index(at) for at in fractions])]
        for one in (row, supervised)
    )
    complete = np.flatnonzero(np.isfinite(ours - theirs).all(axis=1))
    columns = [supervised.fractions.index(fraction) for fraction in fractions]
    return Curves(fractions, supervised.num_labels[columns], ours[complete], theirs[complete])


def _multiplier(supervised: Row, accuracies: Scores, labels: float) -> tuple[object, ...]:
    """Multiplier, low, high, outcome, bound, n, reason."""
    complete = set(np.flatnonzero(np.isfinite(supervised.test).all(axis=1)).tolist())
    shared = [
        (line, accuracies[replicate])
        for line, replicate in enumerate(supervised.replicates)
        if line in complete and replicate in accuracies
    ]
    if not shared:
        return math.nan, math.nan, math.nan, "", math.nan, 0, NO_SEED
    gaps = supervised.test[[line for line, _ in shared]] - np.array([score for _, score in shared])[:, None]
    axis = np.log(supervised.num_labels / labels)
    found = crossing(axis, gaps)
    outcomes = {Where.WITHIN: REACHED, Where.BEYOND: BEYOND, Where.BELOW: BELOW}
    bounds = {Where.WITHIN: math.nan, Where.BEYOND: math.exp(axis[-1]), Where.BELOW: math.exp(axis[0])}
    low, high = math.exp(found.low), math.exp(found.high)
    return math.exp(found.position), low, high, outcomes[found.where], bounds[found.where], found.n, _reason(found)


def _crossover(curves: Curves) -> tuple[object, ...]:
    """Label fraction, low, high, outcome, sign changes, n, reason."""
    if len(curves.fractions) < 2 or not len(curves.row):
        reason = NO_SEED if len(curves.fractions) >= 2 else ONE_BUDGET
        return math.nan, math.nan, math.nan, "", 0, len(curves.row), reason
    gaps = curves.supervised - curves.row
    means = gaps.mean(axis=0)
    ahead, behind = bool((means < -ROUNDING).any()), bool((means > ROUNDING).any())
    found = crossing(np.log(np.array(curves.fractions)), gaps)
    signs = np.sign(means[np.abs(means) > ROUNDING])
    changes = int((np.diff(signs) != 0).sum())
    low, high = math.exp(found.low), math.exp(found.high)
    if not ahead or not behind:
        outcome = NEVER_OVERTAKEN if ahead else NEVER_AHEAD
        return math.nan, low, high, outcome, changes, found.n, _reason(found)
    if found.where is not Where.WITHIN:
        return math.nan, math.nan, math.nan, NO_SINGLE, changes, found.n, GROWING
    return math.exp(found.position), low, high, OVERTAKEN, changes, found.n, _reason(found)


def _reason(found: Crossing) -> str:
    return ONE_SEED if found.n == 1 else ""
