"""Where a gap passes zero: hand-worked curves, the inverted t-test against scipy, and what it covers in simulation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from sklearn.isotonic import IsotonicRegression

from sslbench.report.statistics.crossing import Where, crossing, monotone

Floats = NDArray[np.float64]

BUDGETS = np.log(np.array([600, 3000, 6000, 15000, 60000.0]))
STEEP = np.array([0.70, 0.78, 0.81, 0.84, 0.87])
FLAT = np.array([0.807, 0.843, 0.846, 0.848, 0.852])


def shifted(curve: list[float], *shifts: float) -> Floats:
    """One gap curve per shift."""
    return np.array(curve) + np.array(shifts)[:, None]


def gap_at(position: float, axis: Floats, gaps: Floats) -> Floats:
    """Every seed's gap, interpolated."""
    return np.array([np.interp(position, axis, seed) for seed in gaps])


def test_a_straight_gap_passes_zero_where_arithmetic_says():
    found = crossing(np.array([0.0, 1.0, 3.0]), shifted([-0.1, 0.1, 0.3], 0.0))
    assert (found.where, found.position) == (Where.WITHIN, pytest.approx(0.5))
    found = crossing(np.array([0.0, 1.0, 3.0]), shifted([-0.3, -0.1, 0.1], 0.0))
    assert found.position == pytest.approx(2.0)


def test_a_plateau_at_zero_counts_from_its_first_point():
    assert crossing(np.arange(4.0), shifted([-0.1, 0.0, 0.0, 0.1], 0.0)).position == 1


def test_a_dip_is_levelled_before_the_crossing_is_read():
    found = crossing(np.arange(4.0), shifted([-0.2, 0.1, -0.1, 0.4], 0.0))  # 0.1 and -0.1 pool to 0
    assert found.position == 1


def test_one_seed_has_a_place_but_no_interval():
    found = crossing(np.arange(2.0), shifted([-0.1, 0.1], 0.0))
    assert found.position == pytest.approx(0.5)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_seeds_that_agree_leave_no_room_around_the_crossing():
    found = crossing(np.arange(2.0), shifted([-0.1, 0.3], 0.0, 0.0, 0.0))
    assert (found.low, found.position, found.high) == pytest.approx((0.25, 0.25, 0.25))


def test_a_gap_that_never_closes_is_bounded_by_the_last_budget_only():
    far = crossing(np.arange(3.0), shifted([-0.3, -0.25, -0.2], -0.01, 0.0, 0.01))
    assert (far.where, far.low, far.high) == (Where.BEYOND, 2.0, math.inf)
    assert math.isnan(far.position)
    near = crossing(np.arange(3.0), shifted([-0.3, -0.2, -0.01], -0.01, 0.0, 0.01))  # the last is within 0.0248
    assert near.where is Where.BEYOND
    assert 1 < near.low < 2
    assert near.high == math.inf


def test_a_gap_that_is_closed_from_the_start_is_bounded_by_the_first_budget_only():
    found = crossing(np.arange(3.0), shifted([0.2, 0.25, 0.3], -0.01, 0.0, 0.01))
    assert (found.where, found.low, found.high) == (Where.BELOW, -math.inf, 0.0)


def test_a_gap_lost_in_noise_has_an_interval_that_the_data_does_not_bound():
    found = crossing(np.arange(3.0), shifted([-0.01, 0.0, 0.01], -0.1, 0.0, 0.1))
    assert (found.low, found.high) == (-math.inf, math.inf)


def test_the_hand_worked_interval_of_a_quadratic_comes_out():
    """Seeds at (-2, -1, 0) then (10, 10, 10) points: |11w - 1| <= 4.303 / sqrt(3) (1 - w)."""
    gaps = np.array([[-0.02, 0.10], [-0.01, 0.10], [0.0, 0.10]])
    reach = 4.302653 / math.sqrt(3)
    found = crossing(np.arange(2.0), gaps)
    assert found.position == pytest.approx(1 / 11)
    assert (found.low, found.high) == (-math.inf, pytest.approx((1 + reach) / (11 + reach), rel=1e-6))


