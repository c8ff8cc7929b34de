"""Predict one view's cluster from the other view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn import functional

from sslbench.contract.schema import Few, Positive, Size, SizeOrZero
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.pretexts._heads import Prototypes, projector
from sslbench.pretexts._views import MultiCropConfig, MultiCropPretext


@torch.no_grad()
def sinkhorn(scores: torch.Tensor, epsilon: float, iterations: int) -> torch.Tensor:
    """Codes q: soft assignments of a batch in which every prototype gets the same share (arXiv:2006.09882, eq. 3-5).

    Sums are taken of logarithms, so that no epsilon over- or underflows as in the paper's code.

    Args:
        scores: similarity of samples and prototypes, `(N, K)`.
        epsilon: how soft; the weight of the entropy.

    Returns:
        `(N, K)`, every row summing to 1, every column to about N / K.
    """
    log_q = scores.detach().float() / epsilon
    for _ in range(iterations):
        log_q = log_q - log_q.logsumexp(dim=0, keepdim=True)
        log_q = log_q - log_q.logsumexp(dim=1, keepdim=True)
    return log_q.exp()


def swapped_prediction(
    large: Sequence[torch.Tensor], small: Sequence[torch.Tensor], codes: Sequence[torch.Tensor], temperature: float
) -> torch.Tensor:
    """Mean cross entropy of every view's prediction with the codes of each other large view (arXiv:2006.09882, eq. 2).

    Args:
        large, small: scores `(N, K)` of each large and of each small view.
        codes: q `(N, K)` of each large view; no gradient passes.
        temperature: tau, which divides the scores.
    """
    log_p = [functional.log_softmax(scores / temperature, dim=1) for scores in (*large, *small)]
    terms = [
        -(q * log_p[view]).sum(dim=1).mean() for own, q in enumerate(codes) for view in range(len(log_p)) if view != own
    ]
    return torch.stack(terms).mean()


@dataclass(frozen=True)
class SwAVConfig(MultiCropConfig):
    """Settings of `SwAV`. Libraries disagree on the prototypes for small images: 512 (lightly), 3,000 (solo-learn)."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-3, batch_size=256)
    temperature: Positive = tuned(0.1, 0.05, 1.0, log=True)
    epsilon: Positive = tuned(0.05, 0.01, 0.5, log=True)
    iterations: Few = 3
    prototypes: Size = 128  # more than samples in a batch could not all get their share
    queue_size: SizeOrZero = 0  # per view; the paper's 3,840 for batches of 256 are older than short runs can afford
    projection_dim: Size = 64


class SwAV(MultiCropPretext):
    """Predict the cluster that another view of the image is assigned to (Caron et al. 2020, arXiv:2006.09882).

    Assignments are spread evenly over the prototypes by Sinkhorn's iteration, which rules out collapse. Differences
    from the paper: AdamW instead of LARS, no small crops by default (`small_crops`), prototypes are not held still
    during the first epoch, and the queue, where asked for, serves from the first step: its empty places are zero
    vectors, which lean to no prototype.
    """

    Config: ClassVar[type[PretextConfig]] = SwAVConfig
    queue: torch.Tensor

    def __init__(self, encoder: Encoder, config: SwAVConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.temperature, self.epsilon, self.iterations = config.temperature, config.epsilon, config.iterations
        width = max(encoder.latent_dim, 128)
        self.projector = projector(encoder.latent_dim, width, config.projection_dim)
        self.prototypes = Prototypes(config.projection_dim, config.prototypes)
        self.register_buffer("queue", torch.zeros(2, config.queue_size, config.projection_dim))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        large, small = self.crops(batch)
        z = self.projector(self.encoder(large))
        scores = self.prototypes(z).chunk(2)
        codes = self.codes(scores)
        if self.training and self.queue.shape[1]:
            self.enqueue(z)
        few: Sequence[torch.Tensor] = ()
        if self.small_crops:
            few = self.prototypes(self.projector(self.encoder(small))).chunk(self.small_crops)
        return swapped_prediction(scores, few, codes, self.temperature)

    @torch.no_grad()
    def codes(self, scores: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Codes of both large views, `(N, K)` each, spread evenly over the batch and the queue together."""
        together = [torch.cat([own, self.prototypes(old)]) for own, old in zip(scores, self.queue, strict=True)]
        return [sinkhorn(both, self.epsilon, self.iterations)[: len(scores[0])] for both in together]

    @torch.no_grad()
    def enqueue(self, z: torch.Tensor) -> None:
        """Put the projections of both large views, `(2 N, D)`, in front of their queues; the oldest fall out."""
        newest = functional.normalize(z.to(self.queue.dtype), dim=1).unflatten(0, (2, -1))
        self.queue.copy_(torch.cat([newest, self.queue], dim=1)[:, : self.queue.shape[1]])
