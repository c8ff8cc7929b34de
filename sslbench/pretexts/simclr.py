"""Recognise two views of the same image among all others in the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from sslbench.encoders._base import Encoder
from sslbench.pretexts._base import Picture, Pretext
from sslbench.pretexts._losses import nt_xent
from sslbench.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.views import contrastive_view


@dataclass(frozen=True)
class SimCLRConfig(PretextConfig):
    """Settings of `SimCLR`. Libraries disagree on tau for small images: 0.5 (lightly, the paper), 0.2 (solo-learn)."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-3, batch_size=256)
    temperature: float = tuned(0.2, 0.05, 1.0, log=True)
    projection_dim: int = 64
    jitter_strength: float = tuned(0.5, 0.0, 1.0)


class SimCLR(Pretext):
    """Contrast two random views of each image with all others of the batch (Chen et al. 2020, arXiv:2002.05709).

    Differences from the paper: AdamW instead of LARS (batches here are small), and views limited to what the
    dataset allows, e.g. no hue on grey images.
    """

    Config: ClassVar[type[PretextConfig]] = SimCLRConfig

    def __init__(self, encoder: Encoder, config: SimCLRConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.temperature = config.temperature
        self.jitter_strength = config.jitter_strength
        width = max(encoder.latent_dim, 128)
        self.projector = nn.Sequential(
            nn.Linear(encoder.latent_dim, width), nn.ReLU(inplace=True), nn.Linear(width, config.projection_dim)
        )

    def views(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Two random views of a batch, each `(N, C, H, W)` in [0, 1]."""
        # One call draws both, so the two views of a sample are independent draws of one distribution.
        both = contrastive_view(batch.repeat(2, 1, 1, 1), self.input_spec.views, self.jitter_strength)
        first, second = both.chunk(2)
        return first, second

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        z_a, z_b = self.projector(self.encoder(torch.cat(self.views(batch)))).chunk(2)
        return nt_xent(z_a, z_b, self.temperature)

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        return [Picture("views", (batch, *self.views(batch)), ("original", "view 1", "view 2"))]
