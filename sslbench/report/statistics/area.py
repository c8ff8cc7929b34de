"""One number for a whole label-efficiency curve: the area under it on the log-label axis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sslbench.report.scores.evaluations import ROW_KEY
from sslbench.report.scores.layout import Block
from sslbench.report.scores.replicates import Replicate
from sslbench.report.scores.rows import Floats, Row
from sslbench.report.statistics.contest import CONTROL, judge
from sslbench.report.statistics.crossing import WIDEST, too_wide
from sslbench.report.statistics.image_noise import noise_of_mean, with_images
from sslbench.report.statistics.label_efficiency import NO_SEED, ONE_BUDGET, ONE_SEED
from sslbench.report.statistics.paired import contenders
from sslbench.report.statistics.spread import UNKNOWN, estimate

AREA_COLUMNS = (
    *(*ROW_KEY, "first_fraction", "last_fraction", "area", "low", "high"),
    *("difference", "difference_low", "difference_high", "outcome", "n", "reason"),
)

FEWER_BUDGETS = "lacks label budgets of training from scratch"
TOO_WIDE = f"label budgets more than a factor of {WIDEST} apart: no curve"


def areas(blocks: Iterable[Block]) -> pd.DataFrame:
    """Area under the label-efficiency curve on the log-label axis, over its width: one line per row of a table.

    An accuracy in [0, 1]: the mean over label budgets when every doubling of the labels counts the same, by the
    trapezoidal rule (the area under the learning curve of Guyon et al. 2011, JMLR W&CP 16, without their rescaling by
    chance). Intervals of areas are Student t over seeds, and hold for other test inputs where answers are stored;
    differences to `supervised` are judged as a table of one column (`contest`).

    Returns:
        Columns `AREA_COLUMNS`. Areas are those of the fractions of `supervised`; NaN with a `reason` where a row lacks
        one, or no seed has all, or two of them are too far apart to interpolate; intervals are NaN for one seed. A
        baseline that stands in tables of several pretraining datasets is listed with the first.
    """
    lines = [line for block in blocks if CONTROL in block.lines for line in _lines(contenders(block))]
    return pd.DataFrame(lines, columns=list(AREA_COLUMNS)).drop_duplicates(list(ROW_KEY), ignore_index=True)


def _lines(rows: dict[str, Row]) -> list[tuple[object, ...]]:
    """The lines of the rows of one table but for `supervised`, which must be among them."""
    scratch = rows[CONTROL]
    reasons = {name: _why_not(row, scratch) for name, row in rows.items()}
    known = {name: row for name, row in rows.items() if not reasons[name]}
    at = scratch.fractions
    heights = {name: _areas(scratch.num_labels, [row.scores(each) for each in at]) for name, row in known.items()}
    answers = {name: _areas(scratch.num_labels, [row.right(each) for each in at]) for name, row in known.items()}
    verdicts = judge({"area": heights}, {"area": answers})
    lines: list[tuple[object, ...]] = []
    for name, row in rows.items():
        if name == CONTROL:
            continue
        own = heights.get(name)
        area = with_images(estimate(own.values()), noise_of_mean(answers[name])) if own else UNKNOWN
        verdict = verdicts.get(("area", name))
        gap = (verdict and verdict.difference) or UNKNOWN
        lines.append(
            (
                *(*row.key, at[0], at[-1], area.mean, area.low, area.high),
                *(gap.mean, gap.low, gap.high, verdict.outcome if verdict else "", area.n),
                reasons[name] or {0: NO_SEED, 1: ONE_SEED}.get(area.n, ""),
            )
        )
    return lines


def _areas(num_labels: Floats, curve: Sequence[Mapping[Replicate, Any]]) -> dict[Replicate, Any]:
    """Mean height on the log-label axis by replicate, of those that have every budget.

    Args:
        curve: by budget, what has a height: a score, or the answers to all test inputs.
    """
    axis = np.log(num_labels)
    complete = sorted(set.intersection(*(set(at) for at in curve)))
    lines = {one: np.array([at[one] for at in curve], dtype=np.float64) for one in complete}
    return {one: np.trapezoid(line, axis, axis=0) / (axis[-1] - axis[0]) for one, line in lines.items()}


def _why_not(row: Row, scratch: Row) -> str:
    """Why there is no area; empty if there is one."""
    if len(set(scratch.num_labels)) < 2:  # of few inputs, small fractions are all one label of each class
        return ONE_BUDGET
    if not set(scratch.fractions) <= set(row.fractions):
        return FEWER_BUDGETS
    return TOO_WIDE if too_wide(np.log(scratch.num_labels)).any() else ""
