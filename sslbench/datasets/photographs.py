"""Photographs: patches of the two colour photographs that scikit-learn carries, for trying colour tasks offline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_sample_images

from sslbench.datasets._base import Dataset, Split, image_dataset
from sslbench.spec import ViewPolicy

_SIDE = 32
_STRIDE = 8
_TRAIN_SHARE = 0.75


def load_photographs(root: Path) -> Dataset:
    """Photographs: 5,700 + 1,700 colour 32x32 patches of a temple and a flower; bundled with scikit-learn.

    `china.jpg` and `flower.jpg` (427 x 640 pixels, CC BY). A patch's class is the photograph it was cut from. Patches
    overlap, so training ones come from the left three quarters of a photograph and test ones from the right quarter,
    and none shares a pixel with one of the other split.

    Args:
        root: the data folder; not used.
    """
    photographs = [np.asarray(image) for image in load_sample_images().images]  # (H, W, 3) each
    train, test = [], []
    for image in photographs:
        border = int(_TRAIN_SHARE * image.shape[1])
        train.append(patches(image[:, :border]))
        test.append(patches(image[:, border:]))
    return image_dataset(
        "photographs",
        ("china", "flower"),
        ViewPolicy(horizontal_flip=True, intensity_jitter=True, color_jitter=True),
        _split(train),
        _split(test),
        "scikit-learn, load_sample_images",
    )


def patches(image: np.ndarray) -> torch.Tensor:
    """Every 32 x 32 patch of an image `(H, W, 3)` on a grid of 8 pixels, row by row: uint8 `(N, 3, 32, 32)`."""
    windows = np.lib.stride_tricks.sliding_window_view(image, (_SIDE, _SIDE), axis=(0, 1))[::_STRIDE, ::_STRIDE]
    return torch.from_numpy(np.ascontiguousarray(windows.reshape(-1, 3, _SIDE, _SIDE)))


def _split(parts: list[torch.Tensor]) -> Split:
    """Patches of several photographs with the photograph's number as label."""
    labels = torch.arange(len(parts)).repeat_interleave(torch.tensor([len(part) for part in parts]))
    return Split(torch.cat(parts), labels)
