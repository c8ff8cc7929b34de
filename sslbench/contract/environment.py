"""Environment variables for a while: what a person has set stays."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def unless_set(values: Mapping[str, str]) -> Iterator[None]:
    """Set those variables that are not set, and unset them afterwards."""
    added = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]
