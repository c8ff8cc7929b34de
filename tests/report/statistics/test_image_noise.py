"""What test inputs add to an interval: against simulated truth, against a bootstrap, and in the numbers of a layout."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from sslbench.report.records import from_records
from sslbench.report.scores import Layout, lay_out
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.statistics.crossing import crossing
from sslbench.report.statistics.image_noise import (
    NORMAL,
    accuracy_of,
    block_noise,
    image_covariance,
    image_half_width,
    image_spread,
    noise_of_mean,
    shared_covariance,
    with_images,
)
from sslbench.report.statistics.paired import judged
from sslbench.report.statistics.replication import two_way
from sslbench.report.statistics.spread import Estimate, estimate
from tests.made_up import answered, probes, supervised

Floats = NDArray[np.float64]
Matrix = NDArray[np.int8]


def logistic(score: Floats) -> Floats:
    return 1 / (1 + np.exp(-score))


def two_rows(random: np.random.Generator, seeds: int, images: int, seed_sd: float = 0.05) -> Matrix:
    """Answers of one row less those of another: inputs are hard for both, and for each in its own way."""
    difficulty = random.normal(1.5, 2.5, images)
    rows = []
    for level in (0.3, 0.0):
        own, trained = random.normal(0, 2, images), random.normal(0, 0.3, (seeds, images))
        score = difficulty + own + level + random.normal(0, seed_sd, (seeds, 1)) + trained
        rows.append((random.random((seeds, images)) < logistic(score)).astype(np.int8))
    return rows[0] - rows[1]


def one_row(random: np.random.Generator, seeds: int, images: int, seed_sd: float = 0.05) -> Matrix:
    score = random.normal(1.5, 2.5, images) + random.normal(0, seed_sd, (seeds, 1))
    return (random.random((seeds, images)) < logistic(score)).astype(np.int8)


def image_variance(answers: Matrix) -> float:
    return float(image_covariance(answers[None])[0, 0])


def over_seeds(answers: Matrix) -> Estimate:
    return estimate(answers.mean(axis=1).tolist())


def covered(
    make: Callable[[np.random.Generator, int, int], Matrix], seeds: int, images: int, repeats: int
) -> tuple[float, float]:
    """How often the interval over seeds, and the one with test inputs, hold what millions of answers average to."""
    random = np.random.default_rng(seeds * images)
    truth = float(np.mean([make(random, 20, 20_000).mean() for _ in range(10)]))
    found = []
    for _ in range(repeats):
        answers = make(random, seeds, images)
        narrow = over_seeds(answers)
        wide = with_images(narrow, image_half_width(image_variance(answers)))
        found.append((narrow.low <= truth <= narrow.high, wide.low <= truth <= wide.high))
    narrow_share, wide_share = np.mean(found, axis=0)
    return float(narrow_share), float(wide_share)


@pytest.mark.parametrize(("seeds", "most"), [(3, 0.92), (5, 0.85), (10, 0.70)])
def test_a_difference_on_500_inputs_is_covered_only_if_the_inputs_count(seeds: int, most: float) -> None:
    narrow, wide = covered(two_rows, seeds, 500, repeats=1000)
    assert narrow < most
    assert 0.94 < wide <= 0.99


@pytest.mark.parametrize(("seeds", "most"), [(3, 0.90), (5, 0.80), (10, 0.60)])
def test_an_accuracy_on_500_inputs_is_covered_only_if_the_inputs_count(seeds: int, most: float) -> None:
    narrow, wide = covered(one_row, seeds, 500, repeats=1000)
    assert narrow < most
    assert 0.94 < wide <= 0.99


def variance_of_mean(answers: Matrix) -> float:
    """Of the mean of all answers as an estimate for other seeds and other inputs."""
    return float(answers.mean(axis=1).var(ddof=1)) / len(answers) + image_variance(answers)


def test_the_part_of_the_inputs_is_that_of_a_two_way_layout() -> None:
    answers = two_rows(np.random.default_rng(0), 5, 400)
    _, image, *_ = two_way(answers.astype(float))
    assert math.sqrt(400 * image_variance(answers)) == pytest.approx(image)


def test_the_variance_of_a_difference_follows_from_the_covariance_of_its_rows() -> None:
    random = np.random.default_rng(1)
    rows = np.stack([one_row(random, 4, 300), one_row(random, 4, 300), one_row(random, 4, 300)])
    found = image_covariance(rows)
    assert found[0, 0] + found[2, 2] - 2 * found[0, 2] == pytest.approx(image_variance(rows[0] - rows[2]))
    assert found[1, 1] == pytest.approx(image_variance(rows[1]))


def test_the_variance_is_that_of_the_mean_over_new_seeds_and_new_inputs() -> None:
    random = np.random.default_rng(2)
    made = [one_row(random, 4, 500, seed_sd=0.6) for _ in range(2000)]
    spread = np.std([answers.mean() for answers in made])
    assert np.sqrt(np.mean([variance_of_mean(answers) for answers in made])) == pytest.approx(spread, rel=0.05)


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_a_bootstrap_over_seeds_and_inputs_agrees(seeds: int) -> None:
    """Owen 2007, arXiv:0712.1111: resampling both counts the component of the rest three times, so twice is taken off.

    One seed fewer is drawn than there are, so that the variance of few is not understated (Rao & Wu 1988, JASA 83).
    """
    answers = two_rows(np.random.default_rng(3), seeds, 400, seed_sd=0.3)
    random = np.random.default_rng(5)
    inputs, drawn = random.integers(0, 400, (6000, 400)), random.integers(0, seeds, (6000, seeds - 1))
    means = [answers[chosen][:, places].mean() for chosen, places in zip(drawn, inputs, strict=True)]
    rest = two_way(answers.astype(float))[2] ** 2
    assert np.var(means, ddof=1) - 2 * rest / answers.size == pytest.approx(variance_of_mean(answers), rel=0.08)


def test_ten_thousand_inputs_leave_seven_tenths_of_a_point_and_500_leave_three() -> None:
    random = np.random.default_rng(6)
    assert 0.006 < image_half_width(image_variance(one_row(random, 5, 10_000))) < 0.008
    assert 0.025 < image_half_width(image_variance(one_row(random, 5, 500))) < 0.035


def test_answers_that_never_vary_have_no_noise() -> None:
    assert image_half_width(image_variance(np.ones((3, 100), dtype=np.int8))) == 0.0


def test_one_seed_has_the_noise_of_its_inputs_and_no_interval() -> None:
    answers = one_row(np.random.default_rng(7), 1, 500)
    share, half_width = answers.mean(), image_half_width(image_variance(answers))
    assert half_width == pytest.approx(NORMAL * math.sqrt(share * (1 - share) / 499))
    assert math.isnan(with_images(over_seeds(answers), half_width).half_width)


def test_half_widths_are_added_as_squares() -> None:
    assert with_images(Estimate(0.5, 0.1, 3, 0.03), 0.04) == Estimate(0.5, 0.1, 3, 0.05)


def test_the_spread_of_several_columns_is_theirs_and_that_of_any_mixture() -> None:
    random = np.random.default_rng(8)
    columns = [dict(enumerate(one_row(random, 3, 200))) for _ in range(4)]
    spread = image_spread(columns)
    assert spread is not None
    alone = [noise_of_mean(column) for column in columns]
    assert np.sqrt(np.square(spread).sum(axis=0)).tolist() == pytest.approx(alone)
    mixed = {seed: 0.3 * columns[1][seed] + 0.7 * columns[2][seed] for seed in range(3)}
    inside = 0.3 * spread[:, 1] + 0.7 * spread[:, 2]
    assert math.sqrt(np.square(inside).sum()) == pytest.approx(noise_of_mean(mixed))


def test_the_labels_saved_are_covered_for_other_inputs_only_if_the_inputs_count() -> None:
    """Training from scratch on six budgets against one row, whose answers have hard inputs of their own."""
    random = np.random.default_rng(10)
    axis, levels = np.log([60.0, 120, 300, 600, 1200, 3000]), np.array([0.0, 0.6, 1.3, 1.8, 2.2, 2.6])

    def drawn(seeds: int, images: int) -> tuple[Floats, Floats]:
        """Answers from scratch `(budgets, seeds, images)`, and of the row `(seeds, images)`."""
        difficulty = random.normal(0, 1.5, images)
        luck = random.normal(0, 0.08, (len(levels), seeds, 1))
        scratch = logistic(levels[:, None, None] + luck + difficulty + random.normal(0, 1.0, images))
        row = logistic(1.5 + random.normal(0, 0.08, (seeds, 1)) + difficulty + random.normal(0, 1.0, images))
        return (random.random(scratch.shape) < scratch) * 1.0, (random.random(row.shape) < row) * 1.0

    def gaps(scratch: Floats, row: Floats) -> Floats:
        return (scratch - row).mean(axis=2).T

    truth = crossing(axis, np.mean([gaps(*drawn(20, 20_000)) for _ in range(10)], axis=0)).position
    hits = np.zeros(2)
    for _ in range(400):
        scratch, row = drawn(10, 500)
        inputs = image_spread([dict(enumerate(at - row)) for at in scratch])
        found = crossing(axis, gaps(scratch, row)), crossing(axis, gaps(scratch, row), inputs)
        hits += [each.low <= truth <= each.high for each in found]
    over_seeds, over_both = hits / 400
    assert over_seeds < 0.9
    assert 0.94 < over_both < 0.99


def test_what_rows_do_not_share_does_not_count() -> None:
    random = np.random.default_rng(9)
    first, second = (dict(enumerate(one_row(random, 3, 200))) for _ in range(2))
    assert shared_covariance([first, {}]) is None
    assert image_spread([first, {}]) is None
    assert noise_of_mean({}) == 0.0
    part = shared_covariance([first, {seed: second[seed] for seed in (0, 2)}])
    kept = np.array([[one[seed] for seed in (0, 2)] for one in (first, second)])
    assert part is not None
    assert part.tolist() == image_covariance(kept).tolist()


FRACTIONS = (0.01, 0.02, 0.05, 0.1)
RECORDS = [
    *(
        made
        for at, level in zip(FRACTIONS, (0.60, 0.70, 0.77, 0.82), strict=True)
        for made in supervised(level - 0.01, level, level + 0.02, fraction=at)
    ),
    *(
        made
        for name, levels in (("simclr", (0.72, 0.74, 0.76, 0.78)), ("vae", (0.50, 0.55, 0.58, 0.60)))
        for at, level in zip(FRACTIONS, levels, strict=True)
        for made in probes(name, level, level + 0.01, level + 0.01, fraction=at)
    ),
]


BUDGET_SCORES = [dataclasses.replace(made, split="budget") for made in RECORDS if made.pretext != "supervised"]


def laid_out(images: int) -> tuple[Layout, Layout]:
    """The records without answers, and with answers to so many inputs."""
    frame = from_records([*RECORDS, *BUDGET_SCORES])
    return lay_out(frame), lay_out(frame, answers=answered(RECORDS, images))


def test_intervals_of_tables_hold_for_other_inputs_where_answers_are_stored() -> None:
    without, having = (layout.blocks[0] for layout in laid_out(1000))
    bare, wide = judged(without)[0.01, "simclr"], judged(having)[0.01, "simclr"]
    assert bare.difference is not None
    assert wide.difference is not None
    ours, theirs = (having.lines[name].right(0.01) for name in ("simclr", "supervised"))
    apart = np.array([np.subtract(ours[each], theirs[each], dtype=np.int8) for each in sorted(ours)])
    images = image_half_width(image_variance(apart))
    assert wide.difference.half_width == pytest.approx(math.hypot(bare.difference.half_width, images))
    assert wide.reach > math.hypot(bare.reach, images)  # of several rows and columns at once
    narrow, accuracy = (accuracy_of(block.lines["simclr"], 0.01) for block in (without, having))
    own = noise_of_mean(ours)
    assert own > 0
    assert accuracy == with_images(narrow, own)
    assert block_noise(having)["simclr", 0.01] == own
    assert set(block_noise(without).values()) == {0.0}


def test_few_inputs_tell_fewer_rows_apart() -> None:
    """The seeds say that `simclr` is ahead and alone the best; with 20 inputs that may be luck."""
    without, having = (layout.blocks[0] for layout in laid_out(20))
    assert [judged(block)[0.02, "simclr"].outcome for block in (without, having)] == ["win", "tie"]
    assert [judged(block)[0.02, "supervised"].best for block in (without, having)] == [False, True]


def test_labels_saved_and_headlines_carry_the_inputs_too() -> None:
    without, having = map(Analysis, laid_out(200))
    for frame in ("multipliers", "areas", "crossovers"):
        bare, wide = (getattr(each, frame) for each in (without, having))
        assert (wide["low"] <= bare["low"]).all()
        assert (wide["high"] >= bare["high"]).all()
        assert ((wide["low"] < bare["low"]) | (wide["high"] > bare["high"])).any(), frame
    told = having.headlines.budgets
    assert (told["difference_low"] < without.headlines.budgets["difference_low"]).all()


def test_a_column_with_answers_missing_has_intervals_over_seeds_alone() -> None:
    frame, answers = from_records(RECORDS), dict(answered(RECORDS))
    for made in RECORDS:
        if made.pretext == "vae" and made.label_fraction == 0.01:
            del answers[made.cell_id]
    without, part = lay_out(frame).blocks[0], lay_out(frame, answers=answers).blocks[0]
    assert judged(part)[0.01, "simclr"] == judged(without)[0.01, "simclr"]
    assert judged(part)[0.1, "simclr"] != judged(without)[0.1, "simclr"]
