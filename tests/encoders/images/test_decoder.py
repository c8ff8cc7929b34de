"""The decoder paints whole patches, and exactly the image."""

from __future__ import annotations

import pytest
import torch

from sslbench.contract.spec import InputSpec
from sslbench.encoders.images._decoder import ConvDecoder


@pytest.mark.parametrize(("height", "width"), [(3, 3), (8, 8), (27, 30), (28, 28), (32, 32), (33, 65), (96, 96)])
def test_an_image_of_any_size_comes_out(height: int, width: int) -> None:
    decoder = ConvDecoder(InputSpec("image", (3, height, width)), 5)
    assert decoder(torch.randn(2, 5)).shape == (2, 3, height, width)
