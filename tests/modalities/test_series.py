"""Views of time series: what they keep, and what they may change."""

from __future__ import annotations

import pytest
import torch

from sslbench.contract.spec import ViewPolicy
from sslbench.modalities.series import (
    Series,
    crop_positions,
    masking_noise,
    random_segment,
    resample,
    salt_and_pepper_noise,
    scaling,
)

CPU = torch.device("cpu")


def ramp(count: int, length: int) -> torch.Tensor:
    """Series whose value is its place, and in a second channel minus that."""
    line = torch.arange(length).float()
    return torch.stack([line, -line]).expand(count, 2, length)


def test_values_between_places_lie_on_the_line_between_them() -> None:
    positions = torch.tensor([[0.0, 0.25, 3.5, 9.0]])
    torch.testing.assert_close(resample(ramp(1, 10), positions)[0, 0], positions[0])
    torch.testing.assert_close(resample(ramp(1, 10), positions)[0, 1], -positions[0])


def test_a_crop_is_a_stretch_of_the_series_no_shorter_than_allowed() -> None:
    torch.manual_seed(0)
    positions = crop_positions(2000, 50, 0.4, CPU)
    assert 0 <= float(positions.min()) <= float(positions.max()) <= 49.0001
    share = (positions[:, -1] - positions[:, 0]) / 49
    assert 0.4 <= float(share.min()) < 0.42
    assert 0.98 < float(share.max()) <= 1
    steps = positions.diff(dim=1)
    torch.testing.assert_close(steps, steps[:, :1].expand_as(steps), rtol=0, atol=1e-4)
    assert bool((resample(ramp(2000, 50), positions)[:, 0] - positions).abs().max() < 1e-4)


def test_a_permutation_keeps_segments_whole_and_every_value() -> None:
    torch.manual_seed(0)
    place = torch.arange(12).float().expand(500, 12)
    moved = crop_positions(500, 12, 1.0, CPU, segments=4)
    assert torch.equal(moved.sort(dim=1).values, place)
    assert bool((moved.unflatten(1, (4, 3)).diff(dim=2) == 1).all())
    orders = moved[:, ::3].unique(dim=0)
    assert len(orders) == 24  # all of them
    assert torch.equal(crop_positions(500, 12, 1.0, CPU), place)
    assert torch.equal(crop_positions(500, 12, 1.0, CPU, segments=4, chance=0.0), place)
    assert torch.equal(crop_positions(500, 11, 1.0, CPU, segments=4)[:, 8:], place[:, 8:11])


def test_a_permuted_stretch_is_the_stretch_in_another_order() -> None:
    torch.manual_seed(0)
    whole = crop_positions(500, 12, 0.4, CPU)
    torch.manual_seed(0)
    cut = crop_positions(500, 12, 0.4, CPU, segments=4, chance=0.5)
    torch.testing.assert_close(cut.sort(dim=1).values, whole)
    assert float((cut.diff(dim=1) > 0).all(dim=1).float().mean()) == pytest.approx(0.5 + 0.5 / 24, abs=0.07)


def test_a_segment_has_its_share_and_lies_anywhere() -> None:
    torch.manual_seed(0)
    mask = random_segment(3000, 20, 0.25, CPU)
    assert set(mask.sum(dim=2).flatten().tolist()) == {5}
    assert bool((mask.float().diff(dim=2).abs().sum(dim=2) <= 2).all())  # in one piece
    starts = mask[:, 0].int().argmax(dim=1).bincount(minlength=20)
    assert (starts[:16] > 100).all()
    assert not starts[16:].any()
    assert random_segment(4, 20, 0.0, CPU).sum(dim=2).flatten().tolist() == [1] * 4
    assert random_segment(4, 20, 1.0, CPU).sum(dim=2).flatten().tolist() == [19] * 4
    some = random_segment(3000, 20, 0.25, CPU, chance=0.5).any(dim=2).float()
    assert float(some.mean()) == pytest.approx(0.5, abs=0.04)


def test_one_factor_scales_a_whole_series() -> None:
    torch.manual_seed(0)
    scaled = scaling(ramp(4, 10)[:, :, 1:], 0.2) / ramp(4, 10)[:, :, 1:]
    torch.testing.assert_close(scaled, scaled[:, :1, :1].expand_as(scaled))
    assert len(scaled[:, 0, 0].unique()) == 4


@pytest.mark.parametrize("noise", [masking_noise, salt_and_pepper_noise])
def test_noise_hits_its_share_of_places_in_all_channels(noise: object) -> None:
    torch.manual_seed(0)
    assert callable(noise)
    hit = noise(torch.full((50, 2, 200), 0.5), 0.3) != 0.5
    assert torch.equal(hit[:, 0], hit[:, 1])
    assert float(hit.float().mean()) == pytest.approx(0.3, abs=0.02)


def test_a_policy_without_jitter_keeps_the_height_and_the_smallest_crop() -> None:
    torch.manual_seed(0)
    batch = torch.full((64, 1, 40), 2.0)
    policy = ViewPolicy(intensity_jitter=False, min_crop_scale=1.0)
    view = Series().contrastive_view(batch, policy, strength=0.0)
    assert float((view != 2.0).float().mean(dim=2).max()) <= 1 / 40 + 1e-6  # nothing but a hidden value here and there


def test_a_map_is_moved_and_masked_in_both_directions_and_its_order_kept() -> None:
    torch.manual_seed(0)
    rows = torch.arange(40.0)[:, None].expand(2000, 40, 60)
    columns = torch.arange(60.0).expand(2000, 40, 60)
    policy = ViewPolicy(intensity_jitter=False, min_crop_scale=1.0)
    view, moments = (_without_noise(maps, policy) for maps in (rows, columns))
    kept = (view != 0).any(dim=2)[:, 5:-5]
    assert float(kept.all(dim=1).float().mean()) == pytest.approx(0.5, abs=0.05)  # the others lost a band
    moved = (view.amax(dim=2) - torch.arange(40.0))[:, 5:-5][kept]
    assert set(moved.tolist()) == {-2, -1, 0, 1, 2}
    seen = moments.amax(dim=1)
    assert bool(((seen == torch.arange(60.0)) | (seen == 0)).all())
    assert float((seen[:, 1:] == 0).any(dim=1).float().mean()) == pytest.approx(0.5, abs=0.05)  # lost a segment


def _without_noise(maps: torch.Tensor, policy: ViewPolicy) -> torch.Tensor:
    """A view of maps of whole numbers, of which noise is rounded away."""
    return Series().contrastive_view(100 * maps, policy, strength=0.5).div(100).round()


def test_small_crops_have_half_the_length_where_the_encoder_does_not_mind() -> None:
    batch = torch.randn(4, 3, 25)
    large, small = Series().crops(batch, ViewPolicy(min_crop_scale=0.5), 0.5, 2, 0.4, any_size=True)
    assert (large.shape, small.shape) == ((8, 3, 25), (8, 3, 13))


def test_a_line_is_drawn_where_its_value_is() -> None:
    drawn = Series().images(torch.tensor([-2.9, 0.0, 2.9])[:, None, None].expand(3, 1, 50))
    dark = [(image[0] < 0.5).nonzero()[:, 0].float().mean() for image in drawn]
    assert dark[0] > 44 > 30 > dark[1] > 20 > 3 > dark[2]
    assert drawn.shape == (3, 1, 48, 96)
    spectrogram = torch.zeros(2, 20, 30)
    spectrogram[:, 0] = 4.0  # the lowest band
    assert Series().images(spectrogram)[0, 0, -1].min() == 1
