"""What the rows of a table can be told apart by: one model for a column, one family for a table.

Accuracy in a column is a row effect plus a replicate effect plus error: the randomised block design (Fisher 1935;
Montgomery, Design and Analysis of Experiments, ch. 4), whose blocks are the replicates, because a seed and its labelled
subset move all rows together. The error is pooled over the rows: with five seeds and eight rows it has 28 degrees of
freedom where a pair alone has four. Missing cells are no harm to least squares. The price is that all rows are taken
to be equally noisy: a row noisier than the rest is called different too often, one quieter too rarely. Of 20 tables
without differences one has a win or loss in it, as it should; with training from scratch 1.5 times as noisy as all
others it is two or three (`tests/report/statistics/test_contest.py`).

Two questions are asked, each of a whole table, and each with a 5% chance of any wrong answer in it:

* Which rows differ from training from scratch? Dunnett's test (Dunnett 1955, JASA 50), simultaneous over the rows of
  a column.
* Which rows may be the best? Multiple comparisons with the best (Hsu 1984, Annals of Statistics 12): a row is out where
  one-sided Dunnett with that row as the control finds another one better.

Both hold for the rows of one column; the 5% are shared out equally among the columns of the table (Bonferroni), because
the columns share trainings and no more is known of how they depend on each other.

Where answers are stored, every interval and both tests hold for other test inputs too: their part of each difference
(`image_noise`), with the quantile that Bonferroni gives it, is added to what the seeds leave open, as squares are.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, TypeVar

import numpy as np
from scipy import optimize, stats

from sslbench.report.scores.replicates import Scores
from sslbench.report.scores.rows import Floats, Right, Row
from sslbench.report.statistics.image_noise import image_half_width, shared_covariance, with_images
from sslbench.report.statistics.spread import (
    ROUNDING,
    SIGNIFICANCE,
    UNKNOWN,
    Estimate,
    paired_difference,
    with_interval,
)

CONTROL = "supervised"

Key = TypeVar("Key", bound=Hashable)


class Leads(NamedTuple):
    """Differences of several rows to one.

    Attributes:
        means, errors: `(rows - 1,)` with the standard errors that the seeds give.
        correlations: `(rows - 1, rows - 1)` of these errors.
        images: `(rows - 1,)` standard errors that the test inputs give.
    """

    means: Floats
    errors: Floats
    correlations: Floats
    images: Floats

    def reach(self, statistic: float, share: float) -> Floats:
        """How far chance takes them: half-widths, or one-sided bounds, of seeds and of test inputs together.

        Args:
            statistic: standard errors of the seeds that count.
            share: the chance that any of the inputs' parts exceeds its own, on the sides that are looked at.
        """
        return np.hypot(statistic * self.errors, float(stats.norm.isf(share / len(self.means))) * self.images)


@dataclass(frozen=True)
class Contest:
    """One column, fitted by least squares.

    Attributes:
        names: the rows that take part.
        effects: `(rows,)` of each; only differences mean anything.
        covariance: `(rows, rows)` of the effects.
        freedom: degrees of freedom of the pooled error; (rows - 1) (replicates - 1) if no cell is missing.
        counts: replicates of each row.
        images: `(rows, rows)` covariance of the effects that the test inputs make; zero where it is not known.
    """

    names: tuple[str, ...]
    effects: Floats
    covariance: Floats
    freedom: int
    counts: tuple[int, ...]
    images: Floats

    def difference(self, row: str, reference: str) -> Estimate:
        """`row - reference` with the 95% interval of this one difference."""
        one, other = self.names.index(row), self.names.index(reference)
        step = np.zeros(len(self.names))
        step[one], step[other] = 1, -1
        # Rounded, because the last digits of linear algebra depend on the machine.
        mean, variance = round(float(step @ self.effects), 12) or 0.0, float(f"{step @ self.covariance @ step:.12g}")
        found = with_interval(mean, variance, self.freedom, min(self.counts[one], self.counts[other]))
        return with_images(found, image_half_width(float(step @ self.images @ step)))

    def against(self, control: str) -> Leads:
        """The differences of all other rows to a control."""
        place = self.names.index(control)
        steps = np.delete(np.eye(len(self.names)), place, axis=0)
        steps[:, place] = -1
        covariance = steps @ self.covariance @ steps.T
        errors = np.sqrt(np.diag(covariance))
        images = np.sqrt(np.diag(steps @ self.images @ steps.T).clip(min=0))
        return Leads(steps @ self.effects, errors, covariance / np.outer(errors, errors), images)


class Verdict(NamedTuple):
    """What is said of one cell.

    Attributes:
        difference: to `supervised`, with the 95% interval of this one difference; None without a replicate in common.
        reach: half-width of the interval that holds for all differences of the table at once; NaN where nothing can be
            tested.
        best: may be the best of its column.
    """

    difference: Estimate | None
    reach: float
    best: bool

    @property
    def outcome(self) -> str:
        """`win`, `tie` (not told apart) or `loss` against `supervised`; `untested`; empty without a difference."""
        if self.difference is None:
            return ""
        if math.isnan(self.reach):
            return "untested"
        if abs(self.difference.mean) <= self.reach:
            return "tie"
        return "win" if self.difference.mean > 0 else "loss"


def judge(
    columns: Mapping[Key, Mapping[str, Scores]], right: Mapping[Key, Mapping[str, Right]] | None = None
) -> dict[tuple[Key, str], Verdict]:
    """A verdict on every cell of a table.

    Rows with fewer than two replicates in common with `supervised` (without it: with the best row) take no part in
    a column: they are untested, and where the best of a column is among them nothing in it is called best.

    Args:
        columns: by label fraction, say, the scores of every row that competes.
        right: their answers to the test inputs, where they are stored.
    """
    contests = {key: contest_of(column, (right or {}).get(key)) for key, column in columns.items()}
    family = sum(contest is not None for contest in contests.values())
    return {
        (key, name): verdict
        for key, column in columns.items()
        for name, verdict in _column(column, contests[key], family)
    }


def judge_rows(rows: Mapping[str, Row], fractions: Sequence[float]) -> dict[tuple[float, str], Verdict]:
    """`judge` of rows at some label fractions, which are the columns."""
    return judge(
        {at: {name: row.scores(at) for name, row in rows.items()} for at in fractions},
        {at: {name: row.right(at) for name, row in rows.items()} for at in fractions},
    )


def difference(row: Row, reference: Row, fraction: float) -> Estimate:
    """`row - reference` at one label fraction of both, paired by replicate; `UNKNOWN` if they share none."""
    pair = judge_rows({CONTROL: reference, "row": row}, [fraction])
    return pair[fraction, "row"].difference or UNKNOWN


def contest_of(column: Mapping[str, Scores], right: Mapping[str, Right] | None = None) -> Contest | None:
    """The fit of a column; None where fewer than two rows share two replicates.

    Args:
        right: answers to the test inputs, which count if those of all rows are stored.
    """
    given = {name: scores for name, scores in column.items() if scores}
    if not given:
        return None
    reference = given[CONTROL if CONTROL in given else best_of(given)]
    joined = {name: scores for name, scores in given.items() if len(scores.keys() & reference.keys()) > 1}
    if len(joined) < 2:
        return None
    replicates = sorted({replicate for scores in joined.values() for replicate in scores})
    table = np.array([[scores.get(one, math.nan) for one in replicates] for scores in joined.values()])
    row, block = np.nonzero(np.isfinite(table))
    design = np.hstack([np.eye(len(joined))[row], np.eye(len(replicates))[block][:, 1:]])
    inverse = np.linalg.inv(design.T @ design)  # of full rank, as every row meets the reference
    found = inverse @ design.T @ table[row, block]
    freedom = len(row) - design.shape[1]
    error = float(np.square(table[row, block] - design @ found).sum()) / freedom
    rows = slice(len(joined))
    covariance = inverse[rows, rows] * max(error, ROUNDING**2)
    images = shared_covariance([(right or {}).get(name, {}) for name in joined])
    counts = tuple(map(len, joined.values()))
    if images is None:
        images = np.zeros_like(covariance)
    return Contest(tuple(joined), found[rows], covariance, freedom, counts, images)


def best_of(column: Mapping[str, Scores]) -> str:
    """The row with the best mean, by name where several have it; not by the last bit of a sum."""
    means = {name: math.fsum(scores.values()) / len(scores) for name, scores in column.items()}
    return min(means, key=lambda name: (-round(means[name], 12), name))


def _column(column: Mapping[str, Scores], contest: Contest | None, family: int) -> Iterable[tuple[str, Verdict]]:
    given = {name: scores for name, scores in column.items() if scores}
    fitted = contest.names if contest else ()
    named = bool(given) and best_of(given) in fitted
    reaches = simultaneous(contest, family) if contest and CONTROL in fitted else {}
    for name, scores in given.items():
        best = named and contest is not None and name in fitted and may_be_best(contest, name, family)
        difference = None
        if contest is not None and name in reaches:
            difference = contest.difference(name, CONTROL)
        elif CONTROL in given and name != CONTROL:
            alone = paired_difference(scores, given[CONTROL])
            difference = alone and Estimate(alone.mean, math.nan, alone.n, math.nan)
        yield name, Verdict(difference, reaches.get(name, math.nan), best)


def simultaneous(contest: Contest, family: int = 1) -> dict[str, float]:
    """Half-widths of the intervals of the differences to `supervised` that hold for all rows, and columns, at once."""
    leads, share = contest.against(CONTROL), SIGNIFICANCE / family
    found = leads.reach(critical(share, leads.correlations, contest.freedom, both=True), share / 2)
    return dict(zip([name for name in contest.names if name != CONTROL], found.tolist(), strict=True))


def may_be_best(contest: Contest, row: str, family: int = 1) -> bool:
    """Whether no other row is shown to be better than this one."""
    leads, share = contest.against(row), SIGNIFICANCE / family
    bounds = (float(stats.t.isf(share / count, contest.freedom)) for count in (1, len(leads.means)))
    sure, possible = (bool((leads.means <= leads.reach(bound, share)).all()) for bound in bounds)
    if sure or not possible:  # most rows: no need to integrate
        return sure
    exact = critical(share, leads.correlations, contest.freedom, both=False)
    return bool((leads.means <= leads.reach(exact, share)).all())


def critical(share: float, correlations: Floats, freedom: int, both: bool) -> float:
    """What the largest of correlated Student t variables, or of their absolute values, exceeds with chance `share`.

    From scipy's multivariate t, integrated at points that are the same in every call. It lies between the quantile of a
    single variable and Bonferroni's.
    """
    return _critical(share, tuple(map(tuple, np.round(correlations, 9).tolist())), freedom, both)


@cache
def _critical(share: float, correlations: tuple[tuple[float, ...], ...], freedom: int, both: bool) -> float:
    rows = len(correlations)
    single, bonferroni = (float(stats.t.isf(share / (1 + both) / count, freedom)) for count in (1, rows))
    if rows == 1:
        return single

    def missed(statistic: float) -> float:
        inside = stats.multivariate_t.cdf(
            np.full(rows, statistic),
            shape=np.array(correlations),
            df=freedom,
            lower_limit=np.full(rows, -statistic) if both else None,
            random_state=np.random.default_rng(0),
        )
        return float(1 - inside - share)

    if missed(bonferroni) >= 0:  # by the last digits of the integration
        return bonferroni
    return float(optimize.brentq(missed, 0.9 * single, bonferroni, xtol=1e-4))
