"""How numbers are written, everywhere: in tables, on the page, in sentences and on the terminal."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it imports scipy, which a terminal that only counts can do without
    from sslbench.report.statistics.spread import Estimate

#: What stands where there is no number.
NOT_RUN = "–"

ONE_SEED = "(one seed: no interval)"
NO_BOUND = "(an interval the data does not bound)"

_FLOPS = ((1e15, "PFLOPs"), (1e12, "TFLOPs"), (1e9, "GFLOPs"), (1e6, "MFLOPs"))


def percent(share: float) -> str:
    """A label fraction as people write it: 0.01 is `1%`, and two labels a class of 1,297 in ten classes are `1.54%`."""
    return f"{100 * share:.3g}%"


def accuracy(found: Estimate) -> str:
    """`76.3 ± 0.4` in percent; without an interval if there is one seed."""
    return within(found.mean, found.half_width)


def within(share: float, half_width: float, digits: int = 1, signed: bool = False) -> str:
    """A share as percentage points and how far to trust it, `1.4 ± 0.2`; without an interval if that is NaN."""
    text = points(share, digits, signed)
    return text if math.isnan(half_width) else f"{text} ± {points(half_width, digits)}"


def points(share: float, digits: int = 1, signed: bool = False) -> str:
    """A share as percentage points and no sign of zero: `1.4`, `-2.6`, `0.0`; `+1.4` if signed."""
    rounded = round(100 * share, digits)
    return f"{rounded:+.{digits}f}" if signed and rounded else f"{rounded or 0.0:.{digits}f}"


def times(multiple: float) -> str:
    """A multiple with two digits that matter: 0.33, 1.4, 11, 2,300."""
    if multiple == 0 or math.isinf(multiple):
        return "0" if multiple == 0 else "∞"
    return f"{multiple:,.0f}" if multiple >= 9.95 else f"{multiple:.2g}"


def rounded_percent(fraction: float) -> str:
    """A label fraction that was computed, with two digits that matter: `3.2%`."""
    return f"{float(f'{100 * fraction:.2g}'):g}%"


def p_value(p: float) -> str:
    """`0.034`, `<0.001`; `–` without a test."""
    return NOT_RUN if math.isnan(p) else f"{p:.3f}" if p >= 0.001 else "<0.001"


def interval(low: str, high: str) -> str:
    """`[1.1, 1.9]`."""
    return f"[{low}, {high}]"


def ranged(text: str, low: float, high: float, form: Callable[[float], str]) -> str:
    """`1.4 [1.1, 1.9]`; the text alone if there is no interval."""
    return text if math.isnan(low) else f"{text} {interval(form(low), form(high))}"


def points_interval(low: float, high: float) -> str:
    """`[-1.5, 1.4]` in points, or that one seed has none."""
    return ONE_SEED if math.isnan(low) else interval(points(low), points(high))


def times_interval(low: float, high: float) -> str:
    """`[1.1, 1.9]`; an end that the data does not bound is said in words."""
    return _bounds(low, high, times)


def fraction_interval(low: float, high: float) -> str:
    """As `times_interval`, for label fractions."""
    return _bounds(low, high, rounded_percent)


def _bounds(low: float, high: float, form: Callable[[float], str]) -> str:
    if math.isnan(low):
        return ONE_SEED
    if low == 0 or math.isinf(high):
        ends = "" if low == 0 and math.isinf(high) else f"most {form(high)}" if low == 0 else f"least {form(low)}"
        return f"[at {ends}]" if ends else NO_BOUND
    return interval(form(low), form(high))


def three_digits(amount: float) -> str:
    """Seconds, epochs and the like with three digits; `–` if not measured."""
    if math.isnan(amount):
        return NOT_RUN
    return f"{amount:,.0f}" if amount >= 100 else f"{amount:.3g}"


def duration(spent: float) -> str:
    """Seconds as people say them: `42 s`, `12.5 min`, `3.4 h`."""
    if spent < 90:
        return f"{spent:.0f} s"
    return f"{spent / 60:.1f} min" if spent < 5400 else f"{spent / 3600:.1f} h"


def count(number: float) -> str:
    """A whole number with thousands separated; `–` if not measured."""
    return NOT_RUN if math.isnan(number) else f"{number:,.0f}"


def counted(number: int, noun: str) -> str:
    """`1 cell`, `2 cells`, `1,200 cells`."""
    return f"1 {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(parts: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def span(numbers: list[int] | tuple[int, ...]) -> str:
    """Increasing whole numbers in short: `600`, or `600 to 612`."""
    return f"{numbers[0]:,}" if len(numbers) == 1 else f"{numbers[0]:,} to {numbers[-1]:,}"


def flops(number: float) -> str:
    """Floating point operations in the unit that leaves one to three digits; `–` if not measured."""
    for size, unit in _FLOPS:
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return count(number)
