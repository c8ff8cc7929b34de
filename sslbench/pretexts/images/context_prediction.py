"""Tell where a tile lies relative to the tile in the middle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from sslbench.contract.schema import ProperShare, Size
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.pretexts._base import Picture, Pretext
from sslbench.pretexts._heads import projector
from sslbench.pretexts.images._tiles import encode_tiles, jittered_tiles, tiles_unsuitable

POSITIONS = ("above left", "above", "above right", "left", "right", "below left", "below", "below right")
GRID = 3
CENTRE = 4


@dataclass(frozen=True)
class ContextPredictionConfig(PretextConfig):
    """Settings of `ContextPrediction`. `gap`: share of a cell's side left out; a third in the paper.

    Of the 9 pixels of a cell of 28, a quarter would be too much to lose.
    """

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-3, batch_size=64)  # many steps
    gap: ProperShare = tuned(0.1, 0.0, 0.4)
    hidden_dim: Size = 256


class ContextPrediction(Pretext):
    """Predict at which of eight places a tile lies beside another (Doersch et al. 2015, arXiv:1505.05192).

    Tiles come from a 3 x 3 grid and every tile around the middle is paired with it: eight questions for nine looks,
    where one pair per image would be one question for two (the paper reuses its patches in up to eight pairs too).
    Against shortcuts a random gap lies between the tiles, and no tile keeps its own mean and deviation.

    Differences from the paper: the grid covers the whole image, so the middle tile shows its middle; on 28 to 32
    pixels no room is left to move it. No colours are dropped and no tile is coarsened: chromatic aberration, which
    that hides, is finer than the pixels of small images.
    """

    Config: ClassVar[type[PretextConfig]] = ContextPredictionConfig
    modality: ClassVar[str | None] = "image"

    def __init__(self, encoder: Encoder, config: ContextPredictionConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.gap = config.gap
        head = projector(2 * encoder.latent_dim, config.hidden_dim, len(POSITIONS))
        self.head = nn.Sequential(nn.ReLU(), head)

    @classmethod
    def unsuitable(cls, encoder_name: str, input_spec: InputSpec) -> str | None:
        return tiles_unsuitable(encoder_name, input_spec, GRID)

    def classify(self, tiles: torch.Tensor) -> torch.Tensor:
        """Logits `(N, 8, 8)`: for each neighbour in the order of `POSITIONS`, where it lies.

        Args:
            tiles: `(N, 9, C, h, w)`, row by row.
        """
        z = encode_tiles(self.encoder, tiles)
        neighbours = torch.cat([z[:, :CENTRE], z[:, CENTRE + 1 :]], dim=1)
        pairs = torch.cat([z[:, CENTRE : CENTRE + 1].expand_as(neighbours), neighbours], dim=2)
        return self.head(pairs.flatten(0, 1)).unflatten(0, (len(tiles), len(POSITIONS)))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        logits = self.classify(jittered_tiles(batch, GRID, self.gap))
        target = torch.arange(len(POSITIONS), device=batch.device).expand(len(batch), -1)
        return functional.cross_entropy(logits.flatten(0, 1), target.flatten())

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        tiles = jittered_tiles(batch, GRID, self.gap)
        sample = torch.arange(len(batch), device=batch.device)
        position = sample % len(POSITIONS)
        said = self.classify(tiles)[sample, position].argmax(dim=1)
        other = tiles[sample, position + (position >= CENTRE)]
        captions = tuple(f"{POSITIONS[p]}, said {POSITIONS[s]}" for p, s in zip(position, said, strict=True))
        return [Picture("context", (batch, tiles[:, CENTRE], other), ("original", "middle", "other"), captions)]
