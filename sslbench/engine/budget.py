"""Which training labels an evaluation may see."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch

from sslbench.contract.errors import InputError
from sslbench.contract.identity import named_seed


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
    if isinstance(size, float):
        _check_fraction(size)
    generator = torch.Generator().manual_seed(named_seed("labelled subset", dataset, seed))
    heads = []
    for label in range(int(labels.max()) + 1):
        members = (labels == label).nonzero().flatten()
        order = torch.randperm(len(members), generator=generator)
        count = size if isinstance(size, int) else max(1, round(size * len(members)))
        heads.append(members[order[:count]])
    return _budget(torch.cat(heads))


def draw_unseen(dataset: str, inputs: int, fraction: float, seed: int) -> LabelBudget:
    """Choose inputs at random: no label has a say in which are labelled, and a class may be missing.

    Inputs are shuffled once per (dataset, seed) and a budget takes the head, so a smaller one lies inside a larger one.

    Args:
        inputs: how many the training split has.
        fraction: share of them, in (0, 1], rounded, at least one.

    Raises:
        InputError: the fraction is outside (0, 1].
    """
    _check_fraction(fraction)
    generator = torch.Generator().manual_seed(named_seed("labelled subset, drawn unseen", dataset, seed))
    return _budget(torch.randperm(inputs, generator=generator)[: max(1, round(fraction * inputs))])


def _check_fraction(fraction: float) -> None:
    if not 0 < fraction <= 1:
        raise InputError(f"label fraction {fraction:g} is outside (0, 1]; 0.01 means 1% of the labels")


def _budget(chosen: torch.Tensor) -> LabelBudget:
    indices = chosen.sort().values
    return LabelBudget(indices, hashlib.sha256(indices.numpy().tobytes()).hexdigest()[:16])
