"""Make the views agree, and their projections look like an isotropic Gaussian from every direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn import functional

from sslbench.contract.schema import Share, Size
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.pretexts._heads import projector
from sslbench.pretexts._views import TwoViewConfig, TwoViewPretext

LARGEST_FREQUENCY = 3.0  # the Gaussian window has fallen to 1% there
KNOTS = 17


def epps_pulley(x: torch.Tensor) -> torch.Tensor:
    """N times the weighted squared distance of characteristic functions: samples `(..., N, S)` to `(..., S)`.

    The distance between the empirical exp(itx) and the standard Gaussian's phi(t) = exp(-t^2 / 2) is weighted by
    phi and integrated over t in [-3, 3] by the trapezoidal rule on 17 knots of the half axis: it is even in t.
    """
    t = torch.linspace(0, LARGEST_FREQUENCY, KNOTS, device=x.device)
    phi = (-t.square() / 2).exp()
    angles = x.unsqueeze(-1) * t
    distance = (angles.cos().mean(dim=-3) - phi).square() + angles.sin().mean(dim=-3).square()
    return 2 * x.shape[-2] * torch.trapezoid(distance * phi, t, dim=-1)


def sigreg(z: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
    """SIGReg: the mean Epps-Pulley statistic over random directions (arXiv:2511.08544, definition 2), as a scalar.

    Args:
        z: projections `(V, N, D)`; each of the V views is tested by itself.
        directions: `(D, S)`; each column is a direction. Normalised here.
    """
    return epps_pulley(z @ functional.normalize(directions, dim=0)).mean()


def prediction(z: torch.Tensor) -> torch.Tensor:
    """Mean squared distance of each view's projection from the views' mean, `(V, N, D)` to a scalar."""
    return (z - z.mean(dim=0)).square().mean()


@dataclass(frozen=True)
class LeJEPAConfig(TwoViewConfig):
    """Settings of `LeJEPA`. Lambda is 0.05 in the paper and 0.02 in its authors' short example (MINIMAL.md)."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=4e-3, batch_size=256)
    regularization: Share = tuned(0.02, 0.005, 0.5, log=True)  # lambda
    num_directions: Size = 256  # redrawn at every step, so few suffice; 1,024 in the paper, 256 in its short example
    hidden_dim: Size = 256
    projection_dim: Size = 64


class LeJEPA(TwoViewPretext):
    """Predict views from each other under SIGReg, without teacher (Balestriero & LeCun 2025, arXiv:2511.08544).

    Differences from the paper: two global views and no local ones, which the shared views do not have, so both
    terms see the same projections; a smaller projector.
    """

    Config: ClassVar[type[PretextConfig]] = LeJEPAConfig
    projection_scale: ClassVar[float | None] = 1.0

    def __init__(self, encoder: Encoder, config: LeJEPAConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.regularization = config.regularization
        self.num_directions = config.num_directions
        self.projector = projector(encoder.latent_dim, config.hidden_dim, config.projection_dim, layers=3)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        z = torch.stack([self.projector(self.encoder(view)) for view in self.views(batch)])
        directions = torch.randn(z.shape[-1], self.num_directions, device=z.device)
        return self.regularization * sigreg(z, directions) + (1 - self.regularization) * prediction(z)
