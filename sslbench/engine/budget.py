"""Which training labels an evaluation may see."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch

from sslbench.contract.identity import named_seed
from sslbench.contract.spec import InputError


@dataclass(frozen=True)
class LabelBudget:
    """The labelled subset of one (dataset, fraction, seed).

    Attributes:
        indices: int64 `(n,)`, ascending positions in the training split.
        digest: hash of the indices, 16 hexadecimal digits.
    """

    indices: torch.Tensor
    digest: str


def draw_budget(dataset: str, labels: torch.Tensor, size: float, seed: int) -> LabelBudget:
    """Choose a stratified subset: of each class the rounded share, at least one; or of each class the same number.

    Each class is shuffled once per (dataset, seed) and a budget takes the head of every class, so a smaller
    budget lies inside a larger one, and pretext, encoder and protocol play no part.

    Args:
        labels: int64 `(N,)` of the training split.
        size: a float is a share of the labels, in (0, 1]; an int so many labels of every class, or all of a class that
            has fewer.

    Raises:
        InputError: the fraction is outside (0, 1].
    """
    if isinstance(size, float) and not 0 < size <= 1:
        raise InputError(f"label fraction {size:g} is outside (0, 1]; 0.01 means 1% of the labels")
    generator = torch.Generator().manual_seed(named_seed("labelled subset", dataset, seed))
    heads = []
    for label in range(int(labels.max()) + 1):
        members = (labels == label).nonzero().flatten()
        order = torch.randperm(len(members), generator=generator)
        count = size if isinstance(size, int) else max(1, round(size * len(members)))
        heads.append(members[order[:count]])
    indices = torch.cat(heads).sort().values
    return LabelBudget(indices, hashlib.sha256(indices.numpy().tobytes()).hexdigest()[:16])
