"""Make the two views agree, while every feature varies and no two features vary together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn import functional

from sslbench.contract.schema import NonNegative, Size
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.pretexts._heads import projector
from sslbench.pretexts._views import TwoViewConfig, TwoViewPretext

EPSILON = 1e-4  # under the root of the variance: the paper and its code agree


def variance(z: torch.Tensor) -> torch.Tensor:
    """v(Z): how far the standard deviation of each feature of `(N, D)` falls short of 1, on average (eq. 1)."""
    return functional.relu(1 - (z.var(dim=0) + EPSILON).sqrt()).mean()


def invariance(z_a: torch.Tensor, z_b: torch.Tensor) -> torch.Tensor:
    """s(Z, Z'): mean squared difference of two `(N, D)`; over features too, as in algorithm 1 (eq. 5 sums them)."""
    return functional.mse_loss(z_a, z_b)


def covariance(z: torch.Tensor) -> torch.Tensor:
    """c(Z): squared covariances between different features of `(N, D)`, summed, divided by D (eq. 3 and 4)."""
    z = z - z.mean(dim=0)
    c = z.T @ z / (len(z) - 1)
    return (c.square().sum() - c.diagonal().square().sum()) / z.shape[1]


def vicreg(
    z_a: torch.Tensor, z_b: torch.Tensor, invariance_weight: float, variance_weight: float, covariance_weight: float
) -> torch.Tensor:
    """lambda s(Z, Z') + mu (v(Z) + v(Z')) / 2 + nu (c(Z) + c(Z')) of projections `(N, D)`, as a scalar (eq. 6)."""
    return (
        invariance_weight * invariance(z_a, z_b)
        + variance_weight * (variance(z_a) + variance(z_b)) / 2
        + covariance_weight * (covariance(z_a) + covariance(z_b))
    )


@dataclass(frozen=True)
class VICRegConfig(TwoViewConfig):
    """Settings of `VICReg`. The covariance weight moves with D: 1 at 8,192 (the paper), 80 at 2,048 (eb_jepa)."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-3, batch_size=256)
    invariance_weight: NonNegative = tuned(25.0, 1.0, 100.0, log=True)  # lambda
    variance_weight: NonNegative = tuned(25.0, 0.0, 100.0)  # mu; 0 collapses, which the canaries need
    covariance_weight: NonNegative = tuned(1.0, 0.1, 100.0, log=True)  # nu
    projection_dim: Size = 512  # 8,192 in the paper: the covariance matrix costs its square


class VICReg(TwoViewPretext):
    """Variance, invariance and covariance terms keep features apart (Bardes et al. 2021, arXiv:2105.04906).

    Differences from the paper: AdamW instead of LARS, a two-layer projector of 512 instead of three layers of
    8,192, and the same distribution for both views. Equation 6 adds the variance terms of both views; the authors'
    code halves that sum and so do we.
    """

    Config: ClassVar[type[PretextConfig]] = VICRegConfig
    projection_scale: ClassVar[float | None] = 1.0

    def __init__(self, encoder: Encoder, config: VICRegConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.weights = (config.invariance_weight, config.variance_weight, config.covariance_weight)
        self.projector = projector(encoder.latent_dim, config.projection_dim, config.projection_dim)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        z_a, z_b = (self.projector(self.encoder(view)) for view in self.views(batch))
        return vicreg(z_a, z_b, *self.weights)
