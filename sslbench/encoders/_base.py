"""What every encoder promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import nn

from sslbench.contract.spec import InputSpec

#: Inputs that are encoded at a time where no gradient is wanted: as fast as 1,000, with a quarter of the activations.
INFERENCE_BATCH = 250


class Encoder(nn.Module, ABC):
    """A network from inputs `(N, ...)`, as their modality makes them, to representations `(N, latent_dim)`.

    Attributes:
        modality: the one its inputs must be of; None for a network that takes any.
        any_size: True if it also takes inputs of other sizes than its input specification says.
    """

    modality: ClassVar[str | None] = None
    any_size: ClassVar[bool] = False

    def __init__(self, input_spec: InputSpec, latent_dim: int) -> None:
        super().__init__()
        self.input_spec = input_spec
        self.latent_dim = latent_dim

    @abstractmethod
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Represent inputs `(N, ...)` as `(N, latent_dim)`."""

    @abstractmethod
    def feature_map(self, inputs: torch.Tensor) -> torch.Tensor:
        """The last features that still have a place in the input; of images `(N, F, h, w)`."""

    @abstractmethod
    def mirror(self) -> nn.Module:
        """A new decoder of the mirrored shape: `(N, latent_dim)` to logits of the inputs' shape, `(N, ...)`."""
