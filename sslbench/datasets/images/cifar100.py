"""CIFAR-100: tiny photographs of a hundred kinds of things."""

from __future__ import annotations

from pathlib import Path

from torchvision import datasets

from sslbench.datasets._base import Dataset
from sslbench.datasets.images._cifar import load_cifar


def load_cifar100(root: Path) -> Dataset:
    """CIFAR-100: 50,000 + 10,000 colour 32x32 photographs of a hundred kinds of things.

    Krizhevsky 2009, "Learning multiple layers of features from tiny images"; published without a licence. Labels are
    the hundred fine ones.

    Args:
        root: the data folder, laid out as torchvision does (`cifar-100-python/`).

    Raises:
        InputError: the download fails, or the data folder cannot be written.
    """
    return load_cifar("cifar100", root, datasets.CIFAR100)
