"""Maps of representations are drawn whatever these are."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from matplotlib.image import imread

from sslbench.engine.pictures import draw_map


@pytest.mark.parametrize(
    "features",
    [torch.ones(40, 8), 1e-30 * torch.randn(40, 8), torch.randn(40, 8), torch.randn(3, 8), torch.randn(40, 1)],
    ids=["equal", "tiny", "any", "few", "narrow"],
)
def test_a_map_is_drawn(features: torch.Tensor, tmp_path: Path) -> None:
    labels = torch.arange(len(features)) % 3
    draw_map(features, labels, ("a", "b", "c"), "a map", tmp_path / "map.png", 0)
    picture = imread(tmp_path / "map.png")[..., :3]
    coloured = picture.max(axis=2) - picture.min(axis=2) > 0.3  # points, each in the colour of its class
    assert coloured.sum() > 50
