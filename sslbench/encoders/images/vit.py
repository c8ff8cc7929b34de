"""The transformer encoder, for tasks that work on patches."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from sslbench.contract.spec import InputSpec
from sslbench.encoders._transformer import WIDTH, Block, TokenEncoder, waves
from sslbench.encoders.images._decoder import ConvDecoder

PATCH_SIZES = (2, 4, 8, 16, 32, 64)
MAX_PATCHES = 144

#: Pixels in [0, 1] are taken less the middle and over this, so that the content of a patch weighs about as much as its
#: place: a fixed rule, because a data set's own statistics would be a pass over it.
PIXEL_CENTRE, PIXEL_SCALE = 0.5, 0.18


def sincos_positions(grid: tuple[int, int], width: int, full_grid: tuple[int, int] | None = None) -> torch.Tensor:
    """Fixed two-dimensional sine-cosine positions `(h * w, width)` of a grid of patches, row by row.

    The first half of the width encodes the row, the second the column, each at frequencies from 1 to 1/20
    (Vaswani et al. 2017, 3.5, to 1/10000 there; in two dimensions as in MAE, arXiv:2111.06377).

    Args:
        width: divisible by 4.
        full_grid: the grid of a whole image. A smaller `grid` is stretched over it, which is what DINO's
            interpolation of positions does for small crops: a corner stays a corner.
    """
    rows, columns = (
        waves((torch.arange(length) + 0.5) * full / length - 0.5, width // 2)
        for length, full in zip(grid, full_grid or grid, strict=True)
    )
    pairs = [rows[:, None].expand(-1, grid[1], -1), columns[None].expand(grid[0], -1, -1)]
    return torch.cat(pairs, dim=2).flatten(0, 1)


def _patch_size(height: int, width: int) -> int:
    for size in PATCH_SIZES:
        if math.ceil(height / size) * math.ceil(width / size) <= MAX_PATCHES:
            return size
    return PATCH_SIZES[-1]


class ViT(TokenEncoder):
    """Tiny vision transformer: 4 pre-norm blocks of width 96 on patches, mean of the tokens, linear; about 0.3 M.

    Dosovitskiy et al. 2020, arXiv:2010.11929. Patches are 4 x 4 for 28 to 48 pixels and otherwise the power of two
    that gives at most 144 tokens, because attention's cost grows with their square. Differences from the paper: the
    tokens' mean instead of a class token (as in its appendix D.3), fixed sine-cosine positions instead of learned
    ones (so masked tasks cannot lose them and crops of another size need no interpolation), and a perceptron twice
    instead of four times as wide, for the CPU's sake. Sides that no patch divides are padded below and at the right.

    A token is its position times one plus its content, where the paper adds the two: a mean over sums tells what
    there is and, until the blocks have learnt to mix them, not where. Trained on 6,000 labels of Fashion-MNIST for 250
    steps of 64 it answers 74.1% of held-out training images and 70.7% with the sum.

    Attributes:
        patch_size: side of a patch in pixels.
        grid: patches per column and per row of a full-size input.
    """

    modality: ClassVar[str | None] = "image"
    any_size: ClassVar[bool] = True

    def __init__(self, input_spec: InputSpec, latent_dim: int) -> None:
        channels, height, width = input_spec.shape
        size = _patch_size(height, width)
        super().__init__(input_spec, latent_dim, size**2 * channels)
        self.patch_size = size
        self.grid = self.grid_of(height, width)
        self.num_patches = self.grid[0] * self.grid[1]
        # Fixed, so no part of a checkpoint.
        self.register_buffer("full_positions", self.place_vectors(WIDTH), persistent=False)
        self.full_positions: torch.Tensor

    def grid_of(self, height: int, width: int) -> tuple[int, int]:
        """Patches per column and per row of an image of `height` x `width` pixels."""
        return math.ceil(height / self.patch_size), math.ceil(width / self.patch_size)

    def place_vectors(self, width: int) -> torch.Tensor:
        return sincos_positions(self.grid, width)

    def positions(self, grid: tuple[int, int]) -> torch.Tensor:
        """Position vectors `(h * w, D)` of a grid of patches stretched over the whole image."""
        if grid == self.grid:
            return self.full_positions
        return sincos_positions(grid, self.width, self.grid).to(self.full_positions)

    def patchify(self, images: torch.Tensor) -> torch.Tensor:
        """Cut `(N, C, H, W)` of any size into `(N, P, patch * patch * C)`, patches row by row, channels fastest."""
        size = self.patch_size
        _, _, height, width = images.shape
        images = functional.pad(images, (0, -width % size, 0, -height % size))
        patches = images.unflatten(3, (-1, size)).unflatten(2, (-1, size))  # (N, C, h, size, w, size)
        return patches.permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)

    def unpatchify(self, patches: torch.Tensor) -> torch.Tensor:
        """Put `(N, P, patch * patch * C)` of full-size images together again, `(N, C, H, W)`."""
        channels, height, width = self.input_spec.shape
        patches = patches.unflatten(2, (self.patch_size, self.patch_size, channels)).unflatten(1, self.grid)
        images = patches.permute(0, 5, 1, 3, 2, 4).flatten(4, 5).flatten(2, 3)
        return images[:, :, :height, :width]

    def embed(self, inputs: torch.Tensor) -> torch.Tensor:
        """Patch tokens `(N, P, D)` in their places, before any block."""
        content = self.patch_projection((self.patchify(inputs) - PIXEL_CENTRE) / PIXEL_SCALE)
        return self.positions(self.grid_of(*inputs.shape[2:])) * (1 + content)

    def feature_map(self, inputs: torch.Tensor) -> torch.Tensor:
        """Encoded tokens in their places, `(N, 96, h, w)`; 7 x 7 for 28 x 28 inputs."""
        return self.tokens(inputs).transpose(1, 2).unflatten(2, self.grid_of(*inputs.shape[2:]))

    def attention(self, inputs: torch.Tensor) -> torch.Tensor:
        """Who looks at whom in the last block, `(N, heads, P, P)`; each row sums to 1."""
        last = self.blocks[-1]
        assert isinstance(last, Block)
        return last.attention(self.blocks[:-1](self.embed(inputs)))

    def mirror(self) -> nn.Module:
        return ConvDecoder(self.input_spec, self.latent_dim)
