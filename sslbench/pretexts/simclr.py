"""Recognise two views of the same image among all others in the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from sslbench.contract.schema import Positive, Size
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.pretexts._heads import projector
from sslbench.pretexts._losses import nt_xent
from sslbench.pretexts._views import TwoViewConfig, TwoViewPretext


@dataclass(frozen=True)
class SimCLRConfig(TwoViewConfig):
    """Settings of `SimCLR`. Libraries disagree on tau for small images: 0.5 (lightly, the paper), 0.2 (solo-learn)."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-3, batch_size=256)
    temperature: Positive = tuned(0.2, 0.05, 1.0, log=True)
    projection_dim: Size = 64


class SimCLR(TwoViewPretext):
    """Contrast two random views of each image with all others of the batch (Chen et al. 2020, arXiv:2002.05709).

    Differences from the paper: AdamW instead of LARS (batches here are small), and views limited to what the
    dataset allows, e.g. no hue on grey images.
    """

    Config: ClassVar[type[PretextConfig]] = SimCLRConfig

    def __init__(self, encoder: Encoder, config: SimCLRConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.temperature = config.temperature
        width = max(encoder.latent_dim, 128)
        self.projector = projector(encoder.latent_dim, width, config.projection_dim, batch_norm=False)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        z_a, z_b = self.projector(self.encoder(torch.cat(self.views(batch)))).chunk(2)
        return nt_xent(z_a, z_b, self.temperature)
