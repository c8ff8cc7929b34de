"""Places of the encoders of series."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional
from ts2vec.models.encoder import TSEncoder

from sslbench.contract.spec import InputSpec
from sslbench.encoders.series.conv1d import PLACES, Conv1d, DilatedBlock
from sslbench.encoders.series.dilated_conv import DEPTH, FEATURES, WIDTH, DilatedConv
from sslbench.encoders.series.patch_transformer import PatchTransformer


@pytest.mark.parametrize("length", [24, 29, 96, 140, 500, 8000])
@pytest.mark.parametrize(("kind", "most"), [(Conv1d, PLACES // 4), (PatchTransformer, PLACES // 4), (DilatedConv, 128)])
def test_a_place_of_the_feature_map_is_so_many_values(
    kind: type[Conv1d | PatchTransformer | DilatedConv], most: int, length: int
) -> None:
    encoder = kind(InputSpec("series", (2, length)), 8).eval()
    places = -(-length // encoder.stride)
    assert encoder.feature_map(torch.zeros(1, 2, length)).shape[2] == places
    for moments in range(1, length // encoder.stride + 1, 7):
        assert encoder.feature_map(torch.zeros(1, 2, moments * encoder.stride)).shape[2] == moments
    assert places <= most


@pytest.mark.parametrize("kind", [Conv1d, DilatedConv])
def test_the_stem_leaves_no_value_of_a_long_series_out(kind: type[Conv1d | DilatedConv]) -> None:
    encoder = kind(InputSpec("series", (1, 8000)), 8).eval()
    series = torch.randn(1, 1, 8000, requires_grad=True)
    encoder(series).sum().backward()
    assert series.grad is not None
    assert float((series.grad != 0).float().mean()) > 0.99


def test_moments_are_those_of_the_authors_encoder_with_the_same_weights() -> None:
    ours = DilatedConv(InputSpec("series", (3, 40)), 8).eval()
    theirs = TSEncoder(3, FEATURES, WIDTH, depth=DEPTH).eval()
    with torch.no_grad():
        theirs.input_fc.weight.copy_(ours.stem.weight[:, :, 0])
        theirs.input_fc.bias.copy_(ours.stem.bias)
    for own, other in zip(ours.blocks, theirs.feature_extractor.net, strict=True):
        other.conv1.conv.load_state_dict(own.first.state_dict())
        other.conv2.conv.load_state_dict(own.second.state_dict())
        if other.projector is not None:
            other.projector.load_state_dict(own.shortcut.state_dict())
    series = torch.randn(2, 3, 40)
    with torch.no_grad():
        moments = theirs(series.transpose(1, 2).clone()).transpose(1, 2)
        torch.testing.assert_close(ours.feature_map(series), moments)
        read = ours.read(series, ("pooled", "map"))
    assert torch.equal(read["pooled"], ours.feature_map(series).amax(2))
    assert torch.equal(read["map"].unflatten(1, (FEATURES, 2)).amax(2), read["pooled"])


@pytest.mark.parametrize("length", [24, 29, 140, 500])
def test_the_last_block_sees_the_whole_series(length: int) -> None:
    encoder = DilatedConv(InputSpec("series", (1, length)), 8).eval()
    series = torch.randn(1, 1, length, requires_grad=True)
    encoder.feature_map(series)[0, :, 0].sum().backward()
    assert series.grad is not None
    assert bool((series.grad[0, 0, -encoder.stride :] != 0).any()), "the first moment knows of the last values"


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
