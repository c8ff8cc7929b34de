from __future__ import annotations

import colorsys

import pytest
import torch
from sklearn.datasets import load_sample_images

from sslbench.contract.spec import InputError, InputSpec
from sslbench.encoders.images.conv import Conv
from sslbench.modalities.image import to_float
from sslbench.pretexts.images._lab import lab_to_rgb, rgb_to_lab
from sslbench.pretexts.images.colorization import (
    Colorization,
    ColorizationConfig,
    encode_colors,
    gamut_bins,
    rebalancing_weights,
)

COLOR = InputSpec("image", (3, 32, 32))
BINS = gamut_bins()


def build(config: ColorizationConfig | None = None) -> Colorization:
    torch.manual_seed(0)
    return Colorization(Conv(COLOR, 64), config or ColorizationConfig(), COLOR)


def photographs() -> torch.Tensor:
    """scikit-learn's two photographs (a Chinese palace, a dahlia) at half size, in 32 x 32 tiles, uint8."""
    tiles = []
    for image in load_sample_images().images:
        halved = torch.tensor(image).permute(2, 0, 1)[:, ::2, ::2]
        tiles.append(halved.unfold(1, 32, 32).unfold(2, 32, 32).permute(1, 2, 0, 3, 4).flatten(0, 1))
    return torch.cat(tiles)


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((1.0, 1.0, 1.0), (100.0, 0.0, 0.0)),
        ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
        ((1.0, 0.0, 0.0), (53.2408, 80.0925, 67.2032)),
        ((0.0, 1.0, 0.0), (87.7347, -86.1827, 83.1793)),
        ((0.0, 0.0, 1.0), (32.2970, 79.1875, -107.8602)),
        ((0.5, 0.5, 0.5), (53.3890, 0.0, 0.0)),
    ],
)
def test_lab_of_well_known_colours_is_as_tabulated(rgb: tuple[float, ...], lab: tuple[float, ...]) -> None:
    found = rgb_to_lab(torch.tensor(rgb).view(1, 3, 1, 1)).flatten()
    torch.testing.assert_close(found, torch.tensor(lab), atol=2e-2, rtol=0)


def test_lab_and_back_is_the_same_image() -> None:
    images = torch.rand(4, 3, 16, 16)
    images[0] *= 0.05  # the straight part of both curves too
    torch.testing.assert_close(lab_to_rgb(rgb_to_lab(images)), images, atol=1e-4, rtol=0)


def test_colours_beyond_the_screen_are_cut_to_its_range() -> None:
    images = lab_to_rgb(torch.empty(4, 3, 8, 8).uniform_(-120, 120))
    assert bool(((images >= 0) & (images <= 1)).all())


def test_every_colour_lies_in_a_bin_at_most_half_a_diagonal_away() -> None:
    hues = [colorsys.hsv_to_rgb(h / 90, s / 10, v / 10) for h in range(90) for s in range(11) for v in range(11)]
    ab = rgb_to_lab(torch.tensor(hues)[:, :, None, None])[:, 1:, 0, 0]
    index, _ = encode_colors(ab, BINS, neighbors=1)
    assert BINS.shape == (261, 2)
    assert float((ab - BINS[index[:, 0]]).abs().max()) <= 5.0 + 1e-3


def test_hard_encoding_of_a_bins_centre_is_that_bin() -> None:
    index, share = encode_colors(BINS, BINS, neighbors=1)
    assert index[:, 0].tolist() == list(range(len(BINS)))
    assert bool((share == 1).all())


def test_soft_encoding_weighs_the_nearest_bins_by_a_gaussian() -> None:
    index, share = encode_colors(torch.tensor([[2.0, 0.0]]), BINS, neighbors=3)
    assert BINS[index[0, :2]].tolist() == [[0.0, 0.0], [10.0, 0.0]]
    expected = torch.exp(-torch.tensor([2.0**2, 8.0**2, 2.0**2 + 10.0**2]) / 50)
    torch.testing.assert_close(share[0], expected / expected.sum())


