"""Time series and sound, and random views of whole batches at once: one draw per sample, one gather per batch.

Every function takes and returns float series `(N, C, L)`: C channels of L values each, about 0 and of the order of 1,
as datasets of series keep them. Random numbers come from torch's global generator.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import ClassVar

import torch
from torch.nn import functional

from sslbench.contract.spec import InputSpec, ViewPolicy
from sslbench.modalities._base import Modality

#: Channels from which on an input is a map of channels over time, as spectrograms are: drawn as one, not as lines, and
#: with views of its own.
MAPPED = 16

#: Size of a drawing, in pixels, and the values at its upper and lower edge.
HEIGHT, WIDTH, EDGE = 48, 96, 3.0


def resample(series: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    """Values at fractional positions, linear in between.

    Args:
        positions: `(N, M)` in [0, L - 1].

    Returns:
        `(N, C, M)`.
    """
    left = positions.long()[:, None].expand(-1, series.shape[1], -1)
    right = functional.pad(series[:, :, 1:], (0, 1))  # of the last value there is none, and none of it is taken
    return series.gather(2, left).lerp_(right.gather(2, left), positions.frac()[:, None])


def crop_positions(
    count: int, length: int, smallest: float, device: torch.device, segments: int = 1, chance: float = 1.0
) -> torch.Tensor:
    """Positions `(count, length)` of a random stretch of each series, enlarged to the whole length.

    Args:
        smallest: share of the length that a stretch has at least, in (0, 1]; shares are uniform up to 1.
        segments: equal parts into which a stretch is cut, laid out in a random order; what is left at the end of a
            length that they do not divide stays there.
        chance: that the parts of a series are laid out anew at all.
    """
    share = torch.empty(count, 1, device=device).uniform_(smallest, 1.0)
    start = torch.rand(count, 1, device=device) * (1 - share) * (length - 1)
    place = torch.arange(length, device=device)
    if segments == 1:
        return torch.addcmul(start, place.float(), share)
    step = length // segments
    order = torch.rand(count, segments, device=device).argsort(dim=1)
    moved = torch.rand(count, 1, device=device) < chance
    order = torch.where(moved, order, torch.arange(segments, device=device))
    order = functional.pad(order, (0, 1), value=segments)  # the rest stays last
    segment = (place // step).clamp(max=segments)
    begin = (start + order * step * share).index_select(1, segment)
    return begin.addcmul_((place - segment * step).float(), share)


def jitter(series: torch.Tensor, level: float) -> torch.Tensor:
    """Add normal noise of standard deviation `level` to every value."""
    return series + level * torch.randn_like(series)


def scaling(series: torch.Tensor, level: float) -> torch.Tensor:
    """Multiply each series by a factor drawn from a normal distribution about 1 of standard deviation `level`."""
    return series * (1 + level * torch.randn(len(series), 1, 1, device=series.device))


def random_segment(count: int, length: int, share: float, device: torch.device, chance: float = 1.0) -> torch.Tensor:
    """A mask `(count, 1, length)`, true inside a stretch at a random place of each.

    Args:
        share: of the length that is inside, in (0, 1); at least one value is, and one is not.
        chance: that a series has such a stretch at all.
    """
    inside = min(max(1, round(share * length)), length - 1)
    start = torch.randint(0, length - inside + 1, (count, 1), device=device)
    start = torch.where(torch.rand(count, 1, device=device) < chance, start, 2 * length)
    middle = start + (inside - 1) / 2
    return ((torch.arange(length, device=device) - middle).abs_() < inside / 2)[:, None]


def masking_noise(series: torch.Tensor, level: float) -> torch.Tensor:
    """Set a share `level` of all places to zero, a place's channels together."""
    return series * (torch.rand_like(series[:, :1]) >= level)


def salt_and_pepper_noise(series: torch.Tensor, level: float) -> torch.Tensor:
    """Set a share `level` of all places to 2 or -2 with equal chance, a place's channels together."""
    draw = torch.rand_like(series[:, :1])
    return torch.where(draw < level, torch.where(draw < level / 2, 2.0, -2.0), series)


