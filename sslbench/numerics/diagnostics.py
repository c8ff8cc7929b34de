"""Label-free measures of a representation, as pure functions of its features, and what collapse looks like in them.

Every measure depends on the number of samples and on the space it is taken in, so numbers compare only at the same
number in the same space: `diagnose` cuts to a fixed one, its caller names the space. Nothing here sees a label or
draws a random number, so a diagnosis cannot disturb a training.
"""

from __future__ import annotations

import torch
from torch.nn import functional

#: Samples of every measure but LiDAR. Twice the widest usual representation, so that a rank can reach the width.
NUM_SAMPLES = 2048

#: Samples of LiDAR, each in several views. The paper takes 1,000 samples in 50 views (arXiv:2312.04000, 5.1).
NUM_LIDAR_SAMPLES = 1000

#: Below this share of the standard deviation that evenly spread directions have, one direction is left.
COMPLETE_COLLAPSE_SPREAD = 0.05

#: Below this share of the scale its loss asks for, a projection has shrunk to a point.
SHRUNK = 0.05

#: Below this effective rank (or half the dimensions, if that is less) a few directions are left.
MIN_RANK = 3.0


def rankme(features: torch.Tensor, epsilon: float = 1e-7) -> float:
    """Effective rank: exp of the entropy of the normalised singular values (Garrido et al. 2022, arXiv:2210.02885).

    Args:
        features: `(N, D)`, not centred, as in the paper (eq. 1).
        epsilon: added to every normalised singular value.

    Returns:
        A number in about [1, min(N, D)]; 1 for features that are all multiples of one vector. 0 for zeros alone.
    """
    return _effective_rank(torch.linalg.svdvals(features.double()), epsilon)


