"""Images, and random views of whole batches at once: one draw per sample, one gather per batch, no per-image Python.

Every function takes and returns float images `(N, C, H, W)` in [0, 1] and draws from torch's global
generator, so `torch.manual_seed` fixes a training and `torch.random.fork_rng` shields one from an evaluation.
`Image`, at the end, is what the rest of the package asks; tasks for images alone call the functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import ClassVar

import torch
from torch.nn import functional

from sslbench.contract.spec import InputSpec, ViewPolicy
from sslbench.modalities._base import Modality


def to_float(inputs: torch.Tensor) -> torch.Tensor:
    """uint8 `(N, C, H, W)` to float in [0, 1], channels last in memory (1.3 to 1.7 times faster convolutions)."""
    return _channels_last(inputs.to(torch.float32, copy=True).div_(255))


def _full_precision() -> torch.autocast:
    """A context in which views are made in float32 also where the network around them is not."""
    return torch.autocast("cuda", enabled=False)


def _channels_last(images: torch.Tensor) -> torch.Tensor:
    """The same images, channels last in memory, strides included.

    With one channel both orders are the same memory, and torch then calls it plain; the strides written here make it
    choose the fast kernels of the other order.
    """
    if images.shape[1] == 1 and images.is_contiguous():
        return images.flatten(1).view(-1, *images.shape[2:], 1).permute(0, 3, 1, 2)
    return images.contiguous(memory_format=torch.channels_last)


def random_resized_crop(
    images: torch.Tensor,
    scale: tuple[float, float],
    ratio: tuple[float, float] = (3 / 4, 4 / 3),
    flip: bool = False,
    size: tuple[int, int] | None = None,
) -> torch.Tensor:
    """Crop a random rectangle of each image, resize it bilinearly to one size, mirror half of them if `flip`.

    Szegedy et al. 2014, arXiv:1409.4842. Area share and log aspect ratio are uniform, as in torchvision; a side
    that would exceed the image is cut to it instead of drawn again, so one pass serves the whole batch. Bilinear
    resizing is separable: one small matrix from the left for the rows and one from the right for the columns, which
    is four times as fast as sampling points one by one.

    Args:
        scale: smallest and largest share of the area to keep.
        ratio: smallest and largest width over height.
        size: height and width of the result; those of `images` if None.
    """
    count, device = images.shape[0], images.device
    area = torch.empty(count, device=device).uniform_(*scale)
    ratios = torch.empty(count, device=device).uniform_(math.log(ratio[0]), math.log(ratio[1])).exp_()
    width = (area * ratios).sqrt_().clamp_(max=1.0)
    height = (area / ratios).sqrt_().clamp_(max=1.0)
    shift_x = (torch.rand_like(width) * 2 - 1) * (1 - width)
    shift_y = (torch.rand_like(height) * 2 - 1) * (1 - height)
    if flip:
        width = torch.where(torch.rand_like(width) < 0.5, -width, width)
    new_height, new_width = size or images.shape[2:]
    rows = _resampling(height, shift_y, images.shape[2], new_height)
    columns = _resampling(width, shift_x, images.shape[3], new_width)
    with _full_precision():
        views = rows[:, None] @ (images.contiguous() @ columns.mT[:, None])
    return _channels_last(views)


def _resampling(extent: torch.Tensor, shift: torch.Tensor, length: int, new_length: int) -> torch.Tensor:
    """Matrices `(N, new_length, length)` that resample a stretch of an axis bilinearly; every row sums to 1.

    The axis runs from -1 to 1 between the outer edges of its pixels, as in `affine_grid(align_corners=False)`.

    Args:
        extent: half the stretch's length `(N,)`, in (0, 1]; negative to mirror it.
        shift: its centre `(N,)`.
    """
    centres = (torch.arange(new_length, device=extent.device) * 2 + 1) / new_length - 1
    positions = (extent[:, None] * centres + (shift[:, None] + 1)).mul_(length / 2).sub_(0.5).clamp_(0, length - 1)
    distances = (positions[:, :, None] - torch.arange(length, device=extent.device)).abs_()
    return distances.neg_().add_(1).clamp_(min=0)


def random_shift(images: torch.Tensor, pixels: int, flip: bool = False) -> torch.Tensor:
    """Move each image by up to `pixels` in each direction, zeros entering; mirror half of them if `flip`.

    The mild augmentation of supervised training on small images (He et al. 2015, arXiv:1512.03385, 4.2).
    """
    count, _, height, width = images.shape
    device = images.device
    padded = functional.pad(images, (pixels,) * 4)
    top = torch.randint(0, 2 * pixels + 1, (count, 1), device=device)
    left = torch.randint(0, 2 * pixels + 1, (count, 1), device=device)
    rows = top + torch.arange(height, device=device)
    columns = left + torch.arange(width, device=device)
    if flip:
        columns = torch.where(torch.rand(count, 1, device=device) < 0.5, columns.flip(1), columns)
    sample = torch.arange(count, device=device)[:, None, None]
    moved = padded.permute(0, 2, 3, 1)[sample, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def intensity_jitter(
    images: torch.Tensor, brightness: float, contrast: float, probability: float = 1.0
) -> torch.Tensor:
    """Scale each image's brightness, then its contrast about its own mean, by factors in [1 - x, 1 + x].

    Args:
        probability: of changing an image at all; a factor of one leaves the others as they are.
    """
    shape = (images.shape[0], 1, 1, 1)
    brighter = torch.empty(shape, device=images.device).uniform_(max(0.0, 1 - brightness), 1 + brightness)
    sharper = torch.empty(shape, device=images.device).uniform_(max(0.0, 1 - contrast), 1 + contrast)
    if probability < 1:
        unchanged = torch.rand(shape, device=images.device) >= probability
        brighter.masked_fill_(unchanged, 1.0)
        sharper.masked_fill_(unchanged, 1.0)
    images = (images * brighter).clamp_(0, 1)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return images.mul_(sharper).add_(mean * (1 - sharper)).clamp_(0, 1)


def color_jitter(images: torch.Tensor, saturation: float, hue: float) -> torch.Tensor:
    """Scale saturation by a factor in [1 - s, 1 + s] and turn the hue by up to `hue` of a full circle.

    The hue turns as a rotation of the chroma plane (YIQ), which is linear and so one matrix per image; torchvision
    converts to HSV and back instead. RGB images only.
    """
    count, device = images.shape[0], images.device
    angle = torch.empty(count, device=device).uniform_(-hue, hue) * 2 * math.pi
    gain = torch.empty(count, device=device).uniform_(max(0.0, 1 - saturation), 1 + saturation)
    to_yiq = torch.tensor([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]], device=device)
    turn = torch.zeros(count, 3, 3, device=device)
    turn[:, 0, 0] = 1
    turn[:, 1, 1], turn[:, 1, 2] = gain * angle.cos(), -gain * angle.sin()
    turn[:, 2, 1], turn[:, 2, 2] = gain * angle.sin(), gain * angle.cos()
    matrix = torch.linalg.inv(to_yiq) @ turn @ to_yiq
    with _full_precision():
        turned = images.permute(0, 2, 3, 1).flatten(1, 2) @ matrix.mT  # (N, H * W, 3)
    return turned.clamp_(0, 1).unflatten(1, images.shape[2:]).permute(0, 3, 1, 2)


def random_gray(images: torch.Tensor, probability: float) -> torch.Tensor:
    """Replace RGB images by their luma with the given probability."""
    weights = torch.tensor([0.299, 0.587, 0.114], device=images.device).view(1, 3, 1, 1)
    luma = (images * weights).sum(dim=1, keepdim=True).expand_as(images)
    chosen = torch.rand(images.shape[0], 1, 1, 1, device=images.device) < probability
    return torch.where(chosen, luma, images)


def sometimes(images: torch.Tensor, changed: torch.Tensor, probability: float) -> torch.Tensor:
    """Take each image from `changed` with the given probability, else from `images`."""
    chosen = torch.rand(images.shape[0], 1, 1, 1, device=images.device) < probability
    return torch.where(chosen, changed, images)


def contrastive_view(
    images: torch.Tensor,
    policy: ViewPolicy,
    strength: float = 0.5,
    scale: tuple[float, float] | None = None,
    size: tuple[int, int] | None = None,
) -> torch.Tensor:
    """One random view as SimCLR makes it (arXiv:2002.05709, appendix A), less what the dataset's policy forbids.

    Crop and mirror; brightness and contrast jitter by 0.8 x strength, saturation by 0.8 x strength and hue by
    0.2 x strength, each with probability 0.8; grey with probability 0.2. No blur, as for CIFAR-10 there.

    Args:
        scale: smallest and largest share of the area to keep; from the policy's smallest to 1 if None.
        size: height and width of the view; those of `images` if None.
    """
    scale = scale or (policy.min_crop_scale, 1.0)
    views = random_resized_crop(images, scale, flip=policy.horizontal_flip, size=size)
    if policy.intensity_jitter:
        views = intensity_jitter(views, 0.8 * strength, 0.8 * strength, 0.8)
    if policy.color_jitter:
        views = sometimes(views, color_jitter(views, 0.8 * strength, 0.2 * strength), 0.8)
        views = random_gray(views, 0.2)
    return views


def multi_crop(
    images: torch.Tensor,
    policy: ViewPolicy,
    strength: float,
    small_crops: int,
    small_size: tuple[int, int],
    border: float = 0.4,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Two views of the whole size and several small ones (Caron et al. 2020, arXiv:2006.09882, section 3.3).

    With small crops, the large ones keep a share of the area from `border` to 1 and the small ones from the policy's
    smallest to `border`; 0.4 is DINO's for transformers (SwAV and DINO's ResNets draw the border at 0.14).

    Returns:
        `(2 N, C, H, W)` and `(small_crops N, C, h, w)`, view after view, the latter empty for none.
    """
    smallest = policy.min_crop_scale
    border = max(border, smallest) if small_crops else smallest
    large = contrastive_view(images.repeat(2, 1, 1, 1), policy, strength, (border, 1.0))
    if not small_crops:
        return large, large[:0]
    repeated = images.repeat(small_crops, 1, 1, 1)
    return large, contrastive_view(repeated, policy, strength, (smallest, border), small_size)


