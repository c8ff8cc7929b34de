"""Recognise the other view of what is most similar to an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from sslbench.contract.schema import Positive, Size
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.pretexts._heads import predictor, projector
from sslbench.pretexts._losses import info_nce
from sslbench.pretexts._queue import Queue
from sslbench.pretexts._views import TwoViewConfig, TwoViewPretext


@dataclass(frozen=True)
class NNCLRConfig(TwoViewConfig):
    """Settings of `NNCLR`; not tuned: those of `SimCLR` and `MoCo` with the paper's temperature."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-3, batch_size=256)
    temperature: Positive = tuned(0.1, 0.05, 1.0, log=True)
    queue_size: Size = (
        4096  # 98,304 in the paper, more than small datasets have inputs; lightly's example takes 4,096 too
    )
    hidden_dim: Size = 256  # of projector and predictor; 2,048 and 4,096 in the paper, under an encoder of 2,048
    projection_dim: Size = 64


class NNCLR(TwoViewPretext):
    """Contrast each view with the nearest neighbour of its partner (Dwibedi et al. 2021, arXiv:2104.14548).

    The neighbour is looked up among the projections of the last batches, so a positive is another picture of the same
    kind and not only another view of the same picture. Differences from the paper: AdamW instead of LARS, smaller
    heads, one distribution for both views. lightly's loss has the neighbours of the others among the negatives too;
    here, as in the paper's listing, these are the predictions of the others alone.
    """

    Config: ClassVar[type[PretextConfig]] = NNCLRConfig

    def __init__(self, encoder: Encoder, config: NNCLRConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.temperature = config.temperature
        self.projector = projector(
            encoder.latent_dim, config.hidden_dim, config.projection_dim, layers=3, end_norm=True
        )
        self.predictor = predictor(config.projection_dim, config.hidden_dim)
        self.queue = Queue(config.queue_size, config.projection_dim)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        z_a, z_b = (self.projector(self.encoder(view)) for view in self.views(batch))
        p_a, p_b = self.predictor(z_a), self.predictor(z_b)
        near_a, near_b = self.queue.nearest(z_a), self.queue.nearest(z_b)
        if self.training:
            self.queue.put(z_a)  # of one view, as in the paper
        loss_a = info_nce(near_a, p_b, self.temperature)
        return (loss_a + info_nce(near_b, p_a, self.temperature)) / 2
