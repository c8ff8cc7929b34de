"""No encoder at all: the yardstick that shows what an encoder adds."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn

from sslbench.contract.spec import READINGS, InputError, InputSpec
from sslbench.encoders._base import Encoder


class Raw(Encoder):
    """The input itself, flattened; the representation of the `raw_pixels` and `majority_class` baselines.

    Raises:
        InputError: `latent_dim` is not the number of input values.
    """

    readings: ClassVar[tuple[str, ...]] = READINGS[:1]

    @classmethod
    def max_latent_dim(cls, input_spec: InputSpec) -> int:
        return input_spec.size

    def __init__(self, input_spec: InputSpec, latent_dim: int) -> None:
        if latent_dim != input_spec.size:
            raise InputError(
                f"encoder 'raw' keeps all {input_spec.size} input values; latent size {latent_dim} cannot be"
            )
        super().__init__(input_spec, latent_dim)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs.flatten(1)

    def feature_map(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs

    def mirror(self) -> nn.Module:
        return nn.Unflatten(1, self.input_spec.shape)
