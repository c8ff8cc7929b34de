"""The pair of random views that every two-view task starts from, and small crops beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn.functional import interpolate

from sslbench.contract.schema import FewOrZero, Inside, Share
from sslbench.contract.spec import InputSpec, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.modalities import modality_of
from sslbench.modalities._base import repeated
from sslbench.pretexts._base import Picture, Pretext


@dataclass(frozen=True)
class TwoViewConfig(PretextConfig):
    """What all two-view tasks have in common, so that they differ in their losses and not in their views."""

    jitter_strength: Share = tuned(0.5, 0.0, 1.0)


class TwoViewPretext(Pretext):
    """A task that compares two random views of each input; subclasses say how.

    Both views are drawn from one distribution, that of their modality (for images SimCLR's, arXiv:2002.05709, appendix
    A). BYOL, Barlow Twins and VICReg add solarisation to one of the two; libraries disagree on it for small images, so
    it is left out.
    """

    Config: ClassVar[type[PretextConfig]] = TwoViewConfig

    projector: nn.Module  #: the head on the representation, where there is one; `(N, latent_dim)` -> `(N, D)`

    def __init__(self, encoder: Encoder, config: TwoViewConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.jitter_strength = config.jitter_strength

    def views(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Two random views of a batch `(N, ...)`, each of its shape."""
        # One call draws both, so the two views of a sample are independent draws of one distribution.
        spec = self.input_spec
        both = modality_of(spec).contrastive_view(repeated(batch, 2), spec.views, self.jitter_strength)
        first, second = both.chunk(2)
        return first, second

    def project(self, representations: torch.Tensor) -> torch.Tensor | None:
        return self.projector(representations) if hasattr(self, "projector") else None

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        return [Picture("views", (batch, *self.views(batch)), ("original", "view 1", "view 2"))]


@dataclass(frozen=True)
class MultiCropConfig(TwoViewConfig):
    """What tasks with small crops have in common."""

    small_crops: FewOrZero = (
        0  # beside the two large views; the papers' 6 to 10 treble the cost and show too little at 28 px
    )
    crop_border: Inside = tuned(0.4, 0.1, 0.9)  # share of the area between small and large crops; without small: unused


class MultiCropPretext(TwoViewPretext):
    """A task on two large views and, if `small_crops` says so, several small ones; subclasses say how.

    Encoders of a single input size get the small crops enlarged to it.
    """

    Config: ClassVar[type[PretextConfig]] = MultiCropConfig

    def __init__(self, encoder: Encoder, config: MultiCropConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.small_crops = config.small_crops
        self.crop_border = config.crop_border

    def crops(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Both large views `(2 N, ...)` and all small ones `(small_crops N, ...)`, view after view."""
        spec, border, any_size = self.input_spec, self.crop_border, self.encoder.any_size
        return modality_of(spec).crops(batch, spec.views, self.jitter_strength, self.small_crops, border, any_size)

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        large, small = self.crops(batch)
        views = [*large.split(len(batch)), *small.split(len(batch))][: 2 + self.small_crops]
        size = tuple(batch.shape[2:])
        rows = (batch, *[view if view.shape == batch.shape else interpolate(view, size=size) for view in views])
        names = ["view 1", "view 2", *[f"small {number}" for number in range(1, self.small_crops + 1)]]
        return [Picture("views", rows, ("original", *names))]
