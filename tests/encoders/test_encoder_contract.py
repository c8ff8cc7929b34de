"""What every registered encoder promises, checked on each of them: a new one is covered by its line in the registry."""

from __future__ import annotations

import pytest

from sslbench.contract.spec import InputSpec
from sslbench.encoders import ENCODERS
from sslbench.testing import EncoderContract


class TestRegistered(EncoderContract):
    names = tuple(name for name in ENCODERS if name != "raw")


class TestRaw(EncoderContract):
    names = ("raw",)

    def latent_dim(self, spec: InputSpec) -> int:
        return spec.size


@pytest.mark.parametrize("name", tuple(ENCODERS))
def test_what_lies_among_those_of_a_modality_says_that_it_needs_it(name: str) -> None:
    room = ENCODERS.get(name).__module__.split(".")[2]
    assert ENCODERS.get(name).modality == {"images": "image", "series": "series", "text": "text"}.get(room)
