"""Label-free measures of a representation, as pure functions of its features, and what collapse looks like in them.

Every measure depends on the number of samples and on the space it is taken in, so numbers compare only at the same
number in the same space: `diagnose` cuts to a fixed one, its caller names the space. Nothing here sees a label or
draws a random number, so a diagnosis cannot disturb a training.
"""

from __future__ import annotations

import torch

#: Samples of every measure but LiDAR. Twice the widest usual representation, so that a rank can reach the width.
NUM_SAMPLES = 2048

#: Samples of LiDAR, each in several views. The paper takes 1,000 samples in 50 views (arXiv:2312.04000, 5.1).
NUM_LIDAR_SAMPLES = 1000

#: Below this mean standard deviation of L2-normalised features, times sqrt(D), nothing but one point is left.
COMPLETE_COLLAPSE_STD = 0.05

#: Below this share of its dimensions (and below `MIN_RANK`) a representation has lost most of its directions.
MIN_RANK_SHARE = 0.05
MIN_RANK = 4.0


def rankme(features: torch.Tensor, epsilon: float = 1e-7) -> float:
    """Effective rank: exp of the entropy of the normalised singular values (Garrido et al. 2022, arXiv:2210.02885).

    Args:
        features: `(N, D)`, not centred, as in the paper (eq. 1).
        epsilon: added to every normalised singular value.

    Returns:
        A number in about [1, min(N, D)]; 1 for features that are all multiples of one vector. 0 for zeros alone.
    """
    sigma = torch.linalg.svdvals(features.double())
    total = sigma.sum()
    if total == 0:
        return 0.0
    p = sigma / total + epsilon
    return float((-(p * p.log()).sum()).exp())


def alpha_req(features: torch.Tensor) -> float:
    """Exponent alpha of the power law lambda_i ~ i^-alpha of the covariance's spectrum (Agrawal et al. 2022, arXiv:2202.05808).

    Args:
        features: `(N, D)`, centred here.

    Returns:
        The negative slope of log lambda_i against log i by least squares, 0 for a flat spectrum; near 1 is what the
        paper finds best, large is low-dimensional. Eigenvalues below 1e-12 of the largest are rounding and left out;
        NaN where fewer than two remain.
    """
    centred = features.double() - features.double().mean(dim=0)
    eigenvalues = torch.linalg.svdvals(centred).square()
    eigenvalues = eigenvalues[eigenvalues > 1e-12 * eigenvalues[0]]
    if len(eigenvalues) < 2:
        return float("nan")
    log_rank = torch.arange(1, len(eigenvalues) + 1, dtype=torch.float64, device=features.device).log()
    log_rank = log_rank - log_rank.mean()
    log_eigenvalue = eigenvalues.log()
    return float(-(log_rank * log_eigenvalue).sum() / log_rank.square().sum())
