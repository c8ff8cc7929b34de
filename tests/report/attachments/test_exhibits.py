"""Pictures on their way into a results folder."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from sslbench.report.attachments.exhibits import COLORS, WIDTH, shrink


def drawn(width: int) -> bytes:
    """A picture of many colours, as matplotlib leaves it: with an alpha channel."""
    pixels = np.random.default_rng(0).integers(0, 256, (60, width, 4), dtype=np.uint8)
    pixels[..., 3] = 255
    png = io.BytesIO()
    Image.fromarray(pixels).save(png, format="png")
    return png.getvalue()


def test_a_picture_is_as_wide_and_as_colourful_as_the_page_shows_it() -> None:
    for width in (WIDTH // 2, 2 * WIDTH):
        with Image.open(io.BytesIO(shrink(drawn(width)))) as image:
            assert image.width == min(width, WIDTH)
            assert len(set(image.convert("RGB").get_flattened_data())) <= COLORS


def test_a_picture_taken_from_what_was_published_keeps_its_bytes() -> None:
    once = shrink(drawn(200))
    assert shrink(once) == once
