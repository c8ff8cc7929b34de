"""What tasks on tiles share: which encoders and inputs fit, and how an encoder reads tiles."""

from __future__ import annotations

import torch

from sslbench.contract.spec import InputSpec
from sslbench.encoders import ENCODERS
from sslbench.encoders._base import Encoder
from sslbench.modalities.image import standardised_tiles

#: Side in pixels of the smallest cell that still shows a piece of something after its gap is taken off.
MIN_CELL = 4

#: Side in pixels below which a tile is magnified, so that a stride of 8 leaves more than one place.
MIN_SHOWN = 12


def encode_tiles(encoder: Encoder, tiles: torch.Tensor) -> torch.Tensor:
    """Represent each tile of `(N, K, C, h, w)` on its own: `(N, K, latent_dim)`.

    Tiles are standardised and shown at their own scale, the one the encoder is probed at later, or at the smallest
    multiple of it that is at least `MIN_SHOWN` pixels. Resizing them to the inputs' size costs several times as much.
    """
    height, width = tiles.shape[3:]
    times = -(-MIN_SHOWN // min(height, width))
    shown = standardised_tiles(tiles, (times * height, times * width))
    flat = shown.flatten(0, 1).contiguous(memory_format=torch.channels_last)
    return encoder(flat).unflatten(0, tiles.shape[:2])


def tiles_unsuitable(encoder_name: str, input_spec: InputSpec, grid: int) -> str | None:
    """Why `grid` x `grid` tiles do not fit such an encoder or such inputs; None if they do."""
    _, height, width = input_spec.shape
    if not ENCODERS.get(encoder_name).any_size:
        return f"shows the encoder tiles, smaller than its inputs; {encoder_name} takes inputs of one size"
    if min(height, width) < MIN_CELL * grid:
        return f"needs at least {MIN_CELL * grid} pixels per side for {grid} x {grid} tiles, not {height} x {width}"
    return None


def mosaic(tiles: torch.Tensor, grid: int) -> torch.Tensor:
    """Lay tiles `(N, grid * grid, C, h, w)` out row by row with a white line between them, for pictures."""
    framed = torch.nn.functional.pad(tiles, (0, 1, 0, 1), value=1.0).unflatten(1, (grid, grid))
    return framed.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)[:, :, :-1, :-1]
