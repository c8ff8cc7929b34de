"""Losses that several tasks share, as pure functions in the symbols of their papers."""

from __future__ import annotations

import torch
from torch.nn import functional


def nt_xent(z_a: torch.Tensor, z_b: torch.Tensor, temperature: float) -> torch.Tensor:
    """Normalised temperature-scaled cross entropy between two views (Chen et al. 2020, arXiv:2002.05709, eq. 1).

    Args:
        z_a, z_b: projections `(N, D)`; row i of both shows the same input. Normalised here.
        temperature: tau, the scale that divides the cosine similarities.

    Returns:
        Scalar: the mean over all 2N anchors, each against its partner and 2N - 2 negatives.
    """
    count = z_a.shape[0]
    z = functional.normalize(torch.cat([z_a, z_b]), dim=1)
    similarity = (z @ z.T) / temperature
    similarity.fill_diagonal_(float("-inf"))
    partner = torch.arange(2 * count, device=z.device).roll(count)
    return functional.cross_entropy(similarity, partner)


def negative_cosine(p: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    """D(p, z): minus the mean cosine between rows (Chen & He 2020, arXiv:2011.10566, eq. 1), in [-1, 1].

    BYOL's squared distance of normalised vectors (arXiv:2006.07733, eq. 2) is 2 + 2 D(p, z).

    Args:
        p, z: predictions and their targets `(N, D)`; row i of both shows the same input. Normalised here.
    """
    return -functional.cosine_similarity(p, z, dim=1).mean()
