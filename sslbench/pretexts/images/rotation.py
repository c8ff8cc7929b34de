"""Tell by how many quarter turns an image was rotated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig
from sslbench.encoders._base import Encoder
from sslbench.modalities.image import quarter_turns
from sslbench.pretexts._base import Picture, Pretext


@dataclass(frozen=True)
class RotationConfig(PretextConfig):
    """Settings of `Rotation`."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-3, batch_size=256)
    all_turns: bool = False  # every image in all four turns, as in the paper, at four times the cost


class Rotation(Pretext):
    """Predict which of four quarter turns was applied (Gidaris et al. 2018, arXiv:1803.07728).

    The paper shows every image in all four turns in each batch; here each image gets one random turn, so that a
    step costs what one forward pass costs; `all_turns` restores the paper. Square images only.
    """

    Config: ClassVar[type[PretextConfig]] = RotationConfig
    modality: ClassVar[str | None] = "image"

    def __init__(self, encoder: Encoder, config: RotationConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.all_turns = config.all_turns
        self.head = nn.Sequential(nn.ReLU(), nn.Linear(encoder.latent_dim, 4))

    @classmethod
    def unsuitable(cls, encoder_name: str, input_spec: InputSpec) -> str | None:
        _, height, width = input_spec.shape
        return None if height == width else f"needs square images, not {height} x {width}"

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        if self.all_turns:
            turns = torch.arange(4, device=batch.device).repeat_interleave(batch.shape[0])
            batch = batch.repeat(4, 1, 1, 1)
        else:
            turns = torch.randint(0, 4, (batch.shape[0],), device=batch.device)
        return functional.cross_entropy(self.head(self.encoder(quarter_turns(batch, turns))), turns)

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        turns = torch.arange(batch.shape[0], device=batch.device) % 4
        turned = quarter_turns(batch, turns)
        predicted = self.head(self.encoder(turned)).argmax(dim=1)
        captions = tuple(f"{90 * int(t)}°, said {90 * int(p)}°" for t, p in zip(turns, predicted, strict=True))
        return [Picture("rotations", (batch, turned), ("original", "turned"), captions)]
