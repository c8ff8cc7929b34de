"""The pair of random views that every two-view task starts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from sslbench.encoders._base import Encoder
from sslbench.pretexts._base import Picture, Pretext
from sslbench.spec import InputSpec, PretextConfig, tuned
from sslbench.views import contrastive_view


@dataclass(frozen=True)
class TwoViewConfig(PretextConfig):
    """What all two-view tasks have in common, so that they differ in their losses and not in their views."""

    jitter_strength: float = tuned(0.5, 0.0, 1.0)


class TwoViewPretext(Pretext):
    """A task that compares two random views of each input; subclasses say how.

    Both views are drawn from one distribution, SimCLR's (arXiv:2002.05709, appendix A). BYOL, Barlow Twins and
    VICReg add solarisation to one of the two; libraries disagree on it for small images, so it is left out.
    """

    Config: ClassVar[type[PretextConfig]] = TwoViewConfig

    def __init__(self, encoder: Encoder, config: TwoViewConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.jitter_strength = config.jitter_strength

    def views(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Two random views of a batch, each `(N, C, H, W)` in [0, 1]."""
        # One call draws both, so the two views of a sample are independent draws of one distribution.
        both = contrastive_view(batch.repeat(2, 1, 1, 1), self.input_spec.views, self.jitter_strength)
        first, second = both.chunk(2)
        return first, second

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        return [Picture("views", (batch, *self.views(batch)), ("original", "view 1", "view 2"))]
