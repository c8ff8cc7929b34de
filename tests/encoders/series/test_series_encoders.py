"""Places of the encoders of series."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from sslbench.contract.spec import InputSpec
from sslbench.encoders.series.conv1d import PLACES, Conv1d, DilatedBlock
from sslbench.encoders.series.patch_transformer import PatchTransformer


@pytest.mark.parametrize("length", [24, 29, 96, 140, 500, 8000])
@pytest.mark.parametrize("kind", [Conv1d, PatchTransformer])
def test_a_place_of_the_feature_map_is_so_many_values(kind: type[Conv1d | PatchTransformer], length: int) -> None:
    encoder = kind(InputSpec("series", (2, length)), 8).eval()
    places = -(-length // encoder.stride)
    assert encoder.feature_map(torch.zeros(1, 2, length)).shape[2] == places
    for moments in range(1, length // encoder.stride + 1, 7):
        assert encoder.feature_map(torch.zeros(1, 2, moments * encoder.stride)).shape[2] == moments
    assert places <= PLACES // 4


def test_the_stem_leaves_no_value_of_a_long_series_out() -> None:
    encoder = Conv1d(InputSpec("series", (1, 8000)), 8).eval()
    series = torch.randn(1, 1, 8000, requires_grad=True)
    encoder(series).sum().backward()
    assert series.grad is not None
    assert float((series.grad != 0).float().mean()) > 0.99


@pytest.mark.parametrize("length", [61, 500])
def test_a_block_begins_as_the_means_that_its_shortcut_takes(length: int) -> None:
    block = Conv1d(InputSpec("series", (1, length)), 8).blocks[1]
    assert isinstance(block, DilatedBlock)
    assert isinstance(block.shortcut, nn.Sequential)
    series = torch.randn(2, 32, length)
    halves = functional.avg_pool1d(series, 2, ceil_mode=True)
    torch.testing.assert_close(block(series), functional.relu(block.shortcut[1](halves)))


def test_what_was_cut_is_put_together_again() -> None:
    for length in (24, 29, 140):
        encoder = PatchTransformer(InputSpec("series", (3, length)), 8)
        series = torch.randn(2, 3, length)
        patches = encoder.patchify(series)
        assert patches.shape == (2, encoder.num_patches, encoder.patch_values)
        assert torch.equal(encoder.unpatchify(patches), series)
