"""Heads that sit on the representation during pretraining and are thrown away afterwards."""

from __future__ import annotations

import itertools

from torch import nn


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
