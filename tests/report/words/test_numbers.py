"""How numbers are written: one set of formatters for tables, page, sentences and terminal."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from sslbench.report.statistics import estimate
from sslbench.report.words import numbers


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        (numbers.percent, 0.01, "1%"),
        (numbers.percent, 0.125, "12.5%"),
        (numbers.rounded_percent, 0.03162, "3.2%"),
        (numbers.points, -0.0004, "0.0"),
        (numbers.points, 0.0256, "2.6"),
        (numbers.times, 0.333, "0.33"),
        (numbers.times, 2345.0, "2,345"),
        (numbers.times, math.inf, "∞"),
        (numbers.p_value, 0.0341, "0.034"),
        (numbers.p_value, 1e-9, "<0.001"),
        (numbers.p_value, math.nan, "–"),
        (numbers.three_digits, 1234.5, "1,234"),
        (numbers.three_digits, 0.01481, "0.0148"),
        (numbers.three_digits, math.nan, "–"),
        (numbers.duration, 42.4, "42 s"),
        (numbers.duration, 750.0, "12.5 min"),
        (numbers.duration, 12_240.0, "3.4 h"),
        (numbers.count, 59904.0, "59,904"),
        (numbers.flops, 1.834e12, "1.83 TFLOPs"),
        (numbers.flops, 12.0, "12"),
        (numbers.flops, math.nan, "–"),
    ],
)
def test_numbers_are_written_as_people_read_them(form: Callable[[float], str], value: float, text: str) -> None:
    assert form(value) == text


def test_a_difference_shows_its_sign_unless_it_is_nothing() -> None:
    assert [numbers.points(share, signed=True) for share in (0.031, -0.031, 0.0, -0.0001)] == [
        *("+3.1", "-3.1", "0.0", "0.0")
    ]
    assert numbers.points(0.00123, digits=2, signed=True) == "+0.12"


def test_an_accuracy_has_its_half_width_if_there_is_one() -> None:
    assert numbers.accuracy(estimate([0.76, 0.77])) == "76.5 ± 6.4"
    assert numbers.accuracy(estimate([0.76])) == "76.0"


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (1.1, 1.9, "[1.1, 1.9]"),
        (0.0, 1.9, "[at most 1.9]"),
        (1.1, math.inf, "[at least 1.1]"),
        (0.0, math.inf, numbers.NO_BOUND),
        (math.nan, math.nan, numbers.ONE_SEED),
    ],
)
def test_ends_that_the_data_does_not_bound_are_said_in_words(low: float, high: float, text: str) -> None:
    assert numbers.times_interval(low, high) == text


def test_one_thing_is_counted_without_a_plural() -> None:
    assert [numbers.counted(number, "cell") for number in (1, 2, 1200)] == ["1 cell", "2 cells", "1,200 cells"]
