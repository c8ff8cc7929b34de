"""Recognise a text that is read twice among all others of the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from sslbench.contract.schema import Positive
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.pretexts._base import Picture, Pretext
from sslbench.pretexts._heads import projector
from sslbench.pretexts._losses import nt_xent


@dataclass(frozen=True)
class ContrastiveTextConfig(PretextConfig):
    """Settings of `ContrastiveText`: the paper's temperature."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=1e-3, weight_decay=0.01, batch_size=64)
    temperature: Positive = tuned(0.05, 0.01, 0.5, log=True)


class ContrastiveText(Pretext):
    """Read a text twice, each time with other units left out, and know it again (Gao et al. 2021, arXiv:2104.08821).

    SimCSE without labels: dropout inside the encoder is all that tells the two readings apart. With a one-layer head in
    training only, as there.
    """

    Config: ClassVar[type[PretextConfig]] = ContrastiveTextConfig
    modality: ClassVar[str | None] = "text"

    def __init__(self, encoder: Encoder, config: ContrastiveTextConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.temperature = config.temperature
        self.projector = projector(encoder.latent_dim, encoder.latent_dim, encoder.latent_dim, layers=1)

    def project(self, representations: torch.Tensor) -> torch.Tensor | None:
        return self.projector(representations)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        first, second = self.projector(self.encoder(batch.repeat(2, 1))).chunk(2)
        return nt_xent(first, second, self.temperature)

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        """Each text and the one of the batch that is nearest to it."""
        represented = torch.nn.functional.normalize(self.encoder(batch), dim=1)
        nearest = (represented @ represented.T).fill_diagonal_(-2).argmax(dim=1)
        return [Picture("nearest", (batch, batch[nearest]), ("text", "nearest"))]
