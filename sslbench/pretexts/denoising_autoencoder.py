"""Recover the clean input from a corrupted one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from sslbench.contract.schema import Share
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.modalities import modality_of
from sslbench.pretexts._base import Picture, Pretext


@dataclass(frozen=True)
class DenoisingAutoencoderConfig(PretextConfig):
    """Settings of `DenoisingAutoencoder`. `level`: standard deviation of Gaussian noise, else share of values hit."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-3, batch_size=128)
    noise: Literal["gaussian", "masking", "salt_and_pepper"] = "masking"
    level: Share = tuned(0.5, 0.05, 0.9)


class DenoisingAutoencoder(Pretext):
    """Reconstruct the clean input from a noisy one, through `latent_dim` numbers.

    Vincent et al. 2008, doi:10.1145/1390156.1390294 (masking noise); Gaussian and salt-and-pepper noise from
    Vincent et al. 2010, JMLR 11:3371. Differences from the papers: all layers are trained at once instead of one
    after the other, the error counts equally on corrupted and clean values, and masking and
    salt-and-pepper noise hit a place in all its channels, because colour images would else show through.
    """

    Config: ClassVar[type[PretextConfig]] = DenoisingAutoencoderConfig

    def __init__(self, encoder: Encoder, config: DenoisingAutoencoderConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.modality_of_inputs = modality_of(input_spec)
        self.noise = self.modality_of_inputs.noises[config.noise]
        self.level = config.level
        self.decoder = encoder.mirror()

    @classmethod
    def unsuitable(cls, encoder_name: str, input_spec: InputSpec) -> str | None:
        known = modality_of(input_spec).noises
        return None if known else f"inputs of modality {input_spec.modality!r} know no noise"

    def corrupt(self, batch: torch.Tensor) -> torch.Tensor:
        """A noisy version of `(N, ...)`, as a batch."""
        return self.noise(batch, self.level)

    def reconstruct(self, corrupted: torch.Tensor) -> torch.Tensor:
        """What `(N, ...)` looked like before the noise, as a batch."""
        return self.modality_of_inputs.shown(self.decoder(self.encoder(corrupted)))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        decoded = self.decoder(self.encoder(self.corrupt(batch)))
        return self.modality_of_inputs.reconstruction_error(decoded, batch)

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        corrupted = self.corrupt(batch)
        rows = (batch, corrupted, self.reconstruct(corrupted))
        return [Picture("denoised", rows, ("original", "corrupted", "denoised"))]
