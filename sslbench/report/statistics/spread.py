"""Spread over seeds and paired comparison, as pure functions of `{replicate: score}`.

A replicate names the same labelled subset in every row: that is what makes rows comparable pair by pair.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
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
        half_width: of the 95% confidence interval (Student t, `n - 1` degrees of freedom); NaN for one seed.
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


@cache
def t_quantile(n: int) -> float:
    """How many standard errors the 95% interval of `n` values reaches to either side: 12.7 for two, 2.78 for five."""
    return float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1))


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
    sd = math.sqrt(math.fsum((number - mean) ** 2 for number in numbers) / (n - 1))
    return Estimate(mean, sd, n, t_quantile(n) * sd / math.sqrt(n))


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


def tied_with_best(rows: Mapping[str, Scores]) -> frozenset[str]:
    """Names of the rows that have the best mean or cannot be told from it.

    A row is told apart when its paired t-test against the best, corrected over all rows compared, is significant
    at 5%. A comparison needs two shared seeds: rows without them are left out, and nothing ties when the best row
    itself has fewer than two. The best is picked from the same scores, so a tie means "not shown to be worse".
    """
    means = {name: estimate(scores.values()).mean for name, scores in rows.items() if scores}
    if not means:
        return frozenset()
    best = min(means, key=lambda name: (-round(means[name], 12), name))  # not by the last bit of a sum
    if len(rows[best]) < 2:
        return frozenset()
    differences = {name: paired_difference(rows[best], rows[name]) for name in sorted(means) if name != best}
    compared = {name: found for name, found in differences.items() if found is not None and found.n >= 2}
    corrected = holm([paired_p_value(difference) for difference in compared.values()])
    alike = [name for name, p_value in zip(compared, corrected, strict=True) if p_value >= SIGNIFICANCE]
    return frozenset([best, *alike])