@pytest.mark.parametrize("truth", [STEEP, FLAT])
def test_a_t_test_at_either_end_of_the_interval_is_just_significant(truth: Floats):
    rng = np.random.default_rng(3)
    gaps = truth - truth[2] + rng.normal(0, 0.0004, (5, len(truth)))
    found = crossing(BUDGETS, gaps)
    assert BUDGETS[0] < found.low < found.position < found.high < BUDGETS[-1]
    for end in (found.low, found.high):
        assert stats.ttest_1samp(gap_at(end, BUDGETS, gaps), 0).pvalue == pytest.approx(0.05, abs=1e-6)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=6))
@settings(max_examples=50, deadline=None)
def test_the_monotone_curve_agrees_with_scikit_learn(values: list[float]):
    expected = IsotonicRegression().fit_transform(np.arange(len(values)), values)
    assert monotone(np.array(values)) == pytest.approx(expected, abs=1e-9)


@given(st.permutations(range(5)))
@settings(max_examples=20, deadline=None)
def test_the_order_of_seeds_does_not_show(order: list[int]):
    gaps = STEEP - 0.8 + np.random.default_rng(0).normal(0, 0.01, (5, 5))
    found, shuffled = crossing(BUDGETS, gaps), crossing(BUDGETS, gaps[order])
    ends = found.position, found.low, found.high
    assert (shuffled.position, shuffled.low, shuffled.high) == pytest.approx(ends)


def test_nothing_to_compare_is_an_error():
    with pytest.raises(ValueError, match="at least one"):
        crossing(BUDGETS, np.zeros((0, 5)))


def simulated(truth: Floats, level: float, seeds: int, trials: int) -> Floats:
    """Gaps of `trials` studies, (trials, seeds, budgets): labels shift both curves of a seed, training each alone."""
    rng = np.random.default_rng(seeds)
    scratch = truth + rng.normal(0, 0.005, (trials, seeds, len(truth)))
    pretrained = level + rng.normal(0, 0.005, (trials, seeds, 1))
    return scratch - pretrained  # what labels add to both cancels


@pytest.mark.parametrize(("truth", "level"), [(STEEP, 0.80), (STEEP, 0.86), (FLAT, 0.83), (FLAT, 0.847)])
@pytest.mark.parametrize("seeds", [3, 5])
def test_the_interval_covers_the_truth_at_its_nominal_rate(truth: Floats, level: float, seeds: int):
    position = np.interp(level, truth, BUDGETS)
    found = [crossing(BUDGETS, gaps) for gaps in simulated(truth, level, seeds, 2000)]
    covered = np.mean([one.low <= position <= one.high for one in found])
    assert covered > 0.95 - 3 * math.sqrt(0.95 * 0.05 / 2000)


def test_the_alternatives_cover_less_which_is_why_they_are_not_used():
    """At 3 seeds: percentile bootstrap over seeds (all 27 resamples), and Student t over per-seed positions."""
    position = np.interp(0.847, FLAT, BUDGETS)
    resamples = np.array(list(itertools.product(range(3), repeat=3)))
    bootstrap = student = 0.0
    trials = 200
    for gaps in simulated(FLAT, 0.847, 3, trials):
        ends = np.quantile([read(curve) for curve in gaps[resamples].mean(axis=1)], [0.025, 0.975])
        bootstrap += float(ends[0] <= position <= ends[1]) / trials
        each = np.array([read(seed) for seed in gaps])
        student += float(abs(each.mean() - position) <= 4.302653 * each.std(ddof=1) / math.sqrt(3)) / trials
    assert bootstrap < 0.8
    assert student < 0.93


def read(curve: Floats) -> float:
    """Where one curve passes zero; the nearest budget if it does not, as one has to put something."""
    found = crossing(BUDGETS, curve[None, :])
    ends = {Where.BELOW: BUDGETS[0], Where.BEYOND: BUDGETS[-1], Where.WITHIN: found.position}
    return float(ends[found.where])
