"""Where the spread over seeds comes from: the labels that were drawn, or the training that was run."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from sslbench.report.scores.evaluations import ROW_KEY
from sslbench.report.scores.rows import Floats

COMPONENT_COLUMNS = (
    *(*ROW_KEY, "label_fraction", "seeds", "label_seeds", "initialisation_sd", "labels_sd", "residual_sd"),
    *("initialisation_share", "labels_share"),
)

NOT_CROSSED = (
    "Seeds and label seeds change together, so the spread over seeds cannot be split into labelled subset and "
    "training; a suite with `label_seeds` evaluates every encoder on every subset."
)


def components(every: pd.DataFrame) -> pd.DataFrame:
    """Variance between trainings (seed), between labelled subsets (label seed), and the rest, per cell of a table.

    Two-way random effects without repeats, by the method of moments (Searle, Casella & McCulloch 1992, Variance
    Components, ch. 4); a negative estimate is reported as 0. The rest holds interaction and noise. With
    few levels a component is known within a factor of several: read many cells.

    Args:
        every: all `evaluations`, crossed replicates included.

    Returns:
        Columns `COMPONENT_COLUMNS`, standard deviations of accuracy as shares; only cells in which at least two seeds
        met at least two label seeds, all of them. Empty where none did: `NOT_CROSSED` says why.
    """
    cell = [*ROW_KEY, "label_fraction"]
    levels = every.groupby(cell)[["seed", "label_seed"]].transform("nunique")
    several = every[(levels["seed"] > 1) & (levels["label_seed"] > 1)]
    several = several[several.groupby([*cell, "seed"])["label_seed"].transform("size") > 1]
    lines: list[tuple[object, ...]] = []
    for key, group in several.groupby(cell, sort=True):
        scores = group.pivot(index="seed", columns="label_seed", values="test").to_numpy(float)
        if not np.isnan(scores).any():
            lines.append((*key, *scores.shape, *two_way(scores)))
    return pd.DataFrame(lines, columns=list(COMPONENT_COLUMNS))


def two_way(scores: Floats) -> tuple[float, ...]:
    """Standard deviations of rows, columns and rest of `(seeds, labels)`, and shares of the first two.

    Shares are NaN where nothing varies.
    """
    rows, columns = scores.shape
    grand = scores.mean()
    by_row, by_column = scores.mean(axis=1) - grand, scores.mean(axis=0) - grand
    rest = scores - grand - by_row[:, None] - by_column[None, :]
    freedom = (rows - 1) * (columns - 1)
    error = float(np.square(rest).sum()) / freedom
    row_square = columns * float(np.square(by_row).sum()) / (rows - 1)
    column_square = rows * float(np.square(by_column).sum()) / (columns - 1)
    found = max(0.0, (row_square - error) / columns), max(0.0, (column_square - error) / rows), error
    total = sum(found)
    shares = (found[0] / total, found[1] / total) if total > 0 else (math.nan, math.nan)
    return (*(math.sqrt(variance) for variance in found), *shares)
