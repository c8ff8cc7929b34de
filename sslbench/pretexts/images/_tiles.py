"""What tasks on tiles share: how tiles are cut and read by an encoder, and which encoders and inputs fit."""

from __future__ import annotations

import torch
from torch.nn import functional

from sslbench.contract.spec import InputSpec
from sslbench.encoders import ENCODERS
from sslbench.encoders._base import Encoder

#: Side in pixels of the smallest cell that still shows a piece of something after its gap is taken off.
MIN_CELL = 4

#: Side in pixels below which a tile is magnified, so that a stride of 8 leaves more than one place.
MIN_SHOWN = 12


def jittered_tiles(images: torch.Tensor, grid: int, gap: float) -> torch.Tensor:
    """Cut each image into `grid` x `grid` tiles, row by row: `(N, C, H, W)` to `(N, grid * grid, C, h, w)`.

    Every tile lies at a random place in its cell, which is longer by the share `gap` per side (64 of 75 pixels in
    arXiv:1603.09246, 3; likewise arXiv:1505.05192, 3.1). Tiles of neighbouring cells lie 0 to 2 gaps apart, so
    neither a line across a border nor a tile's exact place gives its position away.
    """
    count, _, *sides = images.shape
    device, places = images.device, []
    for axis, side in enumerate(sides):
        cell = side // grid
        spare = min(cell - 1, max(1, round(gap * cell))) if gap > 0 else 0
        # The cells reach from edge to edge also where the grid does not divide the side.
        starts = torch.arange(grid, device=device) * (side - cell) // max(1, grid - 1)
        starts = starts.repeat_interleave(grid) if axis == 0 else starts.repeat(grid)
        starts = starts + torch.randint(0, spare + 1, (count, grid * grid), device=device)
        places.append(starts[..., None] + torch.arange(cell - spare, device=device))
    rows, columns = places  # (N, grid * grid, h) and (N, grid * grid, w)
    sample = torch.arange(count, device=device)[:, None, None, None]
    return images.permute(0, 2, 3, 1)[sample, rows[..., :, None], columns[..., None, :]].permute(0, 1, 4, 2, 3)


def standardised_tiles(tiles: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Resize tiles `(N, K, C, h, w)` bilinearly to `size` and give them all one mean and deviation per channel.

    A tile's own mean and deviation would tell its neighbours without a look at the content (arXiv:1603.09246, 3.3).
    The whole batch's replace them, not 0 and 1, so that the encoder sees the range it is probed in later.
    """
    resized = functional.interpolate(tiles.flatten(0, 1), size, mode="bilinear").unflatten(0, tiles.shape[:2])
    deviation, mean = torch.std_mean(resized, dim=(3, 4), keepdim=True, correction=0)
    batch_deviation, batch_mean = torch.std_mean(resized, dim=(0, 1, 3, 4), keepdim=True, correction=0)
    # The floor of about 5 grey levels keeps an almost empty tile empty: its noise should not become its content.
    return (resized - mean) / deviation.clamp(min=0.02) * batch_deviation + batch_mean


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
    framed = functional.pad(tiles, (0, 1, 0, 1), value=1.0).unflatten(1, (grid, grid))
    return framed.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)[:, :, :-1, :-1]
