"""Floating-point operations, counted while they are done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from torch.utils._python_dispatch import TorchDispatchMode

T = TypeVar("T")


def counted(work: Callable[[], T]) -> tuple[T, float]:
    """What a piece of work returns, and the operations of its matrix products and convolutions, backward included."""
    with _Mode() as counter:
        found = work()
    return found, float(counter.flops)


class _Counter:
    """Adds up what torch's own formulas say of every operation that has one, as its `FlopCounterMode` does.

    A mode that defines the method below itself, as that one, loads torch's compiler to keep it from the method: 75 MB
    and a second; one that inherits it does not.
    """

    def __init__(self) -> None:
        super().__init__()
        self.flops = 0

    def __torch_dispatch__(
        self: Any, operation: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        from torch.utils.flop_counter import flop_registry  # loads triton, unless this process does without

        kwargs = kwargs or {}
        formula = flop_registry.get(operation.overloadpacket)
        if formula is None:
            with self:
                parts = operation.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        found = operation(*args, **kwargs)
        if formula is not None:
            self.flops += formula(*args, **kwargs, out_val=found)
        return found


class _Mode(_Counter, TorchDispatchMode):
    """The counter, active while entered."""
