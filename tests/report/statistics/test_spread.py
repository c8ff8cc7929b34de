"""Statistics against hand-worked numbers and against scipy and statsmodels."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from sslbench.report.scores.replicates import Replicate, independent
from sslbench.report.statistics.spread import estimate, holm, paired_difference, paired_p_value

scores = st.floats(0, 1, allow_nan=False)


def seeded(*values: float) -> dict[int, float]:
    return dict(enumerate(values))


def test_three_equally_spaced_scores_have_the_interval_worked_by_hand():
    found = estimate([0.70, 0.71, 0.72])
    assert found.mean == pytest.approx(0.71)
    assert found.sd == pytest.approx(0.01)
    assert found.half_width == pytest.approx(4.302653 * 0.01 / math.sqrt(3), rel=1e-6)


def test_crossed_seeds_count_once_with_one_label_seed_each():
    crossed = [Replicate(seed, labels) for seed in (0, 1, 2) for labels in (7, 8, 9, 10)]
    assert independent(crossed) == [(0, 7), (1, 8), (2, 9)]
    same_numbers = [Replicate(seed, labels) for seed in (0, 1) for labels in (0, 1, 2)]
    assert independent(same_numbers) == [(0, 0), (1, 1)]
    paired = [Replicate(seed, 100 - seed) for seed in (2, 0, 1)]
    assert independent(paired) == sorted(paired)
    assert independent([]) == []


def test_two_scores_reach_twelve_standard_errors():
    assert estimate([0.70, 0.72]).half_width == pytest.approx(12.706205 * 0.01, rel=1e-6)


def test_one_score_has_no_spread_and_no_interval():
    found = estimate([0.7])
    assert (found.mean, found.n) == (0.7, 1)
    assert math.isnan(found.sd)
    assert math.isnan(found.half_width)


def test_no_scores_are_no_estimate():
    with pytest.raises(ValueError, match="no values"):
        estimate([])


@given(st.lists(scores, min_size=2, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_scores_does_not_show(values: list[float], shuffler: random.Random):
    shuffled = values.copy()
    shuffler.shuffle(shuffled)
    assert estimate(shuffled) == estimate(values)


def test_the_interval_agrees_with_scipy():
    values = [0.812, 0.807, 0.821, 0.799, 0.815]
    low, high = stats.t.interval(0.95, 4, loc=stats.tmean(values), scale=stats.sem(values))
    found = estimate(values)
    assert (found.mean - found.half_width, found.mean + found.half_width) == pytest.approx((low, high))


def test_intervals_cover_the_truth_at_their_nominal_rate():
    drawn = random.Random(0)
    covered = 0
    for _ in range(2000):
        found = estimate([drawn.gauss(0.8, 0.01) for _ in range(4)])
        covered += abs(found.mean - 0.8) <= found.half_width
    assert covered / 2000 == pytest.approx(0.95, abs=0.015)


def test_a_difference_is_paired_by_seed_and_uses_only_shared_seeds():
    found = paired_difference({0: 0.80, 1: 0.90, 7: 0.10}, {1: 0.85, 0: 0.77, 5: 0.99})
    assert found is not None
    assert found.n == 2
    assert found.mean == pytest.approx(0.04)
    assert found.sd == pytest.approx(0.01 * math.sqrt(2))


def test_without_a_shared_seed_there_is_no_difference():
    assert paired_difference({0: 0.8}, {1: 0.8}) is None


def test_the_paired_test_agrees_with_scipy():
    left, right = [0.81, 0.83, 0.80, 0.84], [0.80, 0.80, 0.79, 0.82]
    difference = paired_difference(seeded(*left), seeded(*right))
    assert difference is not None
    assert paired_p_value(difference) == pytest.approx(stats.ttest_rel(left, right).pvalue)


def test_a_constant_difference_is_certain_and_rounding_is_none():
    certain = paired_difference(seeded(0.75, 0.5), seeded(0.5, 0.25))
    rounding = paired_difference(seeded(0.1 + 0.2, 0.1 + 0.2), seeded(0.3, 0.3))
    assert certain is not None
    assert rounding is not None
    assert paired_p_value(certain) == 0
    assert paired_p_value(rounding) == 1


def test_a_single_pair_has_no_test():
    with pytest.raises(ValueError, match="two seeds"):
        paired_p_value(estimate([0.1]))


@given(st.lists(scores, min_size=1, max_size=12))
@settings(max_examples=10, deadline=None)  # statsmodels collects garbage at every call: seconds with torch in memory
def test_holm_agrees_with_statsmodels(p_values: list[float]):
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1].tolist())
