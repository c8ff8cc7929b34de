"""The transformer encoder: its patches, its positions and what it promises to the tasks that work on tokens."""

from __future__ import annotations

import math

import pytest
import torch

from sslbench.contract.spec import InputSpec
from sslbench.datasets._base import Dataset
from sslbench.encoders.images.vit import MAX_PATCHES, Block, ViT, sincos_positions

GREY = InputSpec("image", (1, 28, 28))
SHAPES = [(1, 28, 28), (3, 32, 32), (1, 8, 8), (3, 96, 96), (3, 30, 31), (1, 20, 28), (3, 224, 224)]


def vit(shape: tuple[int, ...] = (1, 28, 28)) -> ViT:
    torch.manual_seed(0)
    return ViT(InputSpec("image", shape), 16)


@pytest.mark.parametrize("shape", SHAPES)
def test_putting_patches_together_gives_the_image_back(shape: tuple[int, ...]) -> None:
    encoder, images = vit(shape), torch.rand(2, *shape)
    patches = encoder.patchify(images)
    assert patches.shape == (2, encoder.num_patches, encoder.patch_size**2 * shape[0])
    assert torch.equal(encoder.unpatchify(patches), images)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_image_size_gives_a_bounded_number_of_tokens(shape: tuple[int, ...]) -> None:
    encoder, images = vit(shape), torch.rand(2, *shape)
    assert encoder.num_patches <= MAX_PATCHES
    assert encoder(images).shape == (2, 16)
    assert encoder.tokens(images).shape == (2, encoder.num_patches, encoder.width)
    assert encoder.feature_map(images).shape == (2, encoder.width, *encoder.grid)
    assert encoder.mirror()(torch.zeros(2, 16)).shape == images.shape


def test_small_images_have_patches_of_four_pixels() -> None:
    assert vit((1, 28, 28)).grid == (7, 7)
    assert vit((3, 32, 32)).grid == (8, 8)


def test_a_patch_holds_one_square_of_the_image_channels_fastest() -> None:
    images = torch.rand(2, 3, 32, 32)
    square = images[1, :, 8:12, 20:24]  # third row of patches, sixth column
    assert torch.equal(vit((3, 32, 32)).patchify(images)[1, 2 * 8 + 5], square.permute(1, 2, 0).flatten())


def test_memory_layout_does_not_change_the_patches() -> None:
    images = torch.rand(2, 3, 32, 32)
    encoder = vit((3, 32, 32))
    assert torch.equal(encoder.patchify(images), encoder.patchify(images.contiguous(memory_format=torch.channels_last)))


def test_positions_are_the_textbook_sines_and_cosines() -> None:
    positions = sincos_positions((3, 5), 8)
    assert positions.shape == (15, 8)
    row, column = 2, 3
    slow = 20**-0.5
    expected = [math.sin(row), math.sin(row * slow), math.cos(row), math.cos(row * slow)]
    expected += [math.sin(column), math.sin(column * slow), math.cos(column), math.cos(column * slow)]
    assert positions[row * 5 + column].tolist() == pytest.approx(expected, abs=1e-6)


def test_all_positions_differ() -> None:
    distances = torch.cdist(sincos_positions((12, 12), 96), sincos_positions((12, 12), 96))
    assert float((distances + 10 * torch.eye(144)).min()) > 0.1


def test_a_token_is_its_position_times_one_plus_its_content() -> None:
    encoder = vit((3, 32, 32))
    encoder.patch_projection.bias.data.normal_()
    images = torch.rand(2, 3, 32, 32)
    content = encoder.patch_projection((encoder.patchify(images) - 0.5) / 0.18)
    torch.testing.assert_close(encoder.embed(images), encoder.full_positions * (1 + content))


def test_in_the_tokens_of_real_images_the_content_varies_about_as_much_as_the_place(digits: Dataset) -> None:
    images = digits.train_inputs[:500].float() / 255
    tokens = vit(tuple(images.shape[1:])).embed(images).detach()
    place = float(tokens.mean(dim=0).var(dim=0).mean())
    content = float(tokens.var(dim=0).mean())
    assert 0.3 < content / place < 3


def test_a_small_grid_is_stretched_over_the_whole_image() -> None:
    # Patch i of 4 covers patches 2 i and 2 i + 1 of 8, so it lies halfway between them: at 2 i + 0.5.
    small = sincos_positions((4, 4), 96, full_grid=(8, 8))
    assert small[0, 0] == pytest.approx(math.sin(0.5), abs=1e-6)
    assert small[3 * 4, 0] == pytest.approx(math.sin(6.5), abs=1e-5)
    assert torch.equal(sincos_positions((8, 8), 96, full_grid=(8, 8)), sincos_positions((8, 8), 96))


def test_smaller_crops_are_encoded_with_fewer_tokens() -> None:
    encoder = vit()
    crops = torch.rand(2, 1, 16, 16)
    assert encoder.tokens(crops).shape == (2, 16, encoder.width)
    assert encoder(crops).shape == (2, 16)
    assert encoder(torch.rand(2, 1, 14, 18)).shape == (2, 16)


def test_tokens_are_encoded_without_regard_to_their_order() -> None:
    encoder = vit().eval()
    tokens = encoder.embed(torch.rand(2, 1, 28, 28))
    order = torch.randperm(49)
    torch.testing.assert_close(encoder.encode_tokens(tokens[:, order]), encoder.encode_tokens(tokens)[:, order])


def test_a_subset_of_tokens_does_not_depend_on_the_others() -> None:
    encoder = vit().eval()
    images = torch.rand(2, 1, 28, 28)
    other = images.clone()
    other[:, :, 14:] = torch.rand(2, 1, 14, 28)
    seen = torch.arange(21)  # the upper three rows of patches
    first, second = (encoder.encode_tokens(encoder.embed(batch)[:, seen]) for batch in (images, other))
    assert torch.equal(first, second)
    assert not torch.equal(encoder.tokens(images)[:, seen], encoder.tokens(other)[:, seen])


def test_attention_is_what_the_last_block_uses() -> None:
    encoder = vit().eval()
    images = torch.rand(2, 1, 28, 28)
    attention = encoder.attention(images)
    assert attention.shape == (2, 4, 49, 49)
    torch.testing.assert_close(attention.sum(dim=3), torch.ones(2, 4, 49))
    last = encoder.blocks[-1]
    assert isinstance(last, Block)
    tokens = encoder.blocks[:-1](encoder.embed(images))
    _, _, values = last.queries_keys_values(last.norm_attention(tokens)).unflatten(2, (3, 4, -1)).unbind(2)
    mixed = torch.einsum("nhqk,nkhd->nqhd", attention, values).flatten(2)
    tokens = tokens + last.merge(mixed)
    expected = encoder.norm(tokens + last.mlp(last.norm_mlp(tokens)))
    torch.testing.assert_close(encoder.tokens(images), expected)


def test_the_representation_is_the_projected_mean_of_the_tokens() -> None:
    encoder, images = vit().eval(), torch.rand(2, 1, 28, 28)
    torch.testing.assert_close(encoder(images), encoder.project(encoder.tokens(images)).mean(dim=1))


def test_fixed_positions_are_neither_trained_nor_saved() -> None:
    encoder = vit()
    assert not any("positions" in name for name in encoder.state_dict())
    assert not encoder.full_positions.requires_grad
    assert sum(weight.numel() for weight in encoder.parameters()) < 350_000
