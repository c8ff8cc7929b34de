"""SVHN: house numbers from street photographs."""

from __future__ import annotations

from pathlib import Path

import torch
from torchvision import datasets

from sslbench.contract.spec import ViewPolicy
from sslbench.datasets._base import Dataset, Split, image_dataset
from sslbench.datasets.images._torchvision import fetch


def load_svhn(root: Path) -> Dataset:
    """SVHN: 73,257 + 26,032 colour 32x32 photographs of house-number digits.

    Netzer et al. 2011, "Reading digits in natural images with unsupervised feature learning"; for non-commercial use.
    The 531,131 images of its extra split are left out.

    Args:
        root: the data folder, laid out as torchvision does (`train_32x32.mat`, `test_32x32.mat`).

    Raises:
        InputError: the download fails, or the data folder cannot be written.
    """
    return image_dataset(
        "svhn",
        tuple("0123456789"),
        ViewPolicy(horizontal_flip=False, color_jitter=True),
        _split(root, "train"),
        _split(root, "test"),
        "http://ufldl.stanford.edu/housenumbers/",
    )


def _split(root: Path, split: str) -> Split:
    url: str = datasets.SVHN.split_list[split][0]
    loaded = fetch("svhn", root, (url,), lambda download: datasets.SVHN(root, split=split, download=download))
    return Split(torch.from_numpy(loaded.data).contiguous(), torch.from_numpy(loaded.labels).to(torch.int64))
