"""Reconstruct the input through a narrow representation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig
from sslbench.encoders._base import Encoder
from sslbench.modalities import modality_of
from sslbench.pretexts._base import Picture, Pretext


@dataclass(frozen=True)
class AutoencoderConfig(PretextConfig):
    """Adam at 1e-3, constant, batches of 64: the settings of the introduction this project grew from."""

    optimizer: OptimizerConfig = OptimizerConfig(
        name="adam", learning_rate=1e-3, weight_decay=0.0, batch_size=64, schedule="constant", warmup=0.0
    )


class Autoencoder(Pretext):
    """Reconstruct the input from `latent_dim` numbers.

    The error is that of the inputs' modality: of images and series the mean square.

    Hinton & Salakhutdinov 2006, doi:10.1126/science.1127647. With encoder `mlp` and latent size 32 on 28 x 28
    images it is exactly 784-128-32-128-784 with a sigmoid output; other encoders get the decoder that mirrors them.
    """

    Config: ClassVar[type[PretextConfig]] = AutoencoderConfig

    def __init__(self, encoder: Encoder, config: AutoencoderConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.decoder = encoder.mirror()
        self.modality_of_inputs = modality_of(input_spec)

    def reconstruct(self, batch: torch.Tensor) -> torch.Tensor:
        """`(N, ...)` to its reconstruction, as a batch; of images in (0, 1)."""
        return self.modality_of_inputs.shown(self.decoder(self.encoder(batch)))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return self.modality_of_inputs.reconstruction_error(self.decoder(self.encoder(batch)), batch)

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        return [Picture("reconstructions", (batch, self.reconstruct(batch)), ("original", "reconstruction"))]
