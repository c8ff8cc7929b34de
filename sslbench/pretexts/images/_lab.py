"""CIE Lab in torch: lightness L in [0, 100] apart from colour (a: green to red, b: blue to yellow, about +-110).

IEC 61966-2-1 (sRGB) and CIE 15 (Lab), white point D65. Written without matrix products, which a GPU's autocast would
round to bfloat16.
"""

from __future__ import annotations

import torch

_XYZ_OF_RGB = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
_DELTA = 6 / 29


def _mix(images: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    return (images[:, None] * matrix.to(images)[:, :, None, None]).sum(dim=2)


def _relative_xyz() -> torch.Tensor:
    """Linear RGB to XYZ over the white point: rows sum to 1, so white is (1, 1, 1) and every grey has a = b = 0."""
    matrix = torch.tensor(_XYZ_OF_RGB, dtype=torch.float64)
    return matrix / matrix.sum(dim=1, keepdim=True)


def rgb_to_lab(images: torch.Tensor) -> torch.Tensor:
    """sRGB `(N, 3, H, W)` in [0, 1] to Lab `(N, 3, H, W)`."""
    linear = torch.where(images > 0.04045, ((images + 0.055) / 1.055) ** 2.4, images / 12.92)
    xyz = _mix(linear, _relative_xyz())
    curved = torch.where(
        xyz > _DELTA**3, xyz.clamp(min=_DELTA**3) ** (1 / 3), xyz / (3 * _DELTA**2) + 4 / 29
    )  # clamped, since the root of what the other branch serves would waste its time on tiny numbers
    x, y, z = curved.unbind(dim=1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def lab_to_rgb(lab: torch.Tensor) -> torch.Tensor:
    """Lab `(N, 3, H, W)` to sRGB `(N, 3, H, W)` in [0, 1]; colours a screen cannot show are cut to its range."""
    lightness, a, b = lab.unbind(dim=1)
    y = (lightness + 16) / 116
    curved = torch.stack([y + a / 500, y, y - b / 200], dim=1)
    xyz = torch.where(curved > _DELTA, curved**3, 3 * _DELTA**2 * (curved - 4 / 29))
    linear = _mix(xyz, torch.linalg.inv(_relative_xyz())).clamp(0, 1)
    return torch.where(linear > 0.0031308, 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055, 12.92 * linear)
