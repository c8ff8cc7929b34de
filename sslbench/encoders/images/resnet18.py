"""The residual network, with the stem small images need."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn
from torchvision.models import resnet18

from sslbench.contract.spec import InputSpec
from sslbench.encoders._base import Encoder
from sslbench.encoders.images._decoder import ConvDecoder

WIDTH = 512


class ResNet18(Encoder):
    """torchvision's ResNet-18 with a 3x3 stem, no max-pool and a linear projection to the latent size.

    He et al. 2015, arXiv:1512.03385. The stem is the one SimCLR uses on CIFAR-10 (arXiv:2002.05709, B.9):
    the ImageNet stem would shrink a 32 x 32 image to 8 x 8 before the first block.
    """

    modality: ClassVar[str | None] = "image"
    any_size: ClassVar[bool] = True

    def __init__(self, input_spec: InputSpec, latent_dim: int) -> None:
        super().__init__(input_spec, latent_dim)
        network = resnet18(weights=None)
        self.blocks = nn.Sequential(
            nn.Conv2d(input_spec.shape[0], 64, 3, padding=1, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(inplace=True),
            network.layer1,
            network.layer2,
            network.layer3,
            network.layer4,
        )
        self.project = nn.Linear(WIDTH, latent_dim)

    @classmethod
    def max_latent_dim(cls, input_spec: InputSpec) -> int:
        return WIDTH

    def feature_map(self, inputs: torch.Tensor) -> torch.Tensor:
        """`(N, 512, h, w)` before the pool; 4 x 4 for 32 x 32 inputs."""
        return self.blocks(inputs)

    def mirror(self) -> nn.Module:
        return ConvDecoder(self.input_spec, self.latent_dim)
