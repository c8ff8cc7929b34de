"""Recover the clean input from a corrupted one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch.nn import functional

from sslbench.contract.schema import Share
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.modalities.image import gaussian_noise, masking_noise, salt_and_pepper_noise
from sslbench.pretexts._base import Picture, Pretext

NOISES = {"gaussian": gaussian_noise, "masking": masking_noise, "salt_and_pepper": salt_and_pepper_noise}


@dataclass(frozen=True)
class DenoisingAutoencoderConfig(PretextConfig):
    """Settings of `DenoisingAutoencoder`. `level`: standard deviation of Gaussian noise, else share of pixels hit."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-3, batch_size=128)
    noise: Literal["gaussian", "masking", "salt_and_pepper"] = "masking"
    level: Share = tuned(0.5, 0.05, 0.9)


class DenoisingAutoencoder(Pretext):
    """Reconstruct the clean input from a noisy one, through `latent_dim` numbers (mean squared error).

    Vincent et al. 2008, doi:10.1145/1390156.1390294 (masking noise); Gaussian and salt-and-pepper noise from
    Vincent et al. 2010, JMLR 11:3371. Differences from the papers: all layers are trained at once instead of one
    after the other, the error counts equally on corrupted and clean pixels, and masking and
    salt-and-pepper noise hit a pixel in all its channels, because colour images would else show through.
    """

    Config: ClassVar[type[PretextConfig]] = DenoisingAutoencoderConfig
    modality: ClassVar[str | None] = "image"

    def __init__(self, encoder: Encoder, config: DenoisingAutoencoderConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.noise = NOISES[config.noise]
        self.level = config.level
        self.decoder = encoder.mirror()

    def corrupt(self, batch: torch.Tensor) -> torch.Tensor:
        """A noisy version of `(N, C, H, W)`, in [0, 1]."""
        return self.noise(batch, self.level)

    def reconstruct(self, corrupted: torch.Tensor) -> torch.Tensor:
        """What `(N, C, H, W)` looked like before the noise, in (0, 1)."""
        return torch.sigmoid(self.decoder(self.encoder(corrupted)))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return functional.mse_loss(self.reconstruct(self.corrupt(batch)), batch)

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        corrupted = self.corrupt(batch)
        rows = (batch, corrupted, self.reconstruct(corrupted))
        return [Picture("denoised", rows, ("original", "corrupted", "denoised"))]
