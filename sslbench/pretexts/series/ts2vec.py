"""Contrast every moment of a series with other moments and other series, at every scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn import functional

from sslbench.contract.schema import ProperShare
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders import ENCODERS
from sslbench.encoders._base import Encoder
from sslbench.pretexts._base import Picture, Pretext
from sslbench.pretexts._teacher import frozen_copy


def dual_contrast(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Two views `(P, K, D)` of P groups of K vectors: each against the others of its group in both (eq. 1 and 2).

    Returns:
        Scalar: cross entropy of finding the other view's vector among the 2 K - 1 others of its group.
    """
    both = torch.cat([first, second], dim=1)
    similarity = both @ both.transpose(1, 2)  # (P, 2 K, 2 K)
    count = first.shape[1]
    itself = torch.eye(2 * count, dtype=torch.bool, device=both.device)
    partner = torch.arange(2 * count, device=both.device).roll(count).expand(len(both), -1)
    return functional.cross_entropy(similarity.masked_fill(itself, float("-inf")).flatten(0, 1), partner.flatten())


def hierarchical_contrast(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Half instance-wise, half temporal contrast of moments `(N, T, D)`, the mean over scales (eq. 3, algorithm 1).

    From scale to scale pairs of moments are pooled by their maximum, until one is left, which has no other moments.
    """
    losses = []
    while True:
        instances = dual_contrast(first.transpose(0, 1), second.transpose(0, 1))
        if first.shape[1] == 1:
            losses.append(0.5 * instances)
            return torch.stack(losses).mean()
        losses.append(0.5 * instances + 0.5 * dual_contrast(first, second))
        first, second = (functional.max_pool1d(view.transpose(1, 2), 2).transpose(1, 2) for view in (first, second))


@dataclass(frozen=True)
class TS2VecConfig(PretextConfig):
    """Settings of `TS2Vec`. `masked`: share of the moments of a view that show nothing."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=1e-3, batch_size=64)
    masked: ProperShare = tuned(0.5, 0.0, 0.8)


class TS2Vec(Pretext):
    """Agree on the moments that two overlapping crops of a series share (Yue et al. 2022, arXiv:2106.10466).

    Each moment of the overlap is told from other moments of the series and from the same moment of other series, at
    every scale; evaluated is, as in the authors' code, the mean of the weights after every step. Differences from the
    paper: a moment is a place of the encoder's feature map, several values long, through its projection, and crops
    begin and end at its borders; values are hidden in the input, where zero is the mean, not behind a first layer;
    every crop has three quarters of the moments, so that all steps cost the same.
    """

    Config: ClassVar[type[PretextConfig]] = TS2VecConfig
    modality: ClassVar[str | None] = "series"

    steps: torch.Tensor

    def __init__(self, encoder: Encoder, config: TS2VecConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.mean_encoder = frozen_copy(encoder)
        self.register_buffer("steps", torch.zeros(()))
        self.masked = config.masked
        self.stride = encoder.stride
        self.moments = input_spec.shape[1] // self.stride
        self.cropped = -(-3 * self.moments // 4)

    @classmethod
    def unsuitable(cls, encoder_name: str, input_spec: InputSpec) -> str | None:
        known = ENCODERS.get(encoder_name)
        if known.modality != "series":
            return f"needs an encoder of series whose moments keep their places; {encoder_name!r} has none"
        return None

    @property
    def evaluated(self) -> Encoder:
        return self.mean_encoder

    def represent(self, crop: torch.Tensor) -> torch.Tensor:
        """Moments `(N, T, latent_dim)` of a crop `(N, C, T * stride)`, some of whose values are hidden."""
        seen = crop * (torch.rand_like(crop[:, :1]) >= self.masked)
        return self.encoder.project(self.encoder.feature_map(seen).transpose(1, 2))

    def crops(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, int]:
        """Two crops `(N, C, ...)`, and how many moments the end of the first and the start of the second share."""
        earlier, later = sorted(torch.randint(0, self.moments - self.cropped + 1, (2,)).tolist())  # on the processor
        first, second = (
            batch[:, :, start * self.stride : (start + self.cropped) * self.stride] for start in (earlier, later)
        )
        return first, second, self.cropped - (later - earlier)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        first, second, shared = self.crops(batch)
        return hierarchical_contrast(self.represent(first)[:, -shared:], self.represent(second)[:, :shared])

    def after_step(self, progress: float) -> None:
        self.steps += 1  # on its device: torch's own `AveragedModel` would wait for it
        states = (encoder.state_dict().values() for encoder in (self.mean_encoder, self.encoder))
        for mean, last in zip(*states, strict=True):
            if mean.is_floating_point():
                mean.lerp_(last, 1 / self.steps)
            else:
                mean.copy_(last)

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        first, second, _ = self.crops(batch)
        return [Picture("crops", (batch, first, second), ("original", "crop 1", "crop 2"))]
