"""Contract tests for plug-ins: inherit the class of a family, name yours, and pytest holds it to all it promises.

`class TestMine(PretextContract): names = ("mine",)`, in a file that pytest collects, is all there is to write. pytest
itself is needed, which the rest of the package does without.
"""

from __future__ import annotations

from sslbench.testing._contract import Contract
from sslbench.testing.datasets import DatasetContract
from sslbench.testing.encoders import EncoderContract
from sslbench.testing.modalities import ModalityContract
from sslbench.testing.pretexts import BaselineContract, PretextContract
from sslbench.testing.protocols import ProtocolContract

__all__ = [
    "BaselineContract",
    "Contract",
    "DatasetContract",
    "EncoderContract",
    "ModalityContract",
    "PretextContract",
    "ProtocolContract",
]
