"""What all contracts have in common: every test runs once for every name. Imported before any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar

import torch

from sslbench.contract.spec import InputSpec
from sslbench.modalities import MODALITIES, modality_of

try:
    import pytest
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("sslbench.testing needs pytest; install it with: pip install pytest") from error

# So that assertions which fail show what they compared, as those of a test file do.
pytest.register_assert_rewrite(
    *(f"sslbench.testing.{family}" for family in ("datasets", "encoders", "modalities", "pretexts", "protocols"))
)


class Contract:
    """Tests over plug-ins of one family.

    Attributes:
        names: under which the plug-ins are registered.
    """

    names: ClassVar[Sequence[str]]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each test for each name."""
        metafunc.parametrize("name", self.names)


def examples(modality: str | None = None, *, measured: bool = False) -> Iterator[InputSpec]:
    """Every kind of input that plug-ins are tried on, modality after modality.

    Args:
        modality: only of this one; None for all.
        measured: only inputs of measured values, which a network of no modality takes.
    """
    for name in MODALITIES:
        if modality in (None, name) and (MODALITIES.get(name).measured or not measured):
            yield from MODALITIES.get(name).examples


def made_up_batch(spec: InputSpec, count: int, seed: int = 1) -> torch.Tensor:
    """A batch `(count, ...)` of made-up inputs, the same for the same seed."""
    modality = modality_of(spec)
    return modality.batch(modality.made_up(spec, count, seed))


def seeded(seed: int, draw: Callable[[], torch.Tensor]) -> torch.Tensor:
    """What a function returns after seeding torch's global generator."""
    torch.manual_seed(seed)
    return draw()


def same(first: Mapping[str, torch.Tensor], second: Mapping[str, torch.Tensor]) -> bool:
    """Whether two states hold the same tensors, to the bit."""
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
