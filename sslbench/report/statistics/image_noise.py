"""What the choice of test inputs adds to an interval over seeds.

An interval over seeds says how far other trainings on other labels would move a score *on these test inputs*: they are
the same for every seed, so that no number of seeds shows what others would have done. Of answers, seeds crossed with
inputs (1: right, 0: wrong; of a difference of two rows 1, 0, -1), the usual model is

    answer = mean + seed + input + the rest,

whose components follow from mean squares (Searle, Casella & McCulloch 1992, Variance Components, ch. 4). The spread of
the means of seeds holds the components of the seed and of the rest. That of the input, divided by the number of
inputs, is what is missing: the error that a test set of this size makes, paired where rows answer the same inputs
(Miller 2024, arXiv:2411.00640; which data are drawn is the largest source of variance that Bouthillier et al. 2021,
arXiv:2103.03098, find in benchmarks). Half-widths of both are added as squares, each with its own quantile, which never
covers less than it says (Banerjee 1961, Sankhya 23): so they add to whatever interval over seeds there is.

`crossed_bootstrap` says the same without formulas. Test inputs get a normal quantile, as there are hundreds of them;
with fewer, or next to no answer wrong, it is too short (Bowyer et al. 2025, arXiv:2503.01747).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from sslbench.report.attachments.predictions import Answers
from sslbench.report.scores.layout import Block, Layout
from sslbench.report.scores.replicates import Replicate
from sslbench.report.scores.rows import Floats, Run
from sslbench.report.statistics.selection import primary_of
from sslbench.report.statistics.spread import CONFIDENCE, Estimate
from sslbench.report.statistics.summary import cells_of

#: `(seeds, inputs)`: what was answered, or the difference of two rows' answers.
Matrix = NDArray[np.int8]

#: How many standard errors a 95% interval reaches if the error is normal and its size known.
NORMAL = float(stats.norm.ppf((1 + CONFIDENCE) / 2))

#: Resamples: the standard error is then known to about 3%.
DRAWS = 1000

NOISE_COLUMNS = (
    *("dataset", "encoder", "latent_dim", "protocol", "pretrain_dataset", "pretext", "label_fraction", "images"),
    *("difference", "seeds_half_width", "images_half_width", "half_width", "error", "bootstrap_error"),
)


class Components(NamedTuple):
    """Variances of single answers; the seed's is NaN and the rest's part of the input's where there is one seed."""

    seed: float
    image: float
    rest: float


def components(answers: Matrix) -> Components:
    """Variance of answers between seeds, between inputs, and the rest: unbiased, cut at zero.

    Args:
        answers: of at least two inputs.
    """
    seeds, images = answers.shape
    exact = answers.astype(np.int64)  # sums of whole numbers: no order of adding shows
    grand = float(exact.sum()) ** 2 / answers.size
    of_images = float(np.square(exact.sum(axis=0)).sum()) / seeds - grand
    if seeds == 1:
        return Components(math.nan, of_images / (images - 1), 0.0)
    of_seeds = float(np.square(exact.sum(axis=1)).sum()) / images - grand
    rest = float(np.square(exact).sum()) - grand - of_seeds - of_images
    error = rest / ((seeds - 1) * (images - 1))
    seed, image = (of_seeds / (seeds - 1) - error) / images, (of_images / (images - 1) - error) / seeds
    return Components(max(0.0, seed), max(0.0, image), max(0.0, error))


def standard_error(answers: Matrix) -> float:
    """Of the mean of all answers as an estimate for other seeds and other inputs; NaN for one seed."""
    seeds, images = answers.shape
    if seeds == 1:
        return math.nan
    over_seeds = float(answers.mean(axis=1).var(ddof=1)) / seeds  # holds the component of the rest too
    return math.sqrt(over_seeds + components(answers).image / images)


def image_half_width(answers: Matrix) -> float:
    """Half-width of the 95% interval that the inputs alone give a mean over all answers.

    One seed cannot tell an input that is hard from an input that this training got wrong: both count.
    """
    return NORMAL * math.sqrt(components(answers).image / answers.shape[1])


def with_images(over_seeds: Estimate, half_width: float) -> Estimate:
    """An estimate whose interval holds for other test inputs too.

    Args:
        over_seeds: with any interval over seeds; NaN stays NaN.
        half_width: of the inputs, as `image_half_width` has it.
    """
    return replace(over_seeds, half_width=math.hypot(over_seeds.half_width, half_width))


