"""One number for a whole label-efficiency curve: the area under it on the log-label axis."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from sslbench.report.scores.evaluations import ROW_KEY
from sslbench.report.scores.layout import Peers
from sslbench.report.scores.rows import Floats, Row
from sslbench.report.statistics.label_efficiency import NO_SEED, ONE_BUDGET, ONE_SEED, Curves, common_curves
from sslbench.report.statistics.paired import tested
from sslbench.report.statistics.spread import Estimate, estimate

AREA_COLUMNS = (
    *(*ROW_KEY, "first_fraction", "last_fraction", "area", "low", "high"),
    *("difference", "difference_low", "difference_high", "p_value", "p_holm", "outcome", "n", "reason"),
)

_UNKNOWN = Estimate(math.nan, math.nan, 0, math.nan)


def areas(compared: Iterable[Peers]) -> pd.DataFrame:
    """Area under the label-efficiency curve on the log-label axis, over its width: one line per row, and `supervised`.

    An accuracy in [0, 1]: the mean over label budgets when every doubling of the labels counts the same, by the
    trapezoidal rule (the area under the learning curve of Guyon et al. 2011, JMLR W&CP 16, without their rescaling by
    chance). Intervals are Student t over seeds, those of the difference to `supervised` over seed pairs; `p_holm` and
    `outcome` as in `differences`, corrected over the rows of one table (dataset, encoder, latent size, protocol).

    Returns:
        Columns `AREA_COLUMNS`. A row's area and its difference use only the fractions and seeds that the row and
        `supervised` share: compare rows with equal `first_fraction` and `last_fraction`. NaN with a `reason` where
        fewer than two fractions or no seed are shared; intervals are NaN for one seed. The line of `supervised` has
        no difference.
    """
    lines: list[tuple[object, ...]] = []
    for peers in compared:
        scratch = peers.supervised
        lines.append(_line(scratch, common_curves(scratch, scratch), _UNKNOWN, (math.nan, math.nan, "")))
        for table in peers.tables:
            shared = [common_curves(row, scratch) for row in table]
            found = [area_of(curves, curves.row - curves.supervised) for curves in shared]
            lines += map(_line, table, shared, found, tested(found))
    return pd.DataFrame(lines, columns=list(AREA_COLUMNS))


def log_area(num_labels: Floats, scores: Floats) -> Floats:
    """Mean height on the log-label axis of each curve of `scores` `(seeds, budgets)`; `(seeds,)`."""
    axis = np.log(num_labels)
    return np.asarray(np.trapezoid(scores, axis, axis=1) / (axis[-1] - axis[0]), dtype=np.float64)


def area_of(curves: Curves, scores: Floats) -> Estimate:
    """Area of `scores`, which has the budgets of `curves`; NaN where there is no area."""
    if why_not(curves):
        return _UNKNOWN
    return estimate(log_area(curves.num_labels, scores).tolist())


def why_not(curves: Curves) -> str:
    """Why there is no area; empty if there is one."""
    if len(set(curves.num_labels)) < 2:  # of few inputs, small fractions are all one label of each class
        return ONE_BUDGET
    return "" if len(curves.row) else NO_SEED


def _line(row: Row, curves: Curves, difference: Estimate, test: tuple[float, float, str]) -> tuple[object, ...]:
    area = area_of(curves, curves.row)
    ends = (curves.fractions[0], curves.fractions[-1]) if curves.fractions else (math.nan, math.nan)
    return (
        *(*row.key, *ends, area.mean, area.low, area.high),
        *(difference.mean, difference.low, difference.high, *test),
        *(area.n, why_not(curves) or (ONE_SEED if area.n == 1 else "")),
    )
