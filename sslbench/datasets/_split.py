"""A fixed test split and a fixed order for datasets that come without one."""

from __future__ import annotations

import torch

from sslbench.contract.identity import named_seed


def hold_out(labels: torch.Tensor, share: float, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Split positions into train and test: of each class the rounded share is tested, at least one and never all.

    Positions are ordered by a hash of their names, so the split is the same on every machine and with every
    version of every random generator.

    Args:
        labels: int64 `(N,)`; every class present has two positions or more.
        share: of each class to test, in (0, 1).
        name: of the dataset; other names give other splits.

    Returns:
        Train and test positions, int64, each ascending.
    """
    train: list[int] = []
    test: list[int] = []
    for label in sorted(set(labels.tolist())):
        positions = torch.nonzero(labels == label).flatten().tolist()
        shuffled = sorted(positions, key=lambda position: named_seed("test split", name, position))
        count = min(max(round(share * len(positions)), 1), len(positions) - 1)
        test += shuffled[:count]
        train += shuffled[count:]
    return torch.tensor(sorted(train)), torch.tensor(sorted(test))


def mixed(count: int, name: str) -> torch.Tensor:
    """Positions in a fixed order without any order: what comes sorted by class would show one class at first.

    Pictures and measures of a representation look at the first inputs of a dataset.

    Args:
        name: of the dataset and of the part; the order depends on it and on the positions alone.

    Returns:
        int64 `(count,)`.
    """
    return torch.tensor(sorted(range(count), key=lambda position: named_seed("order", name, position)))