def test_rebalancing_lifts_rare_colours_and_has_mean_one() -> None:
    prior = torch.zeros(len(BINS))
    prior[0], prior[100] = 0.9, 0.1
    weights = rebalancing_weights(prior, BINS, 0.5)
    distance = torch.cdist(BINS, BINS, compute_mode="donot_use_mm_for_euclid_dist")
    kernel = torch.exp(-distance.square() / 50)
    smooth = (kernel / kernel.sum(dim=0)) @ prior
    assert float((smooth * weights).sum()) == pytest.approx(1.0, abs=1e-5)
    assert weights[0] < weights[100] < weights[200]
    # Unoccupied bins keep only the uniform part, so they outweigh bin 0 by the ratio of the two mixtures.
    ratio = (0.5 * smooth[0] + 0.5 / 261) / (0.5 / 261)
    assert float(weights[200] / weights[0]) == pytest.approx(float(ratio), rel=1e-3)


def test_rebalancing_of_a_uniform_share_of_one_changes_nothing() -> None:
    prior = torch.rand(len(BINS)).softmax(dim=0)
    torch.testing.assert_close(rebalancing_weights(prior, BINS, 1.0), torch.ones(len(BINS)))


def test_weights_are_counted_from_the_unlabelled_images_and_survive_a_checkpoint() -> None:
    task = build()
    before = task.weights.clone()
    task.before_epoch(torch.full((600, 3, 32, 32), 128, dtype=torch.uint8))
    grey = encode_colors(torch.zeros(1, 2), BINS, neighbors=1)[0].item()
    assert not torch.equal(before, task.weights)
    assert int(task.weights.argmin()) == grey
    other = build()
    other.load_state_dict(task.state_dict())
    torch.testing.assert_close(other.weights, task.weights)


def test_the_encoder_sees_no_colour() -> None:
    task = build().eval()
    images = torch.rand(4, 3, 32, 32)
    lab = rgb_to_lab(images)
    grey = lab_to_rgb(torch.cat([lab[:, :1], torch.zeros_like(lab[:, 1:])], dim=1))
    torch.testing.assert_close(task.colorize(images), task.colorize(grey), atol=1e-3, rtol=0)


def test_uniform_predictions_cost_the_logarithm_of_the_number_of_bins() -> None:
    task = build()
    torch.nn.init.zeros_(task.decoder.paint.weight)
    torch.nn.init.zeros_(task.decoder.paint.bias)
    assert task(torch.rand(4, 3, 32, 32)).item() == pytest.approx(torch.tensor(261.0).log().item(), rel=1e-5)


def test_grey_images_are_refused_with_a_reason() -> None:
    assert Colorization.unsuitable("conv", InputSpec("image", (1, 28, 28))) == "needs colour images; these are grey"
    assert Colorization.unsuitable("conv", COLOR) is None
    assert "not 2" in (Colorization.unsuitable("conv", InputSpec("image", (2, 8, 8))) or "")


def test_neighbors_must_be_positive() -> None:
    with pytest.raises(InputError, match="neighbors must be greater than or equal to 1, not 0"):
        ColorizationConfig(neighbors=0)


def test_on_real_photographs_the_loss_falls_and_lightness_tells_the_colour() -> None:
    inputs = photographs()
    shown = to_float(inputs[torch.randperm(len(inputs), generator=torch.Generator().manual_seed(0))[:128]])
    task = build()
    task.before_epoch(inputs)
    before = task(shown).item()
    optimizer = torch.optim.AdamW(task.parameters(), lr=5e-3)
    for _ in range(40):
        loss = task(to_float(inputs[torch.randperm(len(inputs))[:64]]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert task(shown).item() < 0.7 * before

    # A task that had only learned which colours are frequent would guess as well from another tile's lightness.
    def error(seen: torch.Tensor) -> float:
        colours = rgb_to_lab(task.colorize(seen))[:, 1:] - rgb_to_lab(shown)[:, 1:]
        return colours.square().sum(dim=1).mean().item()

    task.eval()
    with torch.no_grad():
        assert error(shown) < 0.8 * error(shown.flip(0))
