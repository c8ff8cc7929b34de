"""What every encoder promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from sslbench.contract.spec import READINGS, InputSpec

#: Inputs that are encoded at a time where no gradient is wanted: as fast as 1,000, with a quarter of the activations.
INFERENCE_BATCH = 250


class Encoder(nn.Module, ABC):
    """A network from inputs `(N, ...)`, as their modality makes them, to representations `(N, latent_dim)`.

    Attributes:
        modality: the one its inputs must be of; None for a network that takes any.
        any_size: True if it also takes inputs of other sizes than its input specification says.
        readings: where it can be read.
        stride: of encoders of series, values of the input per place of the feature map.
        project: from what is pooled of the feature map, `(N, F)`, to the representation, `(N, latent_dim)`.
    """

    modality: ClassVar[str | None] = None
    any_size: ClassVar[bool] = False
    readings: ClassVar[tuple[str, ...]] = READINGS
    project: nn.Module
    stride: int

    def __init__(self, input_spec: InputSpec, latent_dim: int) -> None:
        super().__init__()
        self.input_spec = input_spec
        self.latent_dim = latent_dim

    @classmethod
    @abstractmethod
    def max_latent_dim(cls, input_spec: InputSpec) -> int:
        """The width of what is projected: more numbers than that would have no more rank."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Represent inputs `(N, ...)` as `(N, latent_dim)`."""
        return self.project(self.pool(self.feature_map(inputs)))

    @abstractmethod
    def feature_map(self, inputs: torch.Tensor) -> torch.Tensor:
        """The last features that still have a place in the input; of images `(N, F, h, w)`."""

    def pool(self, feature_map: torch.Tensor) -> torch.Tensor:
        """What `project` sees of a feature map `(N, F, ...)`: its mean over all places, `(N, F)`."""
        return feature_map.mean(dim=tuple(range(2, feature_map.dim())))

    def read(self, inputs: torch.Tensor, readings: Collection[str]) -> dict[str, torch.Tensor]:
        """Features `(N, D)` of inputs `(N, ...)` by reading, all from one pass.

        Of the map, each channel is averaged over a grid of two places per axis (one of an axis of length 1), as the
        linear evaluation of convolutional layers has it (Zhang et al. 2017, arXiv:1611.09842, section 4.1), unless
        `halved` says otherwise.

        Args:
            readings: of `READINGS`, which says what each is.
        """
        if tuple(readings) == READINGS[:1]:
            return {READINGS[0]: self(inputs)}
        features = self.feature_map(inputs)
        pooled = self.pool(features)
        found = {"latent": self.project(pooled), "pooled": pooled, "map": self.halved(features).flatten(1)}
        return {reading: found[reading] for reading in readings}

    def halved(self, feature_map: torch.Tensor) -> torch.Tensor:
        """What is read of a feature map `(N, F, h, w)` or `(N, F, length)`: its mean over halves of each axis."""
        halves = [min(2, length) for length in feature_map.shape[2:]]
        if len(halves) == 1:
            return functional.adaptive_avg_pool1d(feature_map, halves[0])
        return functional.adaptive_avg_pool2d(feature_map, (halves[0], halves[1]))

    @abstractmethod
    def mirror(self) -> nn.Module:
        """A new decoder of the mirrored shape: `(N, latent_dim)` to logits of the inputs' shape, `(N, ...)`."""
