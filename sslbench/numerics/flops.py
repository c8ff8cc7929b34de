"""Floating-point operations, counted while they are done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def counted(work: Callable[[], T]) -> tuple[T, float]:
    """What a piece of work returns, and the operations of its matrix products and convolutions, backward included."""
    from torch.utils.flop_counter import FlopCounterMode  # brings Triton along, which a plan can do without

    with FlopCounterMode(display=False) as counter:
        found = work()
    return found, float(counter.get_total_flops())
