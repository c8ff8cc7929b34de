"""What a cell is, as a hash, and which random numbers it draws: both depend on names, never on places."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any


def canonical(value: Any) -> Any:
    """Reduce dataclasses, mappings and sequences to JSON values with one spelling each.

    Raises:
        TypeError: a value has no canonical form, so it must not define a cell.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: canonical(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    if isinstance(value, float):
        return repr(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TypeError(f"{type(value).__name__} has no canonical form: {value!r}")


def digest(value: Any) -> str:
    """Hash of a definition, 16 hexadecimal digits; equal definitions give equal digests on any machine."""
    text = json.dumps(canonical(value), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def named_seed(*names: str | int | float) -> int:
    """Seed in [0, 2**63) that depends on the names alone, e.g. `named_seed("labels", "digits", 0)`.

    Naming each use of randomness keeps them apart: two pretexts share the labelled subset because its
    name holds no pretext, and differ in initialisation because that name does.
    """
    text = json.dumps(canonical(list(names)), separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
