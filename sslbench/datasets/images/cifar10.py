"""CIFAR-10: tiny photographs of ten kinds of animals and vehicles."""

from __future__ import annotations

from pathlib import Path

from torchvision import datasets

from sslbench.datasets._base import Dataset
from sslbench.datasets.images._cifar import load_cifar


def load_cifar10(root: Path) -> Dataset:
    """CIFAR-10: 50,000 + 10,000 colour 32x32 photographs of ten kinds of animals and vehicles.

    Krizhevsky 2009, "Learning multiple layers of features from tiny images"; published without a licence.

    Args:
        root: the data folder, laid out as torchvision does (`cifar-10-batches-py/`).

    Raises:
        InputError: the download fails, or the data folder cannot be written.
    """
    return load_cifar("cifar10", root, datasets.CIFAR10)
