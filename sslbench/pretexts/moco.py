"""Recognise the other view of an image among the recent past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn import functional

from sslbench.contract.schema import Inside, Positive, Size
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.pretexts._heads import projector
from sslbench.pretexts._queue import Queue
from sslbench.pretexts._teacher import HalfLife, follow, frozen_copy
from sslbench.pretexts._views import TwoViewConfig, TwoViewPretext


def info_nce(q: torch.Tensor, k: torch.Tensor, queue: torch.Tensor, temperature: float) -> torch.Tensor:
    """InfoNCE with a queue of negatives (He et al. 2019, arXiv:1911.05722, eq. 1), as a scalar.

    Args:
        q: queries `(N, D)`. Normalised here.
        k: keys `(N, D)`; row i is the positive of query i. Normalised here.
        queue: keys of earlier batches `(K, D)`, already normalised; negatives of every query.
        temperature: tau, the scale that divides the cosine similarities.
    """
    q, k = functional.normalize(q, dim=1), functional.normalize(k, dim=1)
    positive = (q * k).sum(dim=1, keepdim=True)
    logits = torch.cat([positive, q @ queue.T], dim=1) / temperature
    return functional.cross_entropy(logits, torch.zeros(len(q), dtype=torch.long, device=q.device))


@dataclass(frozen=True)
class MoCoConfig(TwoViewConfig):
    """Settings of `MoCo`. Libraries disagree on tau: 0.07 (the paper), 0.1 (lightly), 0.2 (MoCo v2, solo-learn)."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-3, batch_size=256)
    temperature: Positive = tuned(0.2, 0.05, 1.0, log=True)
    half_life: Inside = tuned(0.1, 0.005, 0.5, log=True)  # share of the run in which half of the key encoder is renewed
    queue_size: Size = 4096  # the paper's 65,536 exceeds the inputs of small datasets; lightly takes 4,096 too
    projection_dim: Size = 64


class MoCo(TwoViewPretext):
    """Contrast each view with its partner and a queue of past keys (He et al. 2019, arXiv:1911.05722).

    Differences from the paper: AdamW instead of SGD, and the head with one hidden layer of its second version
    (Chen et al. 2020, arXiv:2003.04297). The key encoder normalises by its own batch (training mode). The paper
    shuffles samples across devices so that batch norm cannot betray which key belongs to a query; on one device
    every permutation of a batch has the same statistics, so shuffling means nothing and this leak remains.
    """

    Config: ClassVar[type[PretextConfig]] = MoCoConfig

    def __init__(self, encoder: Encoder, config: MoCoConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.temperature = config.temperature
        width = max(encoder.latent_dim, 128)
        self.projector = projector(encoder.latent_dim, width, config.projection_dim, batch_norm=False)
        self.teacher_encoder = frozen_copy(encoder)
        self.teacher_projector = frozen_copy(self.projector)
        self.half_life = HalfLife(config.half_life)
        self.queue = Queue(config.queue_size, config.projection_dim)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        first, second = self.views(batch)
        q = self.projector(self.encoder(first))
        with torch.no_grad():
            k = self.teacher_projector(self.teacher_encoder(second))
        loss = info_nce(
            q, k, self.queue.keys.clone(), self.temperature
        )  # a copy: the queue moves on before the gradient
        if self.training:
            self.queue.put(k)
        return loss

    def after_step(self, progress: float) -> None:
        momentum = self.half_life(progress)
        follow(self.teacher_encoder, self.encoder, momentum)
        follow(self.teacher_projector, self.projector, momentum)
