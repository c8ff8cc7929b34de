"""Random numbers that one part of a run cannot disturb in another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def island(seed: int) -> Iterator[None]:
    """Draw from torch's global generators as if just seeded with `seed`, then put them back as they were.

    Evaluations and pictures run on an island, so how often and in which order they happen changes no training.
    """
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
