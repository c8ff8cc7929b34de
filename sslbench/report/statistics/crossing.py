"""Where a paired gap that grows with the labels passes zero, with an interval: label multiplier and crossover.

Both questions are one: at how many labels does training from scratch reach what pretraining has? Per seed there is a
gap (scratch minus pretraining) at every label budget, and the answer is where its mean passes zero on the log-label
axis. The mean is made monotone first (isotonic regression, pool adjacent violators: Barlow, Bartholomew, Bremner &
Brunk 1972): more labels do not make training from scratch worse, and without it the noise of a few seeds makes a curve
pass the same accuracy several times, so that "the" number of labels would not exist.

The interval inverts the paired t-test (Fieller 1954, J. R. Stat. Soc. B 16): it holds every budget at which the mean
gap, interpolated seed by seed, is not significantly different from zero. Where not even the ends of the measured range
are told apart from zero it is open, which is the honest answer of a curve that is flat, or too noisy, or too short.

Why this: a 95% interval has to cover the truth 95% of the time, at 3 seeds too. Inverting the test does, on simulated
curves like ours (the tests hold them); Student t over per-seed multipliers and the bootstrap over seeds do not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from sslbench.report.statistics.spread import ROUNDING, t_quantile

Floats = NDArray[np.float64]


class Where(StrEnum):
    """Where the mean gap passes zero: before the first budget, within the measured range, or beyond the last."""

    BELOW = "below"
    WITHIN = "within"
    BEYOND = "beyond"


@dataclass(frozen=True)
class Crossing:
    """Where a mean gap passes zero, on the axis it was given.

    Attributes:
        position: NaN unless `where` is `WITHIN`; on a plateau at zero its first point.
        low: lower end of the 95% confidence set; -inf where it reaches below the first budget, NaN for one seed.
        high: upper end; +inf where it reaches beyond the last budget, NaN for one seed.
        n: seeds.
    """

    where: Where
    position: float
    low: float
    high: float
    n: int


def monotone(values: Floats) -> Floats:
    """The closest non-decreasing sequence in least squares."""
    return np.asarray(isotonic_regression(values).x, dtype=np.float64)


def crossing(axis: Floats, gaps: Floats) -> Crossing:
    """Where the mean of `gaps` passes zero from below.

    Args:
        axis: `(k,)` strictly increasing positions, e.g. log labels.
        gaps: `(seeds, k)` paired gaps, without NaN; expected to grow along the axis.

    Raises:
        ValueError: no seeds or no positions.
    """
    seeds, positions = gaps.shape
    if seeds == 0 or positions == 0:
        raise ValueError("a crossing needs at least one seed and one budget")
    raw = gaps.mean(axis=0)
    mean = monotone(raw)
    mean[np.abs(mean) < ROUNDING] = 0.0
    where, position = _zero(axis, mean)
    if seeds == 1:
        return Crossing(where, position, math.nan, math.nan, seeds)
    low, high = _confidence_set(axis, mean, gaps - raw, t_quantile(seeds))
    if where is Where.WITHIN:  # rounding may lose the double root of seeds that agree
        low, high = min(low, position), max(high, position)
    return Crossing(where, position, low, high, seeds)


def _zero(axis: Floats, mean: Floats) -> tuple[Where, float]:
    if mean[0] > 0:
        return Where.BELOW, math.nan
    if mean[-1] < 0:
        return Where.BEYOND, math.nan
    after = int(np.argmax(mean >= 0))
    if mean[after] == 0:
        return Where.WITHIN, float(axis[after])
    share = -mean[after - 1] / (mean[after] - mean[after - 1])
    return Where.WITHIN, float(axis[after - 1] + share * (axis[after] - axis[after - 1]))


def _confidence_set(axis: Floats, mean: Floats, residuals: Floats, quantile: float) -> tuple[float, float]:
    """Ends of the smallest interval holding every position whose mean gap is within `quantile` standard errors of 0.

    Between budgets both the mean and the residuals are interpolated, so the condition is a quadratic inequality in
    the share `w` of the segment: (m + w dm)^2 <= k var(r + w dr).
    """
    seeds = len(residuals)
    squared = quantile**2 / (seeds * (seeds - 1))  # times a sum of squares: the squared half-width
    reach = np.sqrt(squared * np.square(residuals).sum(axis=0)) + ROUNDING
    inside = [float(position) for position in axis[np.abs(mean) <= reach]]
    for index in range(len(axis) - 1):
        left, step = residuals[:, index], residuals[:, index + 1] - residuals[:, index]
        rise = mean[index + 1] - mean[index]
        shares = _roots(
            float(rise**2 - squared * step @ step),
            float(2 * (mean[index] * rise - squared * left @ step)),
            float(mean[index] ** 2 - squared * left @ left),
        )
        width = axis[index + 1] - axis[index]
        inside += [float(axis[index] + share * width) for share in shares if 0 <= share <= 1]
    first, last = float(axis[0]), float(axis[-1])
    low = -math.inf if mean[0] + reach[0] >= 0 else min(inside, default=last)
    high = math.inf if mean[-1] - reach[-1] <= 0 else max(inside, default=first)
    return low, high


def _roots(a: float, b: float, c: float) -> list[float]:
    """Real solutions of a w^2 + b w + c = 0."""
    if abs(a) < ROUNDING**2:
        return [-c / b] if b else []
    discriminant = b * b - 4 * a * c
    if discriminant < 0:
        return []
    far = -(b + math.copysign(math.sqrt(discriminant), b)) / 2  # the sum without cancellation
    return [far / a, c / far] if far else [0.0]
