"""What every registered protocol promises, the rules of honesty among it: a new one is covered by its registry line."""

from __future__ import annotations

from sslbench.protocols import PROTOCOLS
from sslbench.testing import ProtocolContract


class TestRegistered(ProtocolContract):
    names = tuple(PROTOCOLS)
