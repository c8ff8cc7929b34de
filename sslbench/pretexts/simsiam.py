"""Predict one view's projection from the other's, without negatives and without a teacher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from sslbench.contract.schema import Size
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig
from sslbench.encoders._base import Encoder
from sslbench.pretexts._heads import predictor, projector
from sslbench.pretexts._losses import negative_cosine
from sslbench.pretexts._views import TwoViewConfig, TwoViewPretext


@dataclass(frozen=True)
class SimSiamConfig(TwoViewConfig):
    """Settings of `SimSiam`."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-3, batch_size=256)
    projection_dim: Size = 512  # hidden layers of the projector too; 2,048 in the paper
    predictor_dim: Size = 128  # a bottleneck of a quarter of the projection, as in the paper
    stop_gradient: bool = True  # False lets the targets move too: it collapses, which the canaries need


class SimSiam(TwoViewPretext):
    """Predict the other view's projection, whose gradient is stopped (Chen & He 2020, arXiv:2011.10566).

    Differences from the paper: AdamW instead of SGD, smaller heads, and a predictor whose learning rate decays with
    the rest (the paper keeps it constant on ImageNet and calls the difference slight).
    """

    Config: ClassVar[type[PretextConfig]] = SimSiamConfig

    def __init__(self, encoder: Encoder, config: SimSiamConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.stop_gradient = config.stop_gradient
        width = config.projection_dim
        self.projector = projector(encoder.latent_dim, width, width, layers=3, end_norm=True)
        self.predictor = predictor(width, config.predictor_dim)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        z_a, z_b = (self.projector(self.encoder(view)) for view in self.views(batch))
        p_a, p_b = self.predictor(z_a), self.predictor(z_b)
        if self.stop_gradient:
            z_a, z_b = z_a.detach(), z_b.detach()
        return (negative_cosine(p_a, z_b) + negative_cosine(p_b, z_a)) / 2
