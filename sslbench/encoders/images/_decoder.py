"""The convolutional decoder that mirrors the convolutional encoders."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from sslbench.contract.spec import InputSpec

WIDTHS = (128, 64)
PATCH = 4


class ConvDecoder(nn.Module):
    """Latent `(N, latent_dim)` to image logits `(N, C, H, W)`: linear, one transposed convolution, patches of 4 x 4.

    The last convolution paints a patch at each place of a map of a quarter of the side, as sub-pixel convolution does
    (Shi et al. 2016, arXiv:1609.05158): two thirds of the cost of an autoencoder that mirrors `Conv` layer by layer,
    whose widest maps are the largest, and as good a representation.
    """

    def __init__(self, input_spec: InputSpec, latent_dim: int) -> None:
        super().__init__()
        channels, self.height, self.width = input_spec.shape
        patches = [-(-side // PATCH) for side in (self.height, self.width)]
        halves = [(side + 1) // 2 for side in patches]
        self.start = (WIDTHS[0], *halves)
        self.expand = nn.Linear(latent_dim, WIDTHS[0] * halves[0] * halves[1])
        # From a half, a stride of 2 and a padding of 1 grow an odd side with a kernel of 3, an even one with 4.
        kernel = (3 if patches[0] % 2 else 4, 3 if patches[1] % 2 else 4)
        self.grow = nn.Sequential(
            nn.ConvTranspose2d(*WIDTHS, kernel, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(WIDTHS[1]),
            nn.ReLU(inplace=True),
        )
        self.paint = nn.Conv2d(WIDTHS[1], channels * PATCH**2, 3, padding=1)

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Decode `(N, latent_dim)` into logits `(N, C, H, W)`."""
        hidden = self.expand(latent).unflatten(1, self.start).relu().contiguous(memory_format=torch.channels_last)
        painted = functional.pixel_shuffle(self.paint(self.grow(hidden)), PATCH)
        return painted[:, :, : self.height, : self.width]
