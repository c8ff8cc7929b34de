"""Jigsaw and context prediction show the tiles they say they show, and ask a question that can be answered."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
import torch

from sslbench.contract.spec import InputError, InputSpec
from sslbench.encoders import ENCODERS
from sslbench.encoders.images.conv import Conv
from sslbench.encoders.images.vit import ViT
from sslbench.encoders.mlp import MLP
from sslbench.pretexts._base import Pretext
from sslbench.pretexts.images._tiles import encode_tiles, jittered_tiles, mosaic, standardised_tiles
from sslbench.pretexts.images.context_prediction import GRID, POSITIONS, ContextPrediction, ContextPredictionConfig
from sslbench.pretexts.images.ijepa import IJEPA
from sslbench.pretexts.images.inpainting import Inpainting
from sslbench.pretexts.images.jigsaw import Jigsaw, JigsawConfig, distant_permutations
from sslbench.pretexts.masked_autoencoder import MaskedAutoencoder

SPEC = InputSpec("image", (1, 28, 28))


class OneSize(MLP):
    """An encoder of someone's own that takes inputs of one size."""


class Tokens(ViT):
    """An encoder of someone's own with tokens."""


def test_encoders_of_ones_own_are_judged_by_what_they_can_and_not_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENCODERS._loaded, "one_size", OneSize)
    monkeypatch.setitem(ENCODERS._loaded, "own_tokens", Tokens)
    assert "takes inputs of one size" in (Jigsaw.unsuitable("one_size", SPEC) or "")
    assert Jigsaw.unsuitable("own_tokens", SPEC) is None
    for task in (MaskedAutoencoder, IJEPA):
        assert task.unsuitable("own_tokens", SPEC) is None
        assert task.unsuitable("one_size", SPEC) is not None
    assert Inpainting.unsuitable("own_tokens", SPEC) is not None
    assert Inpainting.unsuitable("one_size", SPEC) is None


def images(count: int = 4, seed: int = 0, side: int = 28) -> torch.Tensor:
    return torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(seed))


def jigsaw(config: JigsawConfig | None = None) -> Jigsaw:
    torch.manual_seed(0)
    return Jigsaw(Conv(SPEC, 16), config or JigsawConfig(), SPEC)


def context(config: ContextPredictionConfig | None = None) -> ContextPrediction:
    torch.manual_seed(0)
    return ContextPrediction(Conv(SPEC, 16), config or ContextPredictionConfig(), SPEC)


def coordinates(side: int) -> torch.Tensor:
    """An image whose value is 100 x row + column, so that every pixel says where it came from."""
    return (100.0 * torch.arange(side)[:, None] + torch.arange(side))[None, None]


# Tiles


@pytest.mark.parametrize(("side", "grid"), [(28, 2), (27, 3), (32, 2)])
def test_tiles_without_a_gap_make_up_the_image(side: int, grid: int) -> None:
    batch = images(side=side)
    tiles = jittered_tiles(batch, grid, gap=0.0)
    rows = tiles.unflatten(1, (grid, grid)).permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)
    assert torch.equal(rows, batch)


