"""What test inputs add to an interval: against simulated truth, against a bootstrap, and in the numbers of a layout."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from sslbench.report.records import from_records
from sslbench.report.scores import lay_out
from sslbench.report.statistics.image_noise import (
    NORMAL,
    Matrix,
    block_noise,
    bootstrap_error,
    components,
    crossed_bootstrap,
    differences_with_images,
    image_half_width,
    matrix,
    standard_error,
    with_images,
)
from sslbench.report.statistics.replication import two_way
from sslbench.report.statistics.spread import Estimate, estimate
from tests.made_up import answered, probes, supervised

Floats = NDArray[np.float64]


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
        wide = with_images(narrow, image_half_width(answers))
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


def test_components_are_those_of_a_two_way_layout() -> None:
    answers = two_rows(np.random.default_rng(0), 5, 400)
    found = components(answers)
    assert [math.sqrt(variance) for variance in found] == pytest.approx(two_way(answers.astype(float))[:3])


def test_components_find_what_the_answers_were_made_of() -> None:
    random = np.random.default_rng(1)
    made = [components(one_row(random, 4, 500, seed_sd=0.6)) for _ in range(300)]
    many = components(one_row(random, 1000, 4000, seed_sd=0.6))
    assert np.mean(made, axis=0).tolist() == pytest.approx(list(many), rel=0.12)


def test_the_standard_error_is_that_of_the_mean_over_new_seeds_and_new_inputs() -> None:
    random = np.random.default_rng(2)
    made = [one_row(random, 4, 500, seed_sd=0.6) for _ in range(2000)]
    spread = np.std([answers.mean() for answers in made])
    assert np.sqrt(np.mean([standard_error(answers) ** 2 for answers in made])) == pytest.approx(spread, rel=0.05)


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_the_bootstrap_agrees_with_the_formula_but_for_what_it_counts_three_times(seeds: int) -> None:
    answers = two_rows(np.random.default_rng(3), seeds, 400, seed_sd=0.3)
    drawn = crossed_bootstrap(answers, draws=20_000)
    assert drawn.mean() == pytest.approx(answers.mean(), abs=5 * drawn.std() / math.sqrt(20_000))
    expected = standard_error(answers) ** 2 + 2 * components(answers).rest / answers.size
    assert drawn.var(ddof=1) == pytest.approx(expected, rel=0.04)
    assert bootstrap_error(answers, draws=20_000) == pytest.approx(standard_error(answers), rel=0.05)


def test_patterns_are_drawn_as_inputs_would_be() -> None:
    answers = two_rows(np.random.default_rng(4), 3, 300, seed_sd=0.3)
    random = np.random.default_rng(5)
    inputs, seeds = random.integers(0, 300, (4000, 300)), random.integers(0, 3, (4000, 2))
    plain = [answers[chosen][:, drawn].mean() for chosen, drawn in zip(seeds, inputs, strict=True)]
    found = crossed_bootstrap(answers, draws=4000)
    assert np.quantile(found, [0.1, 0.5, 0.9]) == pytest.approx(np.quantile(plain, [0.1, 0.5, 0.9]), abs=0.006)


def test_ten_thousand_inputs_leave_seven_tenths_of_a_point_and_500_leave_three() -> None:
    random = np.random.default_rng(6)
    assert 0.006 < image_half_width(one_row(random, 5, 10_000)) < 0.008
    assert 0.025 < image_half_width(one_row(random, 5, 500)) < 0.035


def test_answers_that_never_vary_have_no_noise() -> None:
    assert image_half_width(np.ones((3, 100), dtype=np.int8)) == 0.0
    assert standard_error(np.ones((3, 100), dtype=np.int8)) == 0.0


def test_one_seed_has_the_noise_of_its_inputs_and_no_interval() -> None:
    answers = one_row(np.random.default_rng(7), 1, 500)
    share = answers.mean()
    assert image_half_width(answers) == pytest.approx(NORMAL * math.sqrt(share * (1 - share) / 499))
    assert math.isnan(with_images(over_seeds(answers), image_half_width(answers)).half_width)
    assert math.isnan(standard_error(answers))
    assert math.isnan(bootstrap_error(answers))


def test_half_widths_are_added_as_squares() -> None:
    assert with_images(Estimate(0.5, 0.1, 3, 0.03), 0.04) == Estimate(0.5, 0.1, 3, 0.05)


RECORDS = [
    *(record for fraction in (0.01, 0.1, 0.5, 1.0) for record in supervised(0.70, 0.72, 0.74, fraction=fraction)),
    *(record for fraction in (0.01, 0.1, 0.5, 1.0) for record in probes("simclr", 0.80, 0.82, 0.81, fraction=fraction)),
    *(
        record
        for fraction in (0.01, 0.1)
        for record in probes("simclr", 0.6, 0.6, 0.6, fraction=fraction, protocol="knn")
    ),
]


def test_pairs_are_made_by_replicate_of_what_both_stored() -> None:
    answers = dict(answered(RECORDS))
    block = lay_out(from_records(RECORDS)).blocks[0]
    ours, theirs = block.runs("simclr", 0.01), block.runs("supervised", 0.01)
    whole = matrix(ours, answers, theirs)
    assert whole is not None
    assert whole.shape == (3, 1000)
    assert whole.mean(axis=1).tolist() == pytest.approx([0.10, 0.10, 0.07])
    del answers[ours[1].cell_id]
    part = matrix(ours, answers, theirs)
    assert part is not None
    assert part.tolist() == whole[[0, 2]].tolist()
    assert matrix(ours, {}, theirs) is None


def test_differences_are_shown_of_the_primary_protocol_at_three_fractions() -> None:
    layout = lay_out(from_records(RECORDS), primary="linear_probe", answers=answered(RECORDS))
    found = differences_with_images(layout)
    assert found["label_fraction"].tolist() == [0.01, 0.1, 1.0]
    assert set(found["protocol"]) == {"linear_probe"}
    assert found["difference"].tolist() == pytest.approx([0.09] * 3)
    assert (found["half_width"] ** 2).tolist() == pytest.approx(
        (found["seeds_half_width"] ** 2 + found["images_half_width"] ** 2).tolist()
    )
    assert (found["bootstrap_error"] / found["error"]).between(0.85, 1.15).all()


def test_cells_without_answers_are_absent() -> None:
    layout = lay_out(from_records(RECORDS), primary="linear_probe")
    assert differences_with_images(layout).empty
    assert block_noise(layout.blocks[0], layout.answers) == []