def crossed_bootstrap(answers: Matrix, draws: int = DRAWS, seed: int = 0) -> Floats:
    """Means of so many resamples of both seeds and inputs, each drawn as a whole.

    McCullagh 2000, Bernoulli 6; Owen 2007, The pigeonhole bootstrap, arXiv:0712.1111.

    One seed fewer is drawn than there are, so that the variance of few is not understated (Rao & Wu 1988, JASA 83).

    Args:
        answers: of at least two seeds.
    """
    seeds, images = answers.shape
    random = np.random.default_rng(seed)
    # Inputs that all seeds answered alike are interchangeable: a few patterns are drawn instead of thousands of inputs.
    patterns, counts = np.unique(answers, axis=1, return_counts=True)
    drawn_images = random.multinomial(images, counts / images, size=draws)
    drawn_seeds = random.multinomial(seeds - 1, np.full(seeds, 1 / seeds), size=draws)
    sums = drawn_images.astype(np.float64) @ patterns.T.astype(np.float64)  # (draws, seeds), whole numbers
    return np.asarray((drawn_seeds * sums).sum(axis=1) / ((seeds - 1) * images), dtype=np.float64)


def bootstrap_error(answers: Matrix, draws: int = DRAWS) -> float:
    """As `standard_error`, from resamples; NaN for one seed.

    Crossed resampling counts the component of the rest three times (Owen 2007, theorem 3): two of them are taken off.
    """
    if len(answers) == 1:
        return math.nan
    twice = 2 * components(answers).rest / answers.size
    return math.sqrt(max(0.0, float(crossed_bootstrap(answers, draws).var(ddof=1)) - twice))


def answered(runs: Sequence[Run], answers: Answers) -> dict[Replicate, NDArray[np.bool_]]:
    """Which inputs were answered rightly, by replicate; runs without stored answers are left out."""
    return {run.replicate: answers[run.cell_id].right for run in runs if run.cell_id in answers}


def matrix(runs: Sequence[Run], answers: Answers, reference: Sequence[Run] | None = None) -> Matrix | None:
    """Answers of a cell of the tables, less those of a reference by the same replicates; None where none are stored."""
    ours = answered(runs, answers)
    if reference is None:
        lines = [right.astype(np.int8) for _, right in sorted(ours.items())]
    else:
        theirs = answered(reference, answers)
        shared = sorted(ours.keys() & theirs.keys())
        lines = [ours[replicate].astype(np.int8) - theirs[replicate].astype(np.int8) for replicate in shared]
    return np.stack(lines) if lines else None


def block_noise(block: Block, answers: Answers) -> list[float]:
    """Half-widths that the test inputs alone give the accuracies of a table, cell by cell where answers are stored."""
    cells = (matrix(block.runs(row, at), answers) for row in block.rows for at in block.fractions)
    return [image_half_width(found) for found in cells if found is not None]


def differences_with_images(layout: Layout) -> pd.DataFrame:
    """Differences to `supervised` by the primary protocol, with the interval of the tables and with test inputs in it.

    Of every place the largest latent size, at the smallest, the middle and the largest label fraction.

    Returns:
        Columns `NOISE_COLUMNS`, in the order of the tables, shares of 1; half-widths of the seeds as tables have them,
        of the inputs alone, and of both; standard errors of both by formula and by bootstrap, NaN for one seed. Cells
        without stored answers of their own and of `supervised` are absent.
    """
    lines = [line for block in _headlined(layout) for line in _lines(block, layout.answers)]
    return pd.DataFrame(lines, columns=list(NOISE_COLUMNS))


def _headlined(layout: Layout) -> list[Block]:
    primary = primary_of(layout)
    largest: dict[str, Block] = {}
    for block in layout.blocks:
        known = largest.get(block.place)
        if primary and block.protocol == primary.protocol and (known is None or block.latent_dim > known.latent_dim):
            largest[block.place] = block
    return list(largest.values())


def _lines(block: Block, answers: Answers) -> Iterator[tuple[object, ...]]:
    fractions = block.fractions
    chosen = dict.fromkeys((fractions[0], fractions[(len(fractions) - 1) // 2], fractions[-1]))
    place = block.dataset, block.encoder, block.latent_dim, block.protocol, block.pretrain_dataset
    for (row, fraction), cell in cells_of(block).items():
        if fraction not in chosen or cell.difference is None:
            continue
        found = matrix(block.runs(row, fraction), answers, block.runs("supervised", fraction))
        if found is None:
            continue
        images = image_half_width(found)
        both = with_images(cell.difference, images)
        yield (
            *(*place, row, fraction, found.shape[1], both.mean),
            *(cell.difference.half_width, images, both.half_width, standard_error(found), bootstrap_error(found)),
        )
