"""Predict a segment that was removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from sslbench.contract.schema import Inside
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.modalities import modality_of
from sslbench.modalities.series import random_segment
from sslbench.pretexts._base import Picture, Pretext
from sslbench.pretexts._patches import inpainted


@dataclass(frozen=True)
class SegmentInpaintingConfig(PretextConfig):
    """Settings of `SegmentInpainting`. `share`: of the length that is removed."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-3, batch_size=64)
    share: Inside = tuned(0.25, 0.05, 0.6)


class SegmentInpainting(Pretext):
    """Remove a segment of a series and predict it from the rest (Pathak et al. 2016, arXiv:1604.07379, in time).

    The exercise that closes the introduction this project grew from. The segment lies anywhere, in all channels at
    once, and shows zero, about which series are centred. The mirrored decoder predicts it from the `latent_dim` numbers
    of the representation; the error is the mean square inside the segment.
    """

    Config: ClassVar[type[PretextConfig]] = SegmentInpaintingConfig
    modality: ClassVar[str | None] = "series"

    def __init__(self, encoder: Encoder, config: SegmentInpaintingConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.share = config.share
        self.decoder = encoder.mirror()

    def hide(self, batch: torch.Tensor) -> torch.Tensor:
        """A random mask `(N, 1, L)`, 1 inside the segment."""
        return random_segment(len(batch), batch.shape[2], self.share, batch.device).float()

    def predict(self, batch: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The whole series `(N, C, L)` as said by someone who does not see where `mask` is 1."""
        return self.decoder(self.encoder(batch * (1 - mask)))

    def error(self, batch: torch.Tensor, mask: torch.Tensor, predicted: torch.Tensor) -> torch.Tensor:
        """Mean square of what is wrong inside the segment."""
        return ((predicted - batch).square() * mask).sum() / (mask.sum() * batch.shape[1])

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        mask = self.hide(batch)
        return self.error(batch, mask, self.predict(batch, mask))

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        mask = self.hide(batch)
        return [inpainted(modality_of(self.input_spec), batch, mask, self.predict(batch, mask))]
