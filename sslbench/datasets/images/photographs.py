"""Photographs: patches of nine colour pictures that packages carry, for trying colour tasks offline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import skimage.data
import torch
from sklearn.datasets import load_sample_image

from sslbench.contract.spec import ViewPolicy
from sslbench.datasets._base import Dataset, Split, image_dataset
from sslbench.datasets._split import mixed

_SIDE = 32
_STRIDE = 8
_TRAIN_SHARE = 0.75
_TRAIN, _TEST = 1000, 250  # patches of each picture

#: Pictures of scikit-image (CC0 or in the public domain) and of scikit-learn (CC BY), by the names they have there.
_SKIMAGE = ("astronaut", "chelsea", "coffee", "hubble_deep_field", "immunohistochemistry", "retina", "rocket")
_SKLEARN = ("china", "flower")


def load_photographs(root: Path) -> Dataset:
    """Photographs: 9,000 + 2,250 colour 32x32 patches of nine pictures; bundled with scikit-image and scikit-learn.

    A patch's class is the picture it was cut from. Patches overlap, so training ones come from the left three quarters
    of a picture and test ones from the right quarter, and none shares a pixel with one of the other split.

    Args:
        root: the data folder; not used.
    """
    pictures = [np.asarray(getattr(skimage.data, name)()) for name in _SKIMAGE]  # (H, W, 3) each
    pictures += [np.asarray(load_sample_image(f"{name}.jpg")) for name in _SKLEARN]
    train, test = [], []
    for picture in pictures:
        border = int(_TRAIN_SHARE * picture.shape[1])
        train.append(patches(picture[:, :border], _TRAIN))
        test.append(patches(picture[:, border:], _TEST))
    return image_dataset(
        "photographs",
        (*_SKIMAGE, *_SKLEARN),
        ViewPolicy(horizontal_flip=True, intensity_jitter=True, color_jitter=True),
        _split(train, "train"),
        _split(test, "test"),
        "scikit-image, skimage.data; scikit-learn, load_sample_image",
    )


def patches(image: np.ndarray, count: int) -> torch.Tensor:
    """`count` patches, evenly spread over all those of an image `(H, W, 3)` on a grid of 8 pixels, row by row.

    Returns:
        uint8 `(count, 3, 32, 32)`.
    """
    windows = np.lib.stride_tricks.sliding_window_view(image, (_SIDE, _SIDE), axis=(0, 1))[::_STRIDE, ::_STRIDE]
    every = windows.reshape(-1, 3, _SIDE, _SIDE)
    return torch.from_numpy(every[np.linspace(0, len(every) - 1, count).astype(int)])


def _split(parts: list[torch.Tensor], part: str) -> Split:
    """Patches of several pictures, mixed, with the picture's number as label."""
    labels = torch.arange(len(parts)).repeat_interleave(torch.tensor([len(each) for each in parts]))
    order = mixed(len(labels), f"photographs {part}")
    return Split(torch.cat(parts)[order], labels[order])
