"""Versions of the plug-ins as they are now."""

from __future__ import annotations

from typing import Any

from sslbench.contract.registry import Registry
from sslbench.datasets import DATASETS
from sslbench.encoders import ENCODERS
from sslbench.pretexts import PRETEXTS
from sslbench.protocols import PROTOCOLS


def current_versions() -> dict[tuple[str, str], int]:
    """Of every plug-in, by kind and name: what another version computed is stale."""
    registries: dict[str, Registry[Any]] = {
        "dataset": DATASETS,
        "encoder": ENCODERS,
        "pretext": PRETEXTS,
        "protocol": PROTOCOLS,
    }
    return {(kind, entry): plugins.version(entry) for kind, plugins in registries.items() for entry in plugins}