@pytest.mark.parametrize(("side", "grid", "gap", "tile"), [(28, 2, 0.15, 12), (28, 3, 0.25, 7), (32, 3, 0.25, 8)])
def test_every_tile_is_one_piece_of_its_own_cell(side: int, grid: int, gap: float, tile: int) -> None:
    tiles = jittered_tiles(coordinates(side).expand(64, -1, -1, -1), grid, gap)
    assert tiles.shape == (64, grid * grid, 1, tile, tile)
    corners = tiles[..., 0, 0][..., None, None]
    inside = 100.0 * torch.arange(tile)[:, None] + torch.arange(tile)
    assert torch.equal(tiles, corners + inside)
    for place in range(grid * grid):
        tops, lefts = tiles[:, place, 0, 0, 0] // 100, tiles[:, place, 0, 0, 0] % 100
        for starts, index in ((tops, place // grid), (lefts, place % grid)):
            first = index * (side - side // grid) // (grid - 1)
            assert first <= int(starts.min())
            assert int(starts.max()) + tile <= first + side // grid


def test_jitter_uses_every_offset_and_differs_between_samples_and_tiles() -> None:
    tiles = jittered_tiles(coordinates(28).expand(256, -1, -1, -1), 2, 0.15)
    corners = tiles[..., 0, 0].squeeze(2)
    assert set((corners[:, 0] % 100).tolist()) == {0, 1, 2}
    assert set((corners[:, 0] // 100).tolist()) == {0, 1, 2}
    assert not torch.equal(corners[:, 0] % 100, corners[:, 1] % 100 - 14)


def test_neighbouring_tiles_lie_a_gap_apart_on_average() -> None:
    tiles = jittered_tiles(coordinates(28).expand(4000, -1, -1, -1), 2, 0.15)
    right_edge, left_edge = tiles[:, 0, 0, 0, -1] % 100, tiles[:, 1, 0, 0, 0] % 100
    assert float((left_edge - right_edge - 1).mean()) == pytest.approx(2, abs=0.1)


def test_the_same_seed_gives_the_same_tiles() -> None:
    torch.manual_seed(3)
    first = jittered_tiles(images(), 3, 0.25)
    torch.manual_seed(3)
    assert torch.equal(first, jittered_tiles(images(), 3, 0.25))


def test_standardised_tiles_all_have_the_mean_and_deviation_of_the_batch() -> None:
    tiles = jittered_tiles(images(8), 2, 0.15)
    shown = standardised_tiles(tiles, (12, 12))
    deviation, mean = torch.std_mean(shown, dim=(3, 4), correction=0)
    assert torch.allclose(mean, tiles.mean().expand_as(mean), atol=1e-5)
    assert torch.allclose(deviation, tiles.std(correction=0).expand_as(deviation), atol=1e-5)


def test_the_brightness_and_contrast_of_one_tile_tell_nothing() -> None:
    tiles = jittered_tiles(images(8), 2, 0.15)
    altered = tiles.clone()
    altered[0, 0] = 0.4 * altered[0, 0] + 0.3
    both = (standardised_tiles(each, (12, 12))[0, 0] for each in (tiles, altered))
    first, second = ((tile - tile.mean()) / tile.std() for tile in both)
    assert torch.allclose(first, second, atol=1e-4)


def test_a_tile_of_one_colour_stays_so() -> None:
    tiles = torch.cat([torch.full((1, 1, 1, 6, 6), 0.7), torch.rand(1, 1, 1, 6, 6)], dim=1)
    assert float(standardised_tiles(tiles, (12, 12))[0, 0].std()) < 1e-4


def test_tiles_are_encoded_one_by_one_and_stay_in_order() -> None:
    encoder = Conv(SPEC, 16).eval()
    tiles = jittered_tiles(images(3), 2, 0.15)
    order = torch.tensor([2, 0, 3, 1])
    assert torch.allclose(encode_tiles(encoder, tiles)[:, order], encode_tiles(encoder, tiles[:, order]), atol=1e-5)


@pytest.mark.parametrize("task", [Jigsaw, ContextPrediction])
def test_an_encoder_of_one_input_size_is_unsuitable(task: type[Pretext]) -> None:
    assert "mlp" in str(task.unsuitable("mlp", SPEC))
    assert task.unsuitable("conv", SPEC) is None


def test_images_too_small_for_nine_tiles_are_unsuitable() -> None:
    small = InputSpec("image", (1, 8, 8))
    assert "12 pixels" in str(ContextPrediction.unsuitable("conv", small))
    assert Jigsaw.unsuitable("conv", small) is None


# Jigsaw


def test_all_orders_of_four_tiles_are_asked_for_once() -> None:
    permutations = distant_permutations(4, 24)
    assert len({tuple(row) for row in permutations.tolist()}) == 24
    assert permutations[0].tolist() == [0, 1, 2, 3]


def test_the_first_four_orders_of_four_tiles_agree_nowhere() -> None:
    for first, second in combinations(distant_permutations(4, 4), 2):
        assert int((first != second).sum()) == 4


def test_chosen_orders_of_nine_tiles_are_farther_apart_than_random_ones() -> None:
    chosen = distant_permutations(9, 32)
    generator = torch.Generator().manual_seed(0)
    random = torch.stack([torch.randperm(9, generator=generator) for _ in range(32)])

    def closest(permutations: torch.Tensor) -> int:
        return min(int((first != second).sum()) for first, second in combinations(permutations, 2))

    assert closest(chosen) >= 7 > closest(random)
    assert torch.equal(chosen.sort(dim=1).values, torch.arange(9).expand(32, 9))


def test_more_orders_than_exist_are_refused() -> None:
    with pytest.raises(InputError, match="24 orders"):
        distant_permutations(4, 25)


def test_the_orders_survive_a_checkpoint() -> None:
    first = jigsaw(JigsawConfig(permutations=7))
    assert torch.equal(first.state_dict()["permutations"], distant_permutations(4, 7))


def test_the_identity_permutation_leaves_the_image_as_it_is() -> None:
    task, batch = jigsaw(JigsawConfig(gap=0.0)), images()
    tiles = task.shuffled_tiles(batch, torch.zeros(len(batch), dtype=torch.int64))
    assert torch.equal(tiles, jittered_tiles(batch, 2, 0.0))


def test_put_back_undoes_every_order() -> None:
    task, batch = jigsaw(JigsawConfig(gap=0.0)), images(24)
    order = torch.arange(24)
    shuffled = task.shuffled_tiles(batch, order)
    assert not torch.equal(shuffled, jittered_tiles(batch, 2, 0.0))
    assert torch.equal(task.put_back(shuffled, order), jittered_tiles(batch, 2, 0.0))


@pytest.mark.parametrize(("task", "classes"), [(jigsaw(), 24), (context(), 8)])
def test_an_undecided_head_loses_the_logarithm_of_the_number_of_answers(task: Pretext, classes: int) -> None:
    last = [module for module in task.modules() if isinstance(module, torch.nn.Linear)][-1]
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.zeros_(last.bias)
    assert float(task(images(8)).detach()) == pytest.approx(math.log(classes), rel=1e-5)


def stripes(count: int) -> torch.Tensor:
    """Images of nine cells that differ in the direction and width of their stripes, at random phases."""
    angle = torch.arange(9).reshape(3, 3).repeat_interleave(9, 0).repeat_interleave(9, 1) * (math.pi / 9)
    across = torch.arange(27.0)[:, None] * angle.sin() + torch.arange(27.0) * angle.cos()
    waves = 0.5 + 0.5 * torch.sin(1.5 * across + 6.3 * torch.rand(count, 1, 1))
    return torch.nn.functional.pad(waves, (0, 1, 0, 1))[:, None]


@pytest.mark.parametrize("task", [jigsaw(), context()])
def test_the_loss_falls_where_tiles_can_be_told_apart(task: Pretext) -> None:
    torch.manual_seed(0)
    optimizer = torch.optim.Adam(task.parameters(), lr=5e-3)
    losses = []
    for _ in range(20):
        loss = task(stripes(16))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.75 * losses[0]


# Pictures


def test_the_jigsaw_picture_captions_the_order_and_the_answer() -> None:
    task = jigsaw().eval()
    with torch.no_grad():
        (picture,) = task.pictures(images(5))
    assert [row.shape[0] for row in picture.rows] == [5, 5, 5]
    assert all(", said " in caption for caption in picture.captions)
    assert [len(caption.split(",")[0]) for caption in picture.captions] == [4] * 5


def test_a_mosaic_has_a_white_line_between_tiles_only() -> None:
    laid = mosaic(torch.zeros(1, 4, 1, 2, 2), 2)
    assert laid.shape == (1, 1, 5, 5)
    assert laid[0, 0, 2].tolist() == [1.0] * 5
    assert float(laid.sum()) == 9


def test_the_tile_shown_beside_the_middle_lies_where_the_caption_says() -> None:
    task = context().eval()
    cells = [cell for cell in range(GRID * GRID) if cell != 4]
    batch = torch.zeros(8, 1, 27, 27)
    for image, cell in enumerate(cells):
        top, left = 9 * (cell // 3), 9 * (cell % 3)
        batch[image, :, top : top + 9, left : left + 9] = 1.0
    with torch.no_grad():
        (picture,) = task.pictures(batch)
    _, middle, other = picture.rows
    assert float(middle.max()) == 0
    assert float(other.min()) == 1
    assert [caption.split(", said ")[0] for caption in picture.captions] == list(POSITIONS)
    assert POSITIONS[0] == "above left"
    assert POSITIONS[6] == "below"
