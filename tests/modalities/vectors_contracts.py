"""The contracts of a foreign modality and of its plug-ins, as their author would have them tested.

Tasks and encoders for any modality are held to theirs on it, too. `test_modality_contract.py` runs this file.
"""

from __future__ import annotations

from sslbench.contract.spec import ProtocolConfig
from sslbench.pretexts import PRETEXTS
from sslbench.protocols import PROTOCOLS
from sslbench.protocols.finetune import FinetuneConfig
from sslbench.sweep.cells import does_not_fit
from sslbench.testing import (
    DatasetContract,
    EncoderContract,
    ModalityContract,
    PretextContract,
    ProtocolContract,
)
from tests.modalities import vectors

TASKS = tuple(name for name in PRETEXTS if PRETEXTS.get(name).trains)


class TestVector(ModalityContract):
    names = ("vector",)


class TestSteps(DatasetContract):
    names = ("steps",)


class TestNarrow(EncoderContract):
    names = ("narrow", "mlp")


class TestTasks(PretextContract):
    names = tuple(
        name for name in TASKS if does_not_fit(PRETEXTS.get(name), "narrow", vectors.Vector.examples[0]) is None
    )
    encoders = vectors.SUITE.encoders[:1]


class TestProtocols(ProtocolContract):
    names = tuple(name for name in PROTOCOLS if PROTOCOLS.get(name).modality in (None, "vector"))
    modality, encoder = "vector", "narrow"

    def config(self, name: str) -> ProtocolConfig:
        """Of fine-tuning a short one: what it promises does not depend on its length."""
        return FinetuneConfig(min_steps=60, max_steps=60) if name == "finetune" else super().config(name)
