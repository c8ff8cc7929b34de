"""One number for a whole label-efficiency curve: the area under it on the log-label axis."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from sslbench.report.scores.evaluations import ROW_KEY
from sslbench.report.scores.layout import Block
from sslbench.report.scores.replicates import Scores
from sslbench.report.scores.rows import Floats, Right, Row
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
    heights = {name: _by_replicate(row, scratch) for name, row in rows.items()}
    answers = {name: _by_input(row, scratch) for name, row in rows.items()}
    verdicts = judge({"area": heights}, {"area": answers})
    lines: list[tuple[object, ...]] = []
    for name, row in rows.items():
        if name == CONTROL:
            continue
        area = with_images(estimate(heights[name].values()), noise_of_mean(answers[name])) if heights[name] else UNKNOWN
        verdict = verdicts.get(("area", name))
        gap = (verdict and verdict.difference) or UNKNOWN
        lines.append(
            (
                *(*row.key, scratch.fractions[0], scratch.fractions[-1], area.mean, area.low, area.high),
                *(gap.mean, gap.low, gap.high, verdict.outcome if verdict else "", area.n),
                _why_not(row, scratch) or {0: NO_SEED, 1: ONE_SEED}.get(area.n, ""),
            )
        )
    return lines


def log_area(num_labels: Floats, scores: Floats) -> Floats:
    """Mean height on the log-label axis of each curve of `scores` `(curves, budgets)`; `(curves,)`."""
    axis = np.log(num_labels)
    return np.asarray(np.trapezoid(scores, axis, axis=1) / (axis[-1] - axis[0]), dtype=np.float64)


def _by_replicate(row: Row, scratch: Row) -> Scores:
    """The area of every replicate that has all budgets; empty where there is no area."""
    if _why_not(row, scratch):
        return {}
    curves = row.test[:, [row.fractions.index(at) for at in scratch.fractions]]
    found = zip(row.replicates, log_area(scratch.num_labels, curves).tolist(), strict=True)
    return {replicate: height for replicate, height in found if not math.isnan(height)}


def _by_input(row: Row, scratch: Row) -> Right:
    """The area under the answers to every test input, by replicate; empty where there is none, or no answers."""
    if _why_not(row, scratch):
        return {}
    right = [row.right(at) for at in scratch.fractions]
    return {
        replicate: log_area(scratch.num_labels, np.array([one[replicate] for one in right], dtype=np.float64).T)
        for replicate in row.replicates
        if all(replicate in one for one in right)
    }


def _why_not(row: Row, scratch: Row) -> str:
    """Why there is no area; empty if there is one."""
    if len(set(scratch.num_labels)) < 2:  # of few inputs, small fractions are all one label of each class
        return ONE_BUDGET
    if not set(scratch.fractions) <= set(row.fractions):
        return FEWER_BUDGETS
    return TOO_WIDE if too_wide(np.log(scratch.num_labels)).any() else ""
