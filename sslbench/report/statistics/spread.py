"""Spread over seeds and paired comparison, as pure functions of `{replicate: score}`.

A replicate names the same labelled subset in every row: that is what makes rows comparable pair by pair. What rows of
one table are told apart by stands in `contest`; pairs alone are for what is no table, e.g. two results of one cell.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from scipy import stats

from sslbench.report.scores.replicates import Scores

CONFIDENCE = 0.95
SIGNIFICANCE = 0.05

#: Scores lie in [0, 1]; a difference below this is rounding, not effect.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds and how far to trust it.

    Attributes:
        sd: standard deviation with `n - 1` in the denominator; NaN for one seed.
        half_width: of the 95% confidence interval (Student t, with the degrees of freedom of whatever gave the spread:
            `n - 1`, or those of a table's pooled error); NaN for one seed.
    """

    mean: float
    sd: float
    n: int
    half_width: float

    @property
    def low(self) -> float:
        """Lower end of the 95% confidence interval; NaN for one seed."""
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        """Upper end of the 95% confidence interval; NaN for one seed."""
        return self.mean + self.half_width


#: What is said of what no seed has.
UNKNOWN = Estimate(math.nan, math.nan, 0, math.nan)


@cache
def t_quantile(freedom: int) -> float:
    """Standard errors that a 95% interval reaches to either side: 12.7 with one degree of freedom, 2.78 with four."""
    return float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom))


def with_interval(mean: float, variance: float, freedom: int, n: int) -> Estimate:
    """A mean of `n` values and its 95% interval: the one place where a difference gets one.

    Args:
        variance: of the mean, not of one value.
        freedom: degrees of freedom behind `variance`.
    """
    return Estimate(mean, math.sqrt(n * variance), n, t_quantile(freedom) * math.sqrt(variance))


def estimate(values: Iterable[float]) -> Estimate:
    """Mean, spread and interval of independent values; exact sums, so that their order cannot show.

    Raises:
        ValueError: there are no values.
    """
    numbers = list(values)
    n = len(numbers)
    if n == 0:
        raise ValueError("no values to estimate from")
    mean = math.fsum(numbers) / n
    if n == 1:
        return Estimate(mean, math.nan, 1, math.nan)
    return with_interval(mean, math.fsum((number - mean) ** 2 for number in numbers) / (n * (n - 1)), n - 1, n)


def paired_difference(scores: Scores, reference: Scores) -> Estimate | None:
    """Mean of `scores - reference` over the seeds both have; None if they share none."""
    shared = scores.keys() & reference.keys()
    if not shared:
        return None
    return estimate(scores[seed] - reference[seed] for seed in shared)


def paired_p_value(difference: Estimate) -> float:
    """Two-sided paired t-test of no difference. Without spread: 1 if the difference is zero, else 0.

    Raises:
        ValueError: fewer than two pairs; a single difference has no test.
    """
    if difference.n < 2:
        raise ValueError("a paired test needs at least two seeds")
    if abs(difference.mean) < ROUNDING:
        return 1.0
    if difference.sd < ROUNDING:
        return 0.0
    statistic = abs(difference.mean) / (difference.sd / math.sqrt(difference.n))
    return float(2 * stats.t.sf(statistic, difference.n - 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for how many there are, in the given order (Holm 1979, Scand. J. Stat. 6).

    Step-down Bonferroni. NaN, where nothing could be tested, stays NaN and does not count.
    """
    adjusted = list(p_values)
    order = sorted((p_value, index) for index, p_value in enumerate(p_values) if not math.isnan(p_value))
    running = 0.0
    for rank, (p_value, index) in enumerate(order):
        running = max(running, min(1.0, (len(order) - rank) * p_value))
        adjusted[index] = running
    return adjusted