def mild_view(images: torch.Tensor, policy: ViewPolicy) -> torch.Tensor:
    """The augmentation of supervised training and fine-tuning alike: small shifts, and a mirror where allowed."""
    return random_shift(images, pixels=1, flip=policy.horizontal_flip)


def quarter_turns(images: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
    """Turn each square image counter-clockwise by `turns` `(N,)` in {0, 1, 2, 3} quarter turns."""
    turned = torch.stack([torch.rot90(images, turn, (2, 3)) for turn in range(4)])
    return turned[turns, torch.arange(images.shape[0], device=images.device)]


def gaussian_noise(images: torch.Tensor, level: float) -> torch.Tensor:
    """Add normal noise of standard deviation `level` to every value; the sum is cut to [0, 1]."""
    return (images + level * torch.randn_like(images)).clamp_(0, 1)


def masking_noise(images: torch.Tensor, level: float) -> torch.Tensor:
    """Set a share `level` of all pixels to zero, a pixel's channels together."""
    return images * (torch.rand_like(images[:, :1]) >= level)


def salt_and_pepper_noise(images: torch.Tensor, level: float) -> torch.Tensor:
    """Set a share `level` of all pixels to zero or one with equal chance, a pixel's channels together."""
    draw = torch.rand_like(images[:, :1])
    return torch.where(draw < level, (draw < level / 2).to(images.dtype), images)


class Image(Modality):
    """Grey or colour images: bytes `(N, C, H, W)` in a dataset, floats in [0, 1], channels last, in a batch."""

    stored: ClassVar[torch.dtype] = torch.uint8
    memory_format: ClassVar[torch.memory_format] = torch.channels_last
    noises: ClassVar[Mapping[str, Callable[[torch.Tensor, float], torch.Tensor]]] = {
        "gaussian": gaussian_noise,
        "masking": masking_noise,
        "salt_and_pepper": salt_and_pepper_noise,
    }
    examples: ClassVar[tuple[InputSpec, ...]] = (
        InputSpec("image", (1, 28, 28), ViewPolicy(horizontal_flip=True)),
        InputSpec("image", (3, 32, 32), ViewPolicy(horizontal_flip=True, color_jitter=True)),
        InputSpec("image", (3, 28, 36), ViewPolicy(color_jitter=True)),
    )

    def batch(self, stored: torch.Tensor) -> torch.Tensor:
        return to_float(stored)

    def mild_view(self, batch: torch.Tensor, policy: ViewPolicy) -> torch.Tensor:
        return mild_view(batch, policy)

    def contrastive_view(self, batch: torch.Tensor, policy: ViewPolicy, strength: float = 0.5) -> torch.Tensor:
        return contrastive_view(batch, policy, strength)

    def crops(
        self,
        batch: torch.Tensor,
        policy: ViewPolicy,
        strength: float,
        small_crops: int,
        border: float,
        any_size: bool,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Small crops have half the side, rounded up to a multiple of four for the sake of patches and strides."""
        height, width = (min(side, -(-side // 8) * 4) if any_size else side for side in batch.shape[2:])
        return multi_crop(batch, policy, strength, small_crops, (height, width), border)

    def fits(self, seen: InputSpec, shown: InputSpec, any_size: bool) -> bool:
        """Channels never change; height and width may where the encoder does not mind."""
        return seen.shape == shown.shape or (any_size and seen.shape[0] == shown.shape[0])

    def images(self, batch: torch.Tensor) -> torch.Tensor:
        return batch

    def made_up(self, spec: InputSpec, count: int, seed: int) -> torch.Tensor:
        """Smooth ones, as photographs are: neighbouring pixels are alike."""
        coarse = torch.rand(count, spec.shape[0], 8, 8, generator=torch.Generator().manual_seed(seed))
        return functional.interpolate(coarse, size=spec.shape[1:], mode="bilinear").mul_(255).to(torch.uint8)
