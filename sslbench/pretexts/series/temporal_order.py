"""Tell in which order the segments of a series were shown."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from sslbench.contract.schema import ProperShare, Size
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders import ENCODERS
from sslbench.encoders._base import Encoder
from sslbench.pretexts._base import Picture, Pretext
from sslbench.pretexts._heads import projector

SEGMENTS = 4

#: Values that a series has at least: six for each segment, its gap included.
SHORTEST = 24


@dataclass(frozen=True)
class TemporalOrderConfig(PretextConfig):
    """Settings of `TemporalOrder`. `gap`: share of a segment left out at a random end, against matching the cuts."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-3, batch_size=64)
    gap: ProperShare = tuned(0.2, 0.0, 0.5)
    hidden_dim: Size = 256


class TemporalOrder(Pretext):
    """Predict in which of 24 orders four segments of a series are shown (Misra et al. 2016, arXiv:1603.08561).

    The encoder sees each segment alone; the representations, in the order shown, name the permutation. The paper asks
    of three frames of a video whether they are in order; all orders of four segments are jigsaw's question in time
    (arXiv:1603.09246). A random gap between segments keeps the ends of neighbours from being matched.
    """

    Config: ClassVar[type[PretextConfig]] = TemporalOrderConfig
    modality: ClassVar[str | None] = "series"

    def __init__(self, encoder: Encoder, config: TemporalOrderConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.gap = config.gap
        orders = list(itertools.permutations(range(SEGMENTS)))
        self.register_buffer("orders", torch.tensor(orders))
        self.orders: torch.Tensor
        head = projector(SEGMENTS * encoder.latent_dim, config.hidden_dim, len(orders))
        self.head = nn.Sequential(nn.ReLU(), head)

    @classmethod
    def unsuitable(cls, encoder_name: str, input_spec: InputSpec) -> str | None:
        if not ENCODERS.get(encoder_name).any_size:
            return f"shows parts of a series, and encoder {encoder_name!r} takes whole ones only"
        if input_spec.shape[1] < SHORTEST:
            return f"needs series of {SHORTEST} values or more, not {input_spec.shape[1]}"
        return None

    def segments(self, batch: torch.Tensor) -> torch.Tensor:
        """`(N, 4, C, l)`: a stretch of each quarter, beginning anywhere in its gap."""
        quarter = batch.shape[2] // SEGMENTS
        size = quarter - int(self.gap * quarter)
        start = torch.randint(0, quarter - size + 1, (len(batch), SEGMENTS, 1, 1), device=batch.device)
        inside = start + torch.arange(size, device=batch.device)
        quarters = batch[:, :, : SEGMENTS * quarter].unflatten(2, (SEGMENTS, quarter)).transpose(1, 2)
        return quarters.gather(3, inside.expand(-1, -1, batch.shape[1], -1))

    def shuffled(self, segments: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
        """Segments `(N, 4, ...)` so that place k of series i holds segment `orders[order[i], k]`."""
        return segments[torch.arange(len(segments), device=segments.device)[:, None], self.orders[order]]

    def put_back(self, segments: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
        """Undo `shuffled` by the same `order` `(N,)`."""
        return segments[torch.arange(len(segments), device=segments.device)[:, None], self.orders[order].argsort(dim=1)]

    def classify(self, segments: torch.Tensor) -> torch.Tensor:
        """Logits `(N, 24)` of the order in which segments `(N, 4, C, l)` are shown."""
        return self.head(self.encoder(segments.flatten(0, 1)).unflatten(0, segments.shape[:2]).flatten(1))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        order = torch.randint(0, len(self.orders), (len(batch),), device=batch.device)
        return functional.cross_entropy(self.classify(self.shuffled(self.segments(batch), order)), order)

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        order = torch.arange(1, len(batch) + 1, device=batch.device) % len(self.orders)
        shown = self.shuffled(self.segments(batch), order)
        said = self.classify(shown).argmax(dim=1)
        rows = (batch, _joined(shown), _joined(self.put_back(shown, said)))
        captions = tuple("right" if bool(one) else "wrong" for one in said == order)
        return [Picture("order", rows, ("original", "shuffled", "put back"), captions)]


def _joined(segments: torch.Tensor) -> torch.Tensor:
    """Segments `(N, 4, C, l)` one after the other, `(N, C, 4 l)`."""
    return segments.transpose(1, 2).flatten(2)
