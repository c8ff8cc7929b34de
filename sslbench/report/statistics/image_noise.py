"""What the choice of test inputs adds to an interval over seeds.

An interval over seeds says how far other trainings on other labels would move a score *on these test inputs*: they are
the same for every seed, so that no number of seeds shows what others would have done. Of answers, seeds crossed with
inputs (1: right, 0: wrong), the usual model is

    answer = mean + seed + input + the rest,

whose components follow from mean squares (Searle, Casella & McCulloch 1992, Variance Components, ch. 4). The spread of
the means of seeds holds the components of the seed and of the rest. That of the input, divided by the number of
inputs, is what is missing: the error that a test set of this size makes, paired where rows answer the same inputs
(Miller 2024, arXiv:2411.00640; which data are drawn is the largest source of variance that Bouthillier et al. 2021,
arXiv:2103.03098, find in benchmarks). With mean products for mean squares the same holds of several rows at once, so
that the variance of any difference follows. Half-widths of seeds and of inputs are added as squares, each with its own
quantile, which never covers less than it says (Banerjee 1961, Sankhya 23): so they add to whatever interval over seeds
there is.

A bootstrap over seeds and inputs has the same standard error (`tests/report/statistics/test_image_noise.py`). Inputs
get a normal quantile, as there are hundreds of them; with fewer, or next to no answer wrong, it is too short (Bowyer et
al. 2025, arXiv:2503.01747).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sslbench.report.scores.layout import Block
from sslbench.report.scores.rows import Floats, Right, Row
from sslbench.report.statistics.spread import CONFIDENCE, Estimate, estimate

#: Rows that are no contender: answering the commonest class is never bold, and how far below it is tells nothing.
NO_CONTENDERS = ("majority_class",)

#: How many standard errors a 95% interval reaches if the error is normal and its size known.
NORMAL = float(stats.norm.ppf((1 + CONFIDENCE) / 2))


def image_covariance(answers: NDArray[np.generic]) -> Floats:
    """Covariance of the mean answers of rows to other inputs like these, as far as the inputs make it.

    One seed cannot tell an input that is hard from an input that this training got wrong: both count.

    Args:
        answers: `(rows, seeds, images)` of at least two inputs.

    Returns:
        `(rows, rows)`, unbiased: of rows whose answers hardly differ, a difference may have a variance below zero.
    """
    exact = np.asarray(answers, dtype=np.float64)  # sums of whole numbers: no order of adding shows
    rows, seeds, images = exact.shape
    by_image, by_seed, flat = exact.sum(axis=1), exact.sum(axis=2), exact.reshape(rows, -1)
    total = flat.sum(axis=1)
    grand = np.outer(total, total) / (seeds * images)
    of_images = _products(by_image) / seeds - grand
    of_seeds = _products(by_seed) / images - grand
    rest = (_products(flat) - grand - of_seeds - of_images) / max(1, seeds - 1)
    return np.asarray((of_images - rest) / ((images - 1) * seeds * images), dtype=np.float64)


def _products(rows: Floats) -> Floats:
    """Inner product of every two rows; `rows @ rows.T` starts threads for it, which takes longer than the sums."""
    return np.asarray(np.einsum("in,jn->ij", rows, rows), dtype=np.float64)


def shared_covariance(right: Sequence[Right]) -> Floats | None:
    """`image_covariance` of the replicates that all rows have; None if there are none, or no stored answers."""
    shared = sorted(set.intersection(*(set(one) for one in right)))
    if not shared:
        return None
    return image_covariance(np.array([[one[replicate] for replicate in shared] for one in right]))


def image_half_width(variance: float) -> float:
    """Half-width of the 95% interval that the inputs alone give, from their part of the variance; 0 below zero."""
    return NORMAL * math.sqrt(max(0.0, variance))


def with_images(over_seeds: Estimate, half_width: float) -> Estimate:
    """An estimate whose interval holds for other test inputs too.

    Args:
        over_seeds: with any interval over seeds; NaN stays NaN.
        half_width: of the inputs, as `image_half_width` has it.
    """
    return replace(over_seeds, half_width=math.hypot(over_seeds.half_width, half_width))


def noise_of_mean(right: Right) -> float:
    """Half-width that the test inputs alone give the mean over replicates; 0 where no answers are stored."""
    found = shared_covariance([right])
    return 0.0 if found is None else image_half_width(float(found[0, 0]))


def accuracy_of(row: Row, fraction: float) -> Estimate:
    """Mean accuracy at one label fraction; its interval holds for other test inputs where answers are stored.

    That of the majority class does not: how common a class is was decided when the test split was made.
    """
    right = {} if row.pretext in NO_CONTENDERS else row.right(fraction)
    return with_images(estimate(row.scores(fraction).values()), noise_of_mean(right))


def block_noise(block: Block) -> dict[tuple[str, float], float]:
    """`noise_of_mean` of the cells of a table but for the majority class; 0 where no answers are stored."""
    rows = [row for row in block.lines.values() if row.pretext not in NO_CONTENDERS]
    return {(row.pretext, at): noise_of_mean(row.right(at)) for row in rows for at in row.fractions}


def image_spread(right: Sequence[Right]) -> Floats | None:
    """Rows whose sums of squares at any mixture of the columns are the squared half-width that the inputs give it.

    Args:
        right: of `k` columns.

    Returns:
        `(k, k)`; None where nothing is shared.
    """
    covariance = shared_covariance(right)
    if covariance is None:
        return None
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(NORMAL * np.sqrt(values.clip(min=0))[:, None] * vectors.T, dtype=np.float64)
