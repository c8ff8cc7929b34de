"""What tasks on tiles share: which encoders and inputs fit, and how an encoder reads tiles."""

from __future__ import annotations

import torch

from sslbench.encoders._base import Encoder
from sslbench.spec import InputSpec
from sslbench.views import standardised_tiles

#: Sides of the smallest cell, in pixels, that still shows a piece of something after its gap is taken off.
MIN_CELL = 4


def encode_tiles(encoder: Encoder, tiles: torch.Tensor) -> torch.Tensor:
    """Represent each tile of `(N, K, C, h, w)` on its own: `(N, K, latent_dim)`.

    Tiles are standardised and shown at half the sides of a full input: of 28 x 28 pixels, tiles of 12 (2 x 2) or 7
    (3 x 3) then keep a map of 2 x 2 places before the pool of `conv`. Full size costs four times as much and
    trains no better probe; 7 pixels as they are leave a single place (figures in the tasks' docstrings).
    """
    _, height, width = encoder.input_spec.shape
    shown = standardised_tiles(tiles, (max(1, height // 2), max(1, width // 2)))
    flat = shown.flatten(0, 1).contiguous(memory_format=torch.channels_last)
    return encoder(flat).unflatten(0, tiles.shape[:2])


def tiles_unsuitable(encoder_name: str, input_spec: InputSpec, grid: int) -> str | None:
    """Why `grid` x `grid` tiles do not fit such an encoder or such inputs; None if they do."""
    _, height, width = input_spec.shape
    if encoder_name in ("mlp", "raw"):
        return f"shows the encoder tiles, smaller than its inputs; {encoder_name} takes inputs of one size"
    if min(height, width) < MIN_CELL * grid:
        return f"needs at least {MIN_CELL * grid} pixels per side for {grid} x {grid} tiles, not {height} x {width}"
    return None


def mosaic(tiles: torch.Tensor, grid: int) -> torch.Tensor:
    """Lay tiles `(N, grid * grid, C, h, w)` out row by row with a white line between them, for pictures."""
    framed = torch.nn.functional.pad(tiles, (0, 1, 0, 1), value=1.0).unflatten(1, (grid, grid))
    return framed.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)[:, :, :-1, :-1]
