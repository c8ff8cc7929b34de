"""Tell where a tile lies relative to the tile in the middle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from sslbench.encoders._base import Encoder
from sslbench.pretexts._base import Picture, Pretext
from sslbench.pretexts._heads import projector
from sslbench.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.views import jittered_tiles, standardised_tiles

@dataclass(frozen=True)
class ContextPredictionConfig(PretextConfig):
    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-3, batch_size=256)
    gap: float = tuned(0.25, 0.0, 0.4)
    hidden_dim: int = 256


class ContextPrediction(Pretext):
    """Predict (Doersch et al. 2015, arXiv:1505.05192)."""

    Config: ClassVar[type[PretextConfig]] = ContextPredictionConfig

    def __init__(self, encoder: Encoder, config: ContextPredictionConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.gap = config.gap
        self.head = nn.Sequential(nn.ReLU(), projector(2 * encoder.latent_dim, config.hidden_dim, 8))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        tiles = jittered_tiles(batch, 3, self.gap)
        if NORM:
            tiles = standardised_tiles(tiles)
        flat = tiles.flatten(0, 1)
        if RESIZE:
            flat = functional.interpolate(flat, RESIZE, mode="bilinear", antialias=False)
        feats = self.encoder(flat.contiguous(memory_format=torch.channels_last)).unflatten(0, (len(batch), 9))
        centre = feats[:, 4:5].expand(-1, 8, -1)
        around = torch.cat([feats[:, :4], feats[:, 5:]], dim=1)
        logits = self.head(torch.cat([centre, around], dim=2).flatten(0,1))
        target = torch.arange(8).repeat(len(batch))
        return functional.cross_entropy(logits, target)
RESIZE=None
NORM=True
