"""Recognise two views of the same image among all others in the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from sslbench.contract.schema import Inside, Positive, Size
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.pretexts._heads import projector
from sslbench.pretexts._losses import nt_xent
from sslbench.pretexts._views import ProgressivePretext, TwoViewConfig, TwoViewPretext


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


@dataclass(frozen=True)
class SimCLRProgressiveConfig(SimCLRConfig):
    """Settings of `SimCLRProgressive`. `small_views`: share of the steps whose views have half the side."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=1e-3, batch_size=64)
    small_views: Inside = 0.5


class SimCLRProgressive(ProgressivePretext, SimCLR):
    """SimCLR for two thirds of the operations: small batches, and views of half the side for half of the steps.

    Batches of 64 make four times as many steps of an epoch, views of half the side cost about a quarter (Tan & Le 2021,
    arXiv:2104.00298). Everything else is `simclr`'s.
    """

    Config: ClassVar[type[PretextConfig]] = SimCLRProgressiveConfig

    def __init__(self, encoder: Encoder, config: SimCLRProgressiveConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.small_views = config.small_views
