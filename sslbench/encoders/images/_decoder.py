"""The convolutional decoder that mirrors the convolutional encoders."""

from __future__ import annotations

import itertools

import torch
from torch import nn

from sslbench.contract.spec import InputSpec

WIDTHS = (128, 64, 32)


class ConvDecoder(nn.Module):
    """Latent `(N, latent_dim)` to image logits `(N, C, H, W)`: linear, then three transposed convolutions of stride 2.

    The mirror of `Conv` layer by layer, and about as cheap. Where a side doubles the kernel is 4, which the stride
    divides, so that no checkerboard appears (Odena et al. 2016, doi:10.23915/distill.00003); where an odd side was
    rounded up on the way down (4 back to 7), a kernel of 3 leaves exactly the odd size.
    """

    def __init__(self, input_spec: InputSpec, latent_dim: int) -> None:
        super().__init__()
        channels, height, width = input_spec.shape
        sizes = [(height, width)]
        for _ in WIDTHS:
            sizes.insert(0, ((sizes[0][0] + 1) // 2, (sizes[0][1] + 1) // 2))
        self.start = (WIDTHS[0], *sizes[0])
        self.expand = nn.Linear(latent_dim, WIDTHS[0] * sizes[0][0] * sizes[0][1])
        blocks: list[nn.Module] = []
        for (before, after), grown in zip(itertools.pairwise(WIDTHS), sizes[1:-1], strict=True):
            blocks += [
                nn.ConvTranspose2d(before, after, _kernel(grown), stride=2, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(inplace=True),
            ]
        self.blocks = nn.Sequential(*blocks)
        self.paint = nn.ConvTranspose2d(WIDTHS[-1], channels, _kernel(sizes[-1]), stride=2, padding=1)

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Decode `(N, latent_dim)` into logits `(N, C, H, W)`."""
        hidden = self.expand(latent).unflatten(1, self.start).relu()
        return self.paint(self.blocks(hidden.contiguous(memory_format=torch.channels_last)))


def _kernel(size: tuple[int, int]) -> tuple[int, int]:
    """Per side, the kernel that a stride of 2 and a padding of 1 grow to exactly `size`."""
    height, width = (3 if side % 2 else 4 for side in size)
    return height, width
