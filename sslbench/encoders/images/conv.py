"""The small convolutional encoder that the CPU suites use."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn

from sslbench.contract.spec import InputSpec
from sslbench.encoders._base import Encoder
from sslbench.encoders.images._decoder import ConvDecoder

WIDTHS = (32, 64, 128)


class Conv(Encoder):
    """Three strided 3x3 convolutions (32-64-128, batch norm), global average pool, linear; about 0.1 M parameters.

    An all-convolutional design (Springenberg et al. 2014, arXiv:1412.6806) with batch normalisation
    (Ioffe & Szegedy 2015, arXiv:1502.03167), small enough to train in seconds on two CPU cores.
    """

    modality: ClassVar[str | None] = "image"
    any_size: ClassVar[bool] = True

    def __init__(self, input_spec: InputSpec, latent_dim: int) -> None:
        super().__init__(input_spec, latent_dim)
        blocks: list[nn.Module] = []
        for before, after in zip((input_spec.shape[0], *WIDTHS), WIDTHS, strict=False):
            blocks += [
                nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(inplace=True),
            ]
        self.blocks = nn.Sequential(*blocks)
        self.project = nn.Linear(WIDTHS[-1], latent_dim)

    @classmethod
    def max_latent_dim(cls, input_spec: InputSpec) -> int:
        return WIDTHS[-1]

    def feature_map(self, inputs: torch.Tensor) -> torch.Tensor:
        """`(N, 128, h, w)` before the pool; 4 x 4 for 28 x 28 inputs."""
        return self.blocks(inputs)

    def mirror(self) -> nn.Module:
        return ConvDecoder(self.input_spec, self.latent_dim)
