"""Where a paired gap that grows with the labels passes zero, with an interval: label multiplier and crossover.

Both questions are one: at how many labels does training from scratch reach what pretraining has? Per seed there is a
gap (scratch minus pretraining) at every label budget, and the answer is where its mean passes zero on the log-label
axis. The quantity is the one by which Newell & Deng 2020 (arXiv:2003.14323) define how useful self-supervision is.

The mean is made monotone first (isotonic regression, pool adjacent violators: Barlow, Bartholomew, Bremner & Brunk
1972): more labels do not make training from scratch worse, and without it the noise of a few seeds makes a curve pass
the same accuracy several times, so that "the" number of labels would not exist. Between neighbouring budgets it is
interpolated, but never across more than a factor of `WIDEST` in labels: there the answer is a bound. A power law
a - b n^-c (Viering & Loog 2022, arXiv:2103.10948) would cross wider gaps, but it has a shape of its own: where the true
curve has a kink, it is wrong by more than its interval.

The interval inverts the paired t-test (Fieller 1954, J. R. Stat. Soc. B 16): it holds every budget at which the mean
gap, interpolated seed by seed, is not significantly different from zero. Where not even the ends of the measured range
are told apart from zero it is open, which is the honest answer of a curve that is flat, or too noisy, or too short.

Why this: a 95% interval has to cover the truth 95% of the time, at 3 seeds too, and where the truth is no polygon.
`tests/report/statistics/test_crossing.py` measures it on curves that are denser than the grid. What the test inputs add
(`image_noise`) is added to the half-widths of the mean gap as squares are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, isotonic_regression

from sslbench.report.scores.rows import Floats
from sslbench.report.statistics.spread import ROUNDING, t_quantile

#: Neighbouring budgets further apart than this factor are not interpolated.
WIDEST = 3


class Where(StrEnum):
    """Where the mean gap passes zero: before the first budget, at or between some, or beyond the last."""

    BELOW = "below"
    WITHIN = "within"
    BETWEEN = "between"
    BEYOND = "beyond"


@dataclass(frozen=True)
class Crossing:
    """Where a mean gap passes zero, on the axis it was given.

    Attributes:
        where: `BETWEEN` if that lies between two budgets that are too far apart to interpolate.
        position: NaN unless `where` is `WITHIN`; on a plateau at zero its first point.
        least: the last budget that it lies beyond: `position` where that is known, -inf below the first budget.
        most: the first budget that it lies before; +inf beyond the last.
        low: lower end of the 95% confidence set; -inf where it reaches below the first budget, NaN for one seed.
        high: upper end; +inf where it reaches beyond the last budget, NaN for one seed.
        n: seeds.
    """

    where: Where
    position: float
    least: float
    most: float
    low: float
    high: float
    n: int


def monotone(values: Floats) -> Floats:
    """The closest non-decreasing sequence in least squares."""
    return np.asarray(isotonic_regression(values).x, dtype=np.float64)


def too_wide(axis: Floats) -> NDArray[np.bool_]:
    """Which neighbours of a logarithmic axis are more than `WIDEST` apart."""
    return np.diff(axis) > math.log(WIDEST) + ROUNDING


def crossing(axis: Floats, gaps: Floats, images: Floats | None = None) -> Crossing:
    """Where the mean of `gaps` passes zero from below.

    Args:
        axis: `(k,)` increasing positions, natural logarithms of labels; equal ones are one budget.
        gaps: `(seeds, k)` paired gaps, without NaN; expected to grow along the axis.
        images: `(any, k)`, whose root of squares at any mixture of budgets is the half-width that the test inputs give
            the mean gap.

    Raises:
        ValueError: no seeds or no positions.
    """
    seeds, positions = gaps.shape
    if seeds == 0 or positions == 0:
        raise ValueError("a crossing needs at least one seed and one budget")
    axis, same = np.unique(axis, return_inverse=True)
    gaps, inputs = (
        np.stack([lines[:, same == place].mean(axis=1) for place in range(len(axis))], axis=1)
        for lines in (gaps, np.zeros((0, positions)) if images is None else images)
    )
    raw = gaps.mean(axis=0)
    mean = monotone(raw)
    mean[np.abs(mean) < ROUNDING] = 0.0
    where, least, most = _zero(axis, mean)
    position = least if where is Where.WITHIN else math.nan
    if seeds == 1:
        return Crossing(where, position, least, most, math.nan, math.nan, seeds)
    reach = np.vstack([t_quantile(seeds - 1) / math.sqrt(seeds * (seeds - 1)) * (gaps - raw), inputs])
    shapes = [(axis, mean, reach), _kinked(axis, mean, reach)]
    low = min(_first_open(*shape) for shape in shapes)
    high = max(-_first_open(-axis[::-1], -mean[::-1], reach[:, ::-1]) for axis, mean, reach in shapes)
    # A set that is empty by rounding, or left behind by seeds that agree, still holds what is known.
    return Crossing(where, position, least, most, min(low, least), max(high, most), seeds)


def _zero(axis: Floats, mean: Floats) -> tuple[Where, float, float]:
    """Where the mean passes zero, and the two places that this lies between."""
    if mean[0] > 0:
        return Where.BELOW, -math.inf, float(axis[0])
    if mean[-1] < 0:
        return Where.BEYOND, float(axis[-1]), math.inf
    after = int(np.argmax(mean >= 0))
    before = after if mean[after] == 0 else after - 1
    if before < after and too_wide(axis)[before]:
        return Where.BETWEEN, float(axis[before]), float(axis[after])
    share = 0.0 if before == after else -mean[before] / (mean[after] - mean[before])
    place = float(axis[before] + share * (axis[after] - axis[before]))
    return Where.WITHIN, place, place


def _first_open(axis: Floats, mean: Floats, reach: Floats) -> float:
    """The first position at which the mean gap is not significantly below zero; -inf if that is so from the start.

    Args:
        reach: `(any, k)` residuals, so scaled that their root of squares is the half-width of the mean's interval.
            Between budgets they are interpolated like the mean, so the upper end is convex and has one zero.
    """
    upper = mean + np.sqrt(np.square(reach).sum(axis=0))
    open_at = np.flatnonzero(upper >= -ROUNDING)
    if not len(open_at):
        return float(axis[-1])
    after = int(open_at[0])
    before = after - 1
    if after == 0:
        return -math.inf
    if too_wide(axis)[before]:
        return float(axis[before])

    def end(share: float) -> float:
        left, right = (1 - share), share
        inside = left * reach[:, before] + right * reach[:, after]
        return float(left * mean[before] + right * mean[after] + math.sqrt(np.square(inside).sum()))

    share = brentq(end, 0, 1) if upper[after] > 0 else 1.0
    return float(axis[before] + share * (axis[after] - axis[before]))


def _kinked(axis: Floats, mean: Floats, reach: Floats) -> tuple[Floats, Floats, Floats]:
    """The same curve with a corner between budgets wherever the lines before and after would meet there.

    A curve that bends does so between budgets as a rule, and lies between the straight line and this corner.
    """
    corners = []
    slopes = np.diff(mean) / np.diff(axis)
    for before in range(1, len(axis) - 2):
        left, right = slopes[before - 1], slopes[before + 1]
        width = axis[before + 1] - axis[before]
        share = (slopes[before] - right) / (left - right) if left != right else -1.0
        if 0 < share < 1 and not too_wide(axis)[before]:
            height = np.clip(mean[before] + left * share * width, mean[before], mean[before + 1])
            inside = (1 - share) * reach[:, before] + share * reach[:, before + 1]
            corners.append((before + 1, axis[before] + share * width, height, inside))
    places = [place for place, *_ in corners]
    return (
        np.insert(axis, places, [at for _, at, *_ in corners]),
        np.insert(mean, places, [height for *_, height, _ in corners]),
        np.insert(reach, places, np.array([inside for *_, inside in corners]).T.reshape(len(reach), -1), axis=1),
    )