def alpha_req(features: torch.Tensor) -> float:
    """Exponent of the power law i^-alpha of the covariance's spectrum (Agrawal et al. 2022, arXiv:2202.05808).

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


def lidar(views: torch.Tensor, delta: float = 1e-4, epsilon: float = 1e-7) -> float:
    """Effective rank of what tells samples apart and survives their views (Thilak et al. 2023, arXiv:2312.04000).

    Linear discriminant analysis with every sample as a class of its own: the between-sample covariance is whitened
    by the within-sample one, and the entropy of its eigenvalues is read as in RankMe.

    Args:
        views: `(N, V, D)`, V >= 2 views of each sample.
        delta: added to the within-sample covariance's diagonal. It has the features' squared unit, as in the paper,
            so features of a tiny scale must not be compared with others.
        epsilon: added to every normalised eigenvalue.

    Returns:
        A number in about [1, min(N - 1, D)]; 0 where all samples have one mean.
    """
    views = views.double()
    means = views.mean(dim=1)
    between = _covariance(means - means.mean(dim=0))
    within = _covariance((views - means[:, None]).flatten(0, 1))
    within += delta * torch.eye(views.shape[2], dtype=views.dtype, device=views.device)
    # L^-1 B L^-T with W = L L^T has the eigenvalues of W^-1/2 B W^-1/2, without a matrix square root.
    lower = torch.linalg.cholesky(within)
    half = torch.linalg.solve_triangular(lower, between, upper=False)
    whitened = torch.linalg.solve_triangular(lower, half.T, upper=False)
    return _effective_rank(torch.linalg.eigvalsh(whitened).clamp(min=0), epsilon)


def uniformity(features: torch.Tensor, t: float = 2.0) -> float:
    """How evenly directions fill the sphere: log mean exp(-t |u - v|^2) (Wang & Isola 2020, arXiv:2005.10242, 4.1.2).

    Args:
        features: `(N, D)`, L2-normalised here; the mean is over all pairs of two different samples.

    Returns:
        At most 0, which is a single direction; the lower the more even, about -2t in many dimensions.
    """
    z = functional.normalize(features.double(), dim=1)
    return float(torch.pdist(z).square().mul(-t).exp().mean().log())


def alignment(views: torch.Tensor) -> float:
    """Mean squared distance of two views of one sample (Wang & Isola 2020, arXiv:2005.10242, 4.1.1, alpha = 2).

    Args:
        views: `(N, V, D)`, V >= 2, L2-normalised here; the mean is over all pairs of two different views.

    Returns:
        A number in [0, 4]; 0 where a sample's views agree, 2 where they are independent of each other.
    """
    z = functional.normalize(views.double(), dim=2)
    count = z.shape[1]
    # For unit vectors |sum of all|^2 = V + the cosines of all ordered pairs, and |u - v|^2 = 2 - 2 cos.
    cosine = (z.sum(dim=1).square().sum(dim=1) - z.square().sum(dim=(1, 2))) / (count * (count - 1))
    return float((2 - 2 * cosine).mean())


def per_dimension_std(features: torch.Tensor) -> float:
    """Mean over dimensions of the standard deviation of L2-normalised features (Chen & He 2020, arXiv:2011.10566, 4.1).

    Args:
        features: `(N, D)`.

    Returns:
        About 1 / sqrt(D) for directions spread over the whole sphere, 0 for a single one.
    """
    return float(functional.normalize(features.double(), dim=1).std(dim=0).mean())


def diagnose(features: torch.Tensor, views: torch.Tensor) -> dict[str, float]:
    """Every measure of one space, by name, at the fixed number of samples.

    Args:
        features: `(N, D)`; the first `NUM_SAMPLES` are used.
        views: `(M, V, D)`, random views of samples in the same space; the first `NUM_LIDAR_SAMPLES` are used.

    Raises:
        ValueError: the features are not finite, which no measure could describe.
    """
    features, views = features[:NUM_SAMPLES].detach(), views[:NUM_LIDAR_SAMPLES].detach()
    if not (features.isfinite().all() and views.isfinite().all()):
        raise ValueError("features are not finite; nothing can be measured on them")
    return {
        "rankme": rankme(features),
        "alpha_req": alpha_req(features),
        "lidar": lidar(views),
        "uniformity": uniformity(features),
        "alignment": alignment(views),
        "per_dimension_std": per_dimension_std(features),
    }


def mean_std(features: torch.Tensor) -> float:
    """Mean over dimensions of the standard deviation of features `(N, D)` as they are, in their own unit."""
    return float(features.double().std(dim=0).mean())


def collapsed(diagnostics: dict[str, float], dim: int) -> str | None:
    """Why a space of `dim` dimensions counts as collapsed, in words for tables; None if it does not."""
    spread = diagnostics["per_dimension_std"] * dim**0.5
    if spread < COMPLETE_COLLAPSE_SPREAD:
        return f"complete collapse: all directions agree to {spread:.2g} of an even spread"
    rank = diagnostics["rankme"]
    if rank < min(MIN_RANK, dim / 2):
        return f"dimensional collapse: rankme {rank:.1f} of {dim} dimensions"
    return None


def shrunk(std: float, scale: float | None) -> str | None:
    """Why a space counts as collapsed whose loss asks for the standard deviation `scale`; None if it does not.

    Args:
        std: of the space, as `mean_std` has it.
        scale: None where the loss leaves it open.
    """
    if scale is None or std >= SHRUNK * scale:
        return None
    return f"collapse in scale: a standard deviation of {std:.2g} where the loss asks for {scale:g}"


def _covariance(centred: torch.Tensor) -> torch.Tensor:
    return centred.T @ centred / len(centred)


def _effective_rank(spectrum: torch.Tensor, epsilon: float) -> float:
    """exp(entropy) of a nonnegative spectrum `(K,)`; 0 for zeros alone."""
    total = spectrum.sum()
    if total == 0:
        return 0.0
    p = spectrum / total + epsilon
    return float((-(p * p.log()).sum()).exp())
