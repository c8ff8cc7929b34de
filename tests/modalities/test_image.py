"""Views are what the papers say, made for a whole batch at once."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from sslbench.contract.spec import ViewPolicy
from sslbench.modalities.image import contrastive_view, intensity_jitter, random_resized_crop, to_float


def ramps(count: int, height: int, width: int) -> torch.Tensor:
    """Images whose two channels say where a pixel was: its column and its row, each as a share of the side."""
    columns = ((torch.arange(width) + 0.5) / width).expand(height, width)
    rows = ((torch.arange(height) + 0.5) / height)[:, None].expand(height, width)
    return torch.stack([columns, rows]).expand(count, 2, height, width).contiguous()


def test_a_crop_is_what_sampling_its_points_one_by_one_gives() -> None:
    images = torch.rand(64, 3, 20, 28)
    torch.manual_seed(0)
    views = random_resized_crop(images, (0.2, 1.0), flip=True)
    torch.manual_seed(0)
    places = random_resized_crop(ramps(64, 20, 28), (0.2, 1.0), flip=True)  # same draws: where each point came from
    sampled = functional.grid_sample(
        images, 2 * places.permute(0, 2, 3, 1) - 1, mode="bilinear", padding_mode="border", align_corners=False
    )
    assert torch.allclose(views, sampled, atol=1e-5)


def test_crops_keep_the_share_of_area_they_are_asked_for_and_mirror_half() -> None:
    torch.manual_seed(0)
    places = random_resized_crop(ramps(4000, 32, 32), (0.25, 0.5), flip=True)
    # A step between neighbouring points of the view is 1/32 of the stretch that was kept.
    wide = (places[:, 0, 16, 20] - places[:, 0, 16, 12]) * 4
    high = (places[:, 1, 20, 16] - places[:, 1, 12, 16]) * 4
    area = wide.abs() * high
    assert area.min() > 0.249
    assert area.max() < 0.501
    assert float(area.mean()) == pytest.approx(0.375, abs=0.005)
    assert float((wide < 0).float().mean()) == pytest.approx(0.5, abs=0.03)
    ratio = (wide.abs() / high).log()
    assert float(ratio.abs().max()) == pytest.approx(float(torch.tensor(4 / 3).log()), abs=0.01)


def test_whole_images_come_back_when_nothing_is_cut() -> None:
    images = torch.rand(5, 1, 28, 28)
    assert torch.allclose(random_resized_crop(images, (1.0, 1.0), ratio=(1.0, 1.0)), images, atol=1e-5)


def test_jitter_leaves_the_share_it_should_leave_and_changes_the_rest() -> None:
    torch.manual_seed(0)
    images = 0.25 + torch.rand(4000, 1, 4, 4) / 2
    jittered = intensity_jitter(images, 0.4, 0.4, probability=0.8)
    unchanged = (jittered - images).abs().amax(dim=(1, 2, 3)) < 1e-6
    assert float(unchanged.float().mean()) == pytest.approx(0.2, abs=0.02)


def test_jitter_scales_brightness_and_then_contrast_about_the_mean() -> None:
    torch.manual_seed(0)
    images = 0.3 + 0.1 * torch.rand(100, 1, 8, 8)
    jittered = intensity_jitter(images, 0.4, 0.4)
    brightness = jittered.mean(dim=(1, 2, 3)) / images.mean(dim=(1, 2, 3))
    contrast = jittered.std(dim=(1, 2, 3)) / images.std(dim=(1, 2, 3)) / brightness
    for factor in (brightness, contrast):
        assert 0.599 < float(factor.min()) < 0.65
        assert 1.35 < float(factor.max()) < 1.401


@pytest.mark.parametrize("channels", [1, 3])
def test_views_and_inputs_lie_channels_last_with_the_strides_that_say_so(channels: int) -> None:
    inputs = torch.randint(0, 256, (6, channels, 12, 10), dtype=torch.uint8)
    batch = to_float(inputs)
    views = contrastive_view(batch, ViewPolicy(True, True, channels == 3))
    for images in (batch, views):
        assert images.stride() == (120 * channels, 1, 10 * channels, channels)
    assert torch.equal(batch, inputs.to(torch.float32) / 255)


def test_images_given_are_not_changed() -> None:
    images = torch.rand(8, 3, 12, 12)
    before = images.clone()
    contrastive_view(images, ViewPolicy(True, True, True))
    intensity_jitter(images, 0.4, 0.4)
    assert torch.equal(images, before)
