"""Guess an image from its top half."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn import functional

from sslbench.contract.schema import Inside
from sslbench.contract.spec import InputSpec, tuned
from sslbench.encoders import Encoder
from sslbench.pretexts import Picture, Pretext, PretextConfig


@dataclass(frozen=True)
class BlankOutConfig(PretextConfig):
    """Settings of `BlankOut`. `share` of the height is blanked out."""

    share: Inside = tuned(0.5, 0.1, 0.9)  # what it may be, the default for people, the range for `sslbench tune`


class BlankOut(Pretext):
    """Reconstruct an image whose lower part is blanked out (in the spirit of Pathak et al. 2016, arXiv:1604.07379)."""

    Config: ClassVar[type[PretextConfig]] = BlankOutConfig
    modality: ClassVar[str | None] = "image"

    def __init__(self, encoder: Encoder, config: BlankOutConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.visible_rows = round((1 - config.share) * input_spec.shape[1])
        self.decoder = encoder.mirror()

    def blank_out(self, batch: torch.Tensor) -> torch.Tensor:
        """A copy of `(N, C, H, W)` whose lower rows are black."""
        visible = batch.clone()
        visible[:, :, self.visible_rows :] = 0
        return visible

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return functional.mse_loss(torch.sigmoid(self.decoder(self.encoder(self.blank_out(batch)))), batch)

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        visible = self.blank_out(batch)
        rows = (batch, visible, torch.sigmoid(self.decoder(self.encoder(visible))))
        return [Picture("guesses", rows, ("original", "seen", "guessed"))]
