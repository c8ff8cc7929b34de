"""An encoder that looks at one patch at a time."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn

from sslbench.contract.spec import InputSpec
from sslbench.encoders import ConvDecoder, Encoder

PATCH, WIDTH = 6, 128


class Patchwork(Encoder):
    """A bag of patches: a linear layer on each, ReLU, their mean, a linear layer.

    In the spirit of Coates et al. 2011, "An analysis of single-layer networks in unsupervised feature learning".
    """

    modality: ClassVar[str | None] = "image"
    any_size: ClassVar[bool] = True

    def __init__(self, input_spec: InputSpec, latent_dim: int) -> None:
        super().__init__(input_spec, latent_dim)
        self.patches = nn.Sequential(nn.Conv2d(input_spec.shape[0], WIDTH, PATCH, stride=2), nn.ReLU())
        self.project = nn.Linear(WIDTH, latent_dim)

    @classmethod
    def max_latent_dim(cls, input_spec: InputSpec) -> int:
        return WIDTH

    def feature_map(self, inputs: torch.Tensor) -> torch.Tensor:
        """`(N, 128, h, w)`: what each patch says, in its place."""
        return self.patches(inputs)

    def mirror(self) -> nn.Module:
        return ConvDecoder(self.input_spec, self.latent_dim)
