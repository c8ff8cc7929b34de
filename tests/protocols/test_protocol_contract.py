"""What every registered protocol promises, the rules of honesty among it: a new one is covered by its registry line."""

from __future__ import annotations

from sslbench.contract.spec import ProtocolConfig
from sslbench.protocols import PROTOCOLS
from sslbench.protocols.finetune import FinetuneConfig
from sslbench.testing import ProtocolContract


class TestRegistered(ProtocolContract):
    names = tuple(name for name in PROTOCOLS if PROTOCOLS.get(name).modality is None)

    def config(self, name: str) -> ProtocolConfig:
        """Of fine-tuning a short one: what it promises does not depend on its length."""
        return FinetuneConfig(min_steps=60, max_steps=60) if name == "finetune" else super().config(name)


class _Short(ProtocolContract):
    names = TestRegistered.names

    def config(self, name: str) -> ProtocolConfig:
        return FinetuneConfig(min_steps=20, max_steps=20) if name == "finetune" else super().config(name)


class TestOnSeries(_Short):
    modality, encoder = "series", "conv1d"


class TestOnTexts(_Short):
    modality, encoder = "text", "transformer"


class TestOfSeries(ProtocolContract):
    names = tuple(name for name in PROTOCOLS if PROTOCOLS.get(name).modality == "series")
    modality, encoder = "series", "conv1d"


class TestOfTexts(ProtocolContract):
    names = tuple(name for name in PROTOCOLS if PROTOCOLS.get(name).modality == "text")
    modality, encoder = "text", "bag"


def test_every_protocol_is_held_to_the_contract() -> None:
    assert {*TestRegistered.names, *TestOfSeries.names, *TestOfTexts.names} == set(PROTOCOLS)