class Series(Modality):
    """Time series and sound: floats `(N, C, L)`, about 0 and of the order of 1, in a dataset as in a batch."""

    stored: ClassVar[torch.dtype] = torch.float32
    blank: ClassVar[float] = 0.0
    noises: ClassVar[Mapping[str, Callable[[torch.Tensor, float], torch.Tensor]]] = {
        "gaussian": jitter,
        "masking": masking_noise,
        "salt_and_pepper": salt_and_pepper_noise,
    }
    examples: ClassVar[tuple[InputSpec, ...]] = (
        InputSpec("series", (1, 96), ViewPolicy(min_crop_scale=0.5)),
        InputSpec("series", (1, 61), ViewPolicy(min_crop_scale=0.5)),
        InputSpec("series", (20, 40), ViewPolicy(min_crop_scale=0.5)),
    )

    def batch(self, stored: torch.Tensor) -> torch.Tensor:
        return stored.clone()

    def mild_view(self, batch: torch.Tensor, policy: ViewPolicy) -> torch.Tensor:
        """Nine tenths of the length or more, enlarged, a little louder or softer, a little noise."""
        positions = crop_positions(len(batch), batch.shape[2], 0.9, batch.device)
        return jitter(scaling(resample(batch, positions), 0.1), 0.03)

    def contrastive_view(self, batch: torch.Tensor, policy: ViewPolicy, strength: float = 0.5) -> torch.Tensor:
        """Stretch, permutation, scaling, jitter and a masked segment, each time-series libraries' usual one.

        Um et al. 2017 (arXiv:1706.00527) for all but the mask. Half of the views are permuted, in 1 + 6 x strength
        segments; factors vary by 0.4 x strength where the policy allows jitter, noise has 0.2 x strength; half of the
        views lose a segment of 0.4 x strength of their length.

        Of a map of channels over time, as spectrograms are, nothing is permuted: sounds would be other words. It is
        moved by up to 0.1 x strength of its channels instead, as another voice would be, and half of the views lose a
        band of 0.4 x strength of them (SpecAugment, Park et al. 2019, arXiv:1904.08779).
        """
        count, channels, length = batch.shape
        device = batch.device
        if channels >= MAPPED:
            positions = crop_positions(count, length, policy.min_crop_scale, device)
            return self._map_view(resample(batch, positions), policy, strength)
        segments = min(1 + round(6 * strength), length)
        view = resample(batch, crop_positions(count, length, policy.min_crop_scale, device, segments, 0.5))
        if policy.intensity_jitter:
            view = scaling(view, 0.4 * strength)
        view.add_(torch.randn_like(view), alpha=0.2 * strength)
        return view.masked_fill_(random_segment(count, length, 0.4 * strength, device, 0.5), 0.0)

    def _map_view(self, view: torch.Tensor, policy: ViewPolicy, strength: float) -> torch.Tensor:
        """The rest of a `contrastive_view` of maps that are stretched already."""
        count, channels, length = view.shape
        reach = round(0.1 * strength * channels)
        moved = torch.randint(-reach, reach + 1, (count, 1), device=view.device)
        rows = (torch.arange(channels, device=view.device) + moved).clamp_(0, channels - 1)
        view = view.gather(1, rows[:, :, None].expand(-1, -1, length))
        if policy.intensity_jitter:
            view = scaling(view, 0.4 * strength)
        view = view.add_(torch.randn_like(view), alpha=0.2 * strength)
        lost = random_segment(count, length, 0.4 * strength, view.device, 0.5)
        band = random_segment(count, channels, 0.4 * strength, view.device, 0.5).transpose(1, 2)
        return view.masked_fill_(lost | band, 0.0)

    def crops(
        self,
        batch: torch.Tensor,
        policy: ViewPolicy,
        strength: float,
        small_crops: int,
        border: float,
        any_size: bool,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Large views keep a share of the length from `border` on; small ones less, at half the length if allowed."""
        smallest = policy.min_crop_scale
        border = max(border, smallest) if small_crops else smallest
        large = self.contrastive_view(batch.repeat(2, 1, 1), _cropping(policy, border), strength)
        length = batch.shape[2]
        repeated = batch.repeat(small_crops, 1, 1)
        share = torch.empty(len(repeated), 1, device=batch.device).uniform_(min(0.2, border), border)
        start = torch.rand(len(repeated), 1, device=batch.device) * (1 - share) * (length - 1)
        points = -(-length // 2) if any_size else length
        small = resample(repeated, start + torch.linspace(0, 1, points, device=batch.device) * share * (length - 1))
        return large, jitter(scaling(small, 0.4 * strength), 0.2 * strength)

    def fits(self, seen: InputSpec, shown: InputSpec, any_size: bool) -> bool:
        """Channels never change; the length may where the encoder does not mind."""
        return seen.shape == shown.shape or (any_size and seen.shape[0] == shown.shape[0])

    def shown(self, decoded: torch.Tensor) -> torch.Tensor:
        return decoded

    def images(self, batch: torch.Tensor) -> torch.Tensor:
        """Lines over time, the first channel darkest; of 16 channels or more a map, the first channel at the bottom."""
        if batch.shape[1] >= MAPPED:
            return (batch / (2 * EDGE) + 0.5).clamp(0, 1).flip(1)[:, None]
        columns = functional.interpolate(batch, WIDTH, mode="linear", align_corners=True)
        heights = (0.5 - columns.clamp(-EDGE, EDGE) / (2 * EDGE)) * (HEIGHT - 1)
        before = torch.cat([heights[..., :1], heights[..., :-1]], dim=2)
        low, high = torch.minimum(heights, before) - 0.8, torch.maximum(heights, before) + 0.8
        rows = torch.arange(HEIGHT, device=batch.device)[:, None]
        drawn = (rows >= low[:, :, None]) & (rows <= high[:, :, None])  # (N, C, HEIGHT, WIDTH)
        shade = torch.linspace(0.0, 0.7, batch.shape[1], device=batch.device)[None, :, None, None]
        return torch.where(drawn, shade, 1.0).amin(dim=1, keepdim=True)

    def made_up(self, spec: InputSpec, count: int, seed: int) -> torch.Tensor:
        """Sums of three waves of random lengths and heights."""
        generator = torch.Generator().manual_seed(seed)
        channels, length = spec.shape
        speed, phase, height = torch.rand(3, count, channels, 3, 1, generator=generator)
        time = torch.linspace(0, 2 * math.pi, length)
        return (height * (time * (1 + 8 * speed) + 6.3 * phase).sin()).sum(dim=2)


def _cropping(policy: ViewPolicy, smallest: float) -> ViewPolicy:
    return ViewPolicy(intensity_jitter=policy.intensity_jitter, min_crop_scale=smallest)
