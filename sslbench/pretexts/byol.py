"""Predict what a slowly moving teacher makes of the other view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from sslbench.contract.schema import Inside, Size
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.pretexts._heads import predictor, projector
from sslbench.pretexts._losses import negative_cosine
from sslbench.pretexts._teacher import HalfLife, follow, frozen_copy
from sslbench.pretexts._views import TwoViewConfig, TwoViewPretext


@dataclass(frozen=True)
class BYOLConfig(TwoViewConfig):
    """Settings of `BYOL`. The paper's first momentum is 0.996, a half-life of 173 of its 312,500 steps."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=4e-3, batch_size=256)
    half_life: Inside = tuned(0.1, 0.005, 0.5, log=True)  # share of the run in which half of a teacher is renewed
    hidden_dim: Size = 512  # of projector and predictor; 4,096 in the paper, under an encoder of 2,048
    projection_dim: Size = 128


class BYOL(TwoViewPretext):
    """Predict a momentum teacher's projection of the other view (Grill et al. 2020, arXiv:2006.07733).

    Differences from the paper: AdamW instead of LARS, smaller heads, and the same distribution for both views.
    The teacher's momentum follows from a half-life and does not rise; the student is evaluated, as there.
    """

    Config: ClassVar[type[PretextConfig]] = BYOLConfig

    def __init__(self, encoder: Encoder, config: BYOLConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.projector = projector(encoder.latent_dim, config.hidden_dim, config.projection_dim)
        self.predictor = predictor(config.projection_dim, config.hidden_dim)
        self.teacher_encoder = frozen_copy(encoder)
        self.teacher_projector = frozen_copy(self.projector)
        self.half_life = HalfLife(config.half_life)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        first, second = self.views(batch)
        return self.regression(first, second) + self.regression(second, first)

    def regression(self, view: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """Squared distance in [0, 4] between the prediction from `view` and the target from `other` (eq. 2)."""
        p = self.predictor(self.projector(self.encoder(view)))
        with torch.no_grad():
            z = self.teacher_projector(self.teacher_encoder(other))
        return 2 + 2 * negative_cosine(p, z)

    def after_step(self, progress: float) -> None:
        momentum = self.half_life(progress)
        follow(self.teacher_encoder, self.encoder, momentum)
        follow(self.teacher_projector, self.projector, momentum)
