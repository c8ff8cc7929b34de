"""How many labels pretraining saves: label multiplier and crossover (Newell & Deng 2020, arXiv:2003.14323)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from sslbench.report.scores.evaluations import ROW_KEY
from sslbench.report.scores.layout import Peers
from sslbench.report.scores.replicates import Replicate
from sslbench.report.scores.rows import Floats, Row
from sslbench.report.statistics.crossing import Crossing, Where, crossing
from sslbench.report.statistics.image_noise import image_spread
from sslbench.report.statistics.spread import ROUNDING, estimate

REACHED = "reached"
BETWEEN = "between two budgets"
BEYOND = "more than the data holds"
BELOW = "fewer than the smallest budget"

OVERTAKEN = "overtaken"
OVERTAKEN_BETWEEN = "overtaken between two budgets"
NEVER_OVERTAKEN = "never overtaken"
NEVER_AHEAD = "never ahead"
NO_SINGLE = "no single crossover"

ONE_SEED = "one seed: no interval"
ONE_BUDGET = "one label budget: no curve"
NO_SEED = "no seed has every label budget"
GROWING = "pretraining gains on training from scratch as labels grow, or they take turns"

MULTIPLIER_COLUMNS = (
    *(*ROW_KEY, "label_fraction", "num_labels", "accuracy"),
    *("multiplier", "low", "high", "outcome", "least", "most", "n", "reason"),
)
CROSSOVER_COLUMNS = (
    *(*ROW_KEY, "label_fraction", "low", "high", "outcome", "least", "most"),
    *("sign_changes", "n", "reason"),
)

_OUTCOMES = {Where.WITHIN: REACHED, Where.BETWEEN: BETWEEN, Where.BEYOND: BEYOND, Where.BELOW: BELOW}


def multipliers(compared: Iterable[Peers]) -> pd.DataFrame:
    """How many times more labels training from scratch needs to be as accurate: one line per row and label fraction.

    The budget at which the `supervised` curve, made monotone and interpolated linearly on the log-label axis between
    budgets at most a factor of 3 apart, reaches the accuracy of the row at this fraction, over this fraction's labels.
    Estimator, interval (which pairs by seed) and why the curve is made monotone: `crossing`. 2.0 means half the labels
    are saved.

    Returns:
        Columns `MULTIPLIER_COLUMNS`. `outcome` is `reached`; or `more than the data holds` where `supervised` is
        below even with its largest budget; or `fewer than the smallest budget` where it is above already with its
        smallest; or `between two budgets` too far apart: then `multiplier` is NaN and lies between `least` and `most`,
        which are 0 and infinite where no budget was run. `low` is 0 and `high` infinite where the data does not bound
        them; both are NaN for one seed, and `reason` says so. `n` counts seeds that have the row's fraction and
        every budget of `supervised`.
    """
    lines = [
        (
            *(*row.key, fraction, row.labels(fraction), estimate(row.scores(fraction).values()).mean),
            *_multiplier(peers.supervised, row, fraction),
        )
        for peers in compared
        for row in peers.rows
        for fraction in row.fractions
    ]
    return pd.DataFrame(lines, columns=list(MULTIPLIER_COLUMNS))


def seed_multipliers(compared: Iterable[Peers]) -> pd.DataFrame:
    """The frame of `multipliers` for every repetition alone, one after another; no statistics, so no intervals."""
    peers = list(compared)
    replicates = sorted({replicate for each in peers for replicate in each.supervised.replicates})
    parts = [multipliers(_alone(each, replicate) for each in peers) for replicate in replicates]
    return pd.concat(parts, ignore_index=True) if parts else multipliers([])


def _alone(peers: Peers, replicate: Replicate) -> Peers:
    """What one repetition alone shows."""

    def kept(row: Row) -> Row:
        runs = {at: tuple(run for run in runs if run.replicate == replicate) for at, runs in row.runs.items()}
        return replace(row, runs={at: some for at, some in runs.items() if some}, answers={})

    return Peers(kept(peers.supervised), tuple(map(kept, peers.rows)))


def crossovers(compared: Iterable[Peers]) -> pd.DataFrame:
    """From which label fraction on training from scratch is ahead: one line per row.

    Where the paired difference `supervised - row`, made monotone and interpolated as for `multipliers`, passes zero;
    estimator and interval: `crossing`. Monotone, because a crossover supposes that the advantage of pretraining
    shrinks as labels grow; `sign_changes` counts how often the raw means disagree on who is ahead, more than one
    being a sign that it does not.

    Returns:
        Columns `CROSSOVER_COLUMNS`. `outcome` is `overtaken` at `label_fraction`; else that is NaN, and the row is
        `overtaken between two budgets`, `least` and `most`, or its mean is `never overtaken` or `never ahead` at any
        fraction, or there is `no single crossover`, because it is ahead with more labels rather than with fewer. `low`
        is 0 and `high` infinite where the data does not bound them; both are NaN for one seed and without a single
        crossover.
    """
    lines = [(*row.key, *_crossover(row, peers.supervised)) for peers in compared for row in peers.rows]
    return pd.DataFrame(lines, columns=list(CROSSOVER_COLUMNS))


Budgets = Sequence[tuple[float, float]]  # pairs of label fractions: of `supervised`, and of the row


def _gaps(supervised: Row, row: Row, budgets: Budgets) -> Floats:
    """`(seeds, budgets)` accuracy of `supervised` minus that of the row, of the seeds that have all of it."""
    scores = [(supervised.scores(theirs), row.scores(ours)) for theirs, ours in budgets]
    shared = [one for one in supervised.replicates if one in row.replicates]
    complete = [one for one in shared if all(one in theirs and one in ours for theirs, ours in scores)]
    gaps = np.array([[theirs[one] - ours[one] for theirs, ours in scores] for one in complete], dtype=np.float64)
    return gaps.reshape(len(complete), len(budgets))


def _images(supervised: Row, row: Row, budgets: Budgets) -> Floats | None:
    """What the test inputs leave open of these gaps, as `crossing` takes it."""
    gaps = []
    for theirs, ours in budgets:
        scratch, pretrained = supervised.right(theirs), row.right(ours)
        shared = scratch.keys() & pretrained.keys()
        gaps.append({each: np.subtract(scratch[each], pretrained[each], dtype=np.float64) for each in shared})
    return image_spread(gaps)


def _multiplier(supervised: Row, row: Row, fraction: float) -> tuple[object, ...]:
    """Multiplier, low, high, outcome, least, most, n, reason."""
    budgets = [(at, fraction) for at in supervised.fractions]
    gaps = _gaps(supervised, row, budgets)
    if not len(gaps):
        return math.nan, math.nan, math.nan, "", math.nan, math.nan, 0, NO_SEED
    found = crossing(np.log(supervised.num_labels / row.labels(fraction)), gaps, _images(supervised, row, budgets))
    return (*_places(found, _OUTCOMES[found.where]), found.n, _reason(found))


def _crossover(row: Row, supervised: Row) -> tuple[object, ...]:
    """Label fraction, low, high, outcome, least, most, sign changes, n, reason."""
    fractions = [at for at in supervised.fractions if at in row.fractions]
    budgets = [(at, at) for at in fractions]
    gaps = _gaps(supervised, row, budgets)
    if len(fractions) < 2 or not len(gaps):
        reason = NO_SEED if len(fractions) >= 2 else ONE_BUDGET
        return math.nan, math.nan, math.nan, "", math.nan, math.nan, 0, len(gaps), reason
    means = gaps.mean(axis=0)
    signs = np.sign(means[np.abs(means) > ROUNDING])
    changes = int((np.diff(signs) != 0).sum())
    ahead, behind = -1 in signs, 1 in signs
    found = crossing(np.log(np.array(fractions)), gaps, _images(supervised, row, budgets))
    if not ahead or not behind:
        return (*_places(found, NEVER_OVERTAKEN if ahead else NEVER_AHEAD), changes, found.n, _reason(found))
    if found.where in (Where.BELOW, Where.BEYOND):
        return math.nan, math.nan, math.nan, NO_SINGLE, math.nan, math.nan, changes, found.n, GROWING
    overtaken = OVERTAKEN if found.where is Where.WITHIN else OVERTAKEN_BETWEEN
    return (*_places(found, overtaken), changes, found.n, _reason(found))


def _places(found: Crossing, outcome: str) -> tuple[object, ...]:
    """Position, low, high, outcome, least, most, as multiples; the position is NaN where the outcome is another."""
    position = found.position if outcome in (REACHED, OVERTAKEN) else math.nan
    low, high, least, most = (math.exp(place) for place in (found.low, found.high, found.least, found.most))
    return math.exp(position), low, high, outcome, least, most


def _reason(found: Crossing) -> str:
    return ONE_SEED if found.n == 1 else ""
