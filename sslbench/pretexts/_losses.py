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


def info_nce(predicted: torch.Tensor, true: torch.Tensor, temperature: float) -> torch.Tensor:
    """Cross entropy of telling each true vector from the others (van den Oord et al. 2018, arXiv:1807.03748, eq. 4).

    With the nearest neighbours of one view for `predicted`, NNCLR's (Dwibedi et al. 2021, arXiv:2104.14548, eq. 2).

    Args:
        predicted, true: `(N, D)`; row i of both belongs together, the other rows of `true` are the N - 1 negatives.
            Normalised here.
        temperature: tau, the scale that divides the cosine similarities.

    Returns:
        Scalar; log N where predictions say nothing.
    """
    similarity = functional.normalize(predicted, dim=1) @ functional.normalize(true, dim=1).T
    return functional.cross_entropy(similarity / temperature, torch.arange(len(true), device=true.device))


def negative_cosine(p: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    """D(p, z): minus the mean cosine between rows (Chen & He 2020, arXiv:2011.10566, eq. 1), in [-1, 1].

    BYOL's squared distance of normalised vectors (arXiv:2006.07733, eq. 2) is 2 + 2 D(p, z).

    Args:
        p, z: predictions and their targets `(N, D)`; row i of both shows the same input. Normalised here.
    """
    return -functional.cosine_similarity(p, z, dim=1).mean()
