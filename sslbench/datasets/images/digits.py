"""Digits: the small handwritten digits that scikit-learn carries, for trying things out offline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits as load_bundled_digits

from sslbench.contract.spec import ViewPolicy
from sslbench.datasets._base import Dataset, Split, image_dataset
from sslbench.datasets._split import hold_out

_SIDE = 28
_TEST_SHARE = 500 / 1797


def load_digits(root: Path) -> Dataset:
    """Digits: 1,297 + 500 grey 8x8 images of handwritten digits, enlarged to 28x28; bundled with scikit-learn.

    Alpaydin and Kaynak 1998, "Optical recognition of handwritten digits", UCI repository, CC BY 4.0; scikit-learn has
    its test part, 1,797 images. They come without a split: a fixed, stratified 500 are tested. Values 0 to 16 become
    0 to 255.

    Args:
        root: the data folder; not used.
    """
    bundled = load_bundled_digits()
    labels = torch.from_numpy(np.asarray(bundled.target, dtype=np.int64))
    inputs = torch.from_numpy(enlarge(np.asarray(bundled.images, dtype=np.int64))).unsqueeze(1)  # (N, 1, 28, 28)
    train, test = hold_out(labels, _TEST_SHARE, "digits")
    return image_dataset(
        "digits",
        tuple("0123456789"),
        ViewPolicy(horizontal_flip=False, intensity_jitter=True, color_jitter=False),
        Split(inputs[train], labels[train]),
        Split(inputs[test], labels[test]),
        "scikit-learn, load_digits",
    )


def enlarge(images: np.ndarray) -> np.ndarray:
    """Bilinear enlargement of int64 `(N, 8, 8)` in [0, 16] to uint8 `(N, 28, 28)` in [0, 255].

    In whole numbers, because half-way values are common here and floating point would round them one way on one
    machine and the other way on the next, which changes the digest.
    """
    small = images.shape[-1]
    unit = 2 * _SIDE  # positions in the small image are multiples of 1 / unit
    weights = np.zeros((_SIDE, small), dtype=np.int64)
    for row in range(_SIDE):
        position = min(max((2 * row + 1) * small - _SIDE, 0), (small - 1) * unit)  # pixel centres coincide
        below, rest = divmod(position, unit)
        weights[row, below] += unit - rest
        weights[row, min(below + 1, small - 1)] += rest
    total = 16 * unit**2
    enlarged: np.ndarray = (255 * (weights @ images @ weights.T) + total // 2) // total
    return enlarged.astype(np.uint8)
