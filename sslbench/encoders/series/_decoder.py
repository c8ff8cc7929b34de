"""The convolutional decoder that mirrors the encoders of series."""

from __future__ import annotations

import torch
from torch import nn

from sslbench.contract.spec import InputSpec

WIDTHS = (128, 64)
PATCH = 4


class SeriesDecoder(nn.Module):
    """Latent `(N, latent_dim)` to series `(N, C, L)`: linear, one transposed convolution, stretches of 4 values.

    The last convolution says a stretch of 4 values at each place, as `ConvDecoder` paints patches.
    """

    def __init__(self, input_spec: InputSpec, latent_dim: int) -> None:
        super().__init__()
        self.channels, self.length = input_spec.shape
        patches = -(-self.length // PATCH)
        half = (patches + 1) // 2
        self.start = (WIDTHS[0], half)
        self.expand = nn.Linear(latent_dim, WIDTHS[0] * half)
        self.grow = nn.Sequential(
            nn.ConvTranspose1d(*WIDTHS, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm1d(WIDTHS[1]),
            nn.ReLU(inplace=True),
        )
        self.say = nn.Conv1d(WIDTHS[1], self.channels * PATCH, 3, padding=1)

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Decode `(N, latent_dim)` into values `(N, C, L)`."""
        hidden = self.expand(latent).unflatten(1, self.start).relu()
        said = self.say(self.grow(hidden)).unflatten(1, (self.channels, PATCH))  # (N, C, PATCH, places)
        return said.transpose(2, 3).flatten(2)[:, :, : self.length]
