"""Heads that sit on the representation during pretraining and are thrown away afterwards."""

from __future__ import annotations

import itertools

import torch
from torch import nn
from torch.nn import functional


def projector(
    in_dim: int, hidden_dim: int, out_dim: int, *, layers: int = 2, batch_norm: bool = True, end_norm: bool = False
) -> nn.Sequential:
    """A fully connected head `(N, in_dim)` -> `(N, out_dim)`: `layers` linear layers with ReLU between them.

    Args:
        in_dim, hidden_dim, out_dim: widths of its input, of every hidden layer and of its output.
        layers: how many linear layers; 1 is a single linear map.
        batch_norm: normalise every hidden layer before its ReLU. The linear layer in front then has no bias, which
            the normalisation would subtract again.
        end_norm: normalise the output too, without scale and shift (SimSiam's projector, arXiv:2011.10566, appendix A).
    """
    widths = [in_dim, *[hidden_dim] * (layers - 1)]
    parts: list[nn.Module] = []
    for before, after in itertools.pairwise(widths):
        parts.append(nn.Linear(before, after, bias=not batch_norm))
        if batch_norm:
            parts.append(nn.BatchNorm1d(after))
        parts.append(nn.ReLU(inplace=True))
    parts.append(nn.Linear(widths[-1], out_dim, bias=not end_norm))
    if end_norm:
        parts.append(nn.BatchNorm1d(out_dim, affine=False))
    return nn.Sequential(*parts)


def predictor(dim: int, hidden_dim: int) -> nn.Sequential:
    """The head `(N, dim)` -> `(N, dim)` that guesses one view's projection from the other's (BYOL, SimSiam)."""
    return projector(dim, hidden_dim, dim)


class Prototypes(nn.Module):
    """Cosine similarity of `(N, dim)` to each of `count` learned directions: `(N, count)` in [-1, 1].

    The last layer of SwAV (arXiv:2006.09882, section 3.1) and, as a weight-normalised layer of fixed length, of DINO
    (arXiv:2104.14294, appendix C). Directions are normalised where they are used, as DINO does; SwAV's code shortens
    the weights themselves after every step, which moves them the same way up to second order.
    """

    def __init__(self, dim: int, count: int) -> None:
        super().__init__()
        self.directions = nn.Parameter(functional.normalize(torch.randn(count, dim), dim=1))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return functional.linear(functional.normalize(z, dim=1), functional.normalize(self.directions, dim=1))
