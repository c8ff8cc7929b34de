"""Recognise two views of the same image among all others in the batch; at first the views are small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from sslbench.contract.schema import Inside, Positive, Size
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders import ENCODERS
from sslbench.encoders._base import Encoder
from sslbench.modalities._base import repeated
from sslbench.modalities.image import contrastive_view
from sslbench.pretexts._heads import projector
from sslbench.pretexts._losses import nt_xent
from sslbench.pretexts._views import TwoViewConfig, TwoViewPretext


@dataclass(frozen=True)
class SimCLRProgressiveConfig(TwoViewConfig):
    """Settings of `SimCLRProgressive`. `small_views`: share of the steps whose views have half the side."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=1e-3, batch_size=64)
    temperature: Positive = tuned(0.2, 0.05, 1.0, log=True)
    projection_dim: Size = 64
    small_views: Inside = 0.5


class SimCLRProgressive(TwoViewPretext):
    """SimCLR for two thirds of the operations: small batches, and views of half the side for half of the steps.

    Batches of 64 make four times as many steps of an epoch. Views of half the side cost about a quarter: progressive
    resizing (Tan & Le 2021, arXiv:2104.00298, section 4), in two stages and with the same crops in both. Everything
    else is as in `simclr` (Chen et al. 2020, arXiv:2002.05709).
    """

    Config: ClassVar[type[PretextConfig]] = SimCLRProgressiveConfig
    modality: ClassVar[str | None] = "image"

    def __init__(self, encoder: Encoder, config: SimCLRProgressiveConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.temperature, self.small_views, self.small = config.temperature, config.small_views, False
        width = max(encoder.latent_dim, 128)
        self.projector = projector(encoder.latent_dim, width, config.projection_dim, batch_norm=False)

    @classmethod
    def unsuitable(cls, encoder_name: str, input_spec: InputSpec) -> str | None:
        if not ENCODERS.get(encoder_name).any_size:
            return f"needs an encoder that takes images of any size; {encoder_name!r} takes one"
        return None

    @property
    def stages(self) -> tuple[float, ...]:
        return 0.0, self.small_views

    def before_step(self, progress: float) -> None:
        self.small = progress < self.small_views

    def views(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Two random views `(N, C, H, W)`, or of half the height and width, rounded up."""
        if not self.small:
            return super().views(batch)
        height, width = (-(-side // 2) for side in batch.shape[2:])
        both = contrastive_view(repeated(batch, 2), self.input_spec.views, self.jitter_strength, size=(height, width))
        first, second = both.chunk(2)
        return first, second

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        z_a, z_b = self.projector(self.encoder(torch.cat(self.views(batch)))).chunk(2)
        return nt_xent(z_a, z_b, self.temperature)
