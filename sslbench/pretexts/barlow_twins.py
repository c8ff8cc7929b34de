"""Make the two views agree in every feature and the features differ from each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from sslbench.contract.schema import NonNegative, Size
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.pretexts._heads import projector
from sslbench.pretexts._views import TwoViewConfig, TwoViewPretext

EPSILON = 1e-5  # under the root of the variance, as in the batch norm of the authors' code


def cross_correlation(z_a: torch.Tensor, z_b: torch.Tensor) -> torch.Tensor:
    """Correlation C_ij of feature i in view A with feature j in view B: `(N, D)` twice to `(D, D)` (eq. 2)."""
    a, b = ((z - z.mean(dim=0)) / (z.var(dim=0, correction=0) + EPSILON).sqrt() for z in (z_a, z_b))
    return a.T @ b / len(z_a)


def barlow_twins(z_a: torch.Tensor, z_b: torch.Tensor, redundancy_weight: float) -> torch.Tensor:
    """Distance of the cross-correlation from the identity (Zbontar et al. 2021, arXiv:2103.03230, eq. 1).

    Args:
        z_a, z_b: projections `(N, D)`; row i of both shows the same input. Standardised here over the batch.
        redundancy_weight: lambda, which weighs the elements off the diagonal.

    Returns:
        Scalar: sum_i (1 - C_ii)^2 + lambda sum_{i != j} C_ij^2.
    """
    c = cross_correlation(z_a, z_b)
    on_diagonal = c.diagonal()
    invariance = (1 - on_diagonal).square().sum()
    redundancy = c.square().sum() - on_diagonal.square().sum()
    return invariance + redundancy_weight * redundancy


@dataclass(frozen=True)
class BarlowTwinsConfig(TwoViewConfig):
    """Settings of `BarlowTwins`. Libraries disagree twentyfold on lambda: 0.005 (the paper), 0.1 (others)."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-3, batch_size=256)
    redundancy_weight: NonNegative = tuned(0.005, 0.001, 0.2, log=True)
    projection_dim: Size = 512  # 8,192 in the paper: the correlation matrix costs its square


class BarlowTwins(TwoViewPretext):
    """Bring the views' cross-correlation close to the identity (Zbontar et al. 2021, arXiv:2103.03230).

    Differences from the paper: AdamW instead of LARS, a two-layer projector of 512 instead of three layers of
    8,192, and the same distribution for both views.
    """

    Config: ClassVar[type[PretextConfig]] = BarlowTwinsConfig

    def __init__(self, encoder: Encoder, config: BarlowTwinsConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.redundancy_weight = config.redundancy_weight
        self.projector = projector(encoder.latent_dim, config.projection_dim, config.projection_dim)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        z_a, z_b = (self.projector(self.encoder(view)) for view in self.views(batch))
        return barlow_twins(z_a, z_b, self.redundancy_weight)
