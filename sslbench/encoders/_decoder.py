"""The convolutional decoder that mirrors the convolutional encoders."""

from __future__ import annotations

import torch
from torch import nn

from sslbench.spec import InputSpec

WIDTHS = (128, 64, 32)


class ConvDecoder(nn.Module):
    """Latent `(N, latent_dim)` to image logits `(N, C, H, W)`: linear, then three upsampling convolutions.

    Nearest-neighbour upsampling before each convolution avoids the checkerboard of transposed convolutions
    (Odena et al. 2016, doi:10.23915/distill.00003).
    """

    def __init__(self, input_spec: InputSpec, latent_dim: int) -> None:
        super().__init__()
        channels, height, width = input_spec.shape
        sizes = [(height, width)]
        for _ in WIDTHS:
            sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
        self.start = (WIDTHS[0], *sizes[-1])
        self.expand = nn.Linear(latent_dim, WIDTHS[0] * sizes[-1][0] * sizes[-1][1])
        blocks: list[nn.Module] = []
        for before, after, size in zip(WIDTHS[:-1], WIDTHS[1:], sizes[-2:0:-1], strict=True):
            blocks += [
                nn.Upsample(size=size, mode="nearest"),
                nn.Conv2d(before, after, 3, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(inplace=True),
            ]
        self.blocks = nn.Sequential(*blocks, nn.Upsample(size=(height, width), mode="nearest"))
        self.paint = nn.Conv2d(WIDTHS[-1], channels, 3, padding=1)

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Decode `(N, latent_dim)` into logits `(N, C, H, W)`."""
        hidden = self.expand(latent).unflatten(1, self.start).relu()
        return self.paint(self.blocks(hidden.contiguous(memory_format=torch.channels_last)))
