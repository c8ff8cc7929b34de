"""What CIFAR-10 and CIFAR-100 share: one format, one policy for views."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torchvision.datasets import CIFAR10

from sslbench.contract.spec import ViewPolicy
from sslbench.datasets._base import Dataset, Split, image_dataset
from sslbench.datasets.images._torchvision import fetch


def load_cifar(name: str, root: Path, published: type[CIFAR10]) -> Dataset:
    """Load train and test split of one of the two through torchvision's class.

    Raises:
        InputError: the download fails, or the data folder cannot be written.
    """
    train = fetch(name, root, (published.url,), lambda download: published(root, train=True, download=download))
    test = fetch(name, root, (published.url,), lambda download: published(root, train=False, download=download))
    return image_dataset(
        name,
        tuple(train.classes),
        ViewPolicy(horizontal_flip=True, color_jitter=True),
        _split(train.data, train.targets),
        _split(test.data, test.targets),
        "https://www.cs.toronto.edu/~kriz/cifar.html",
    )


def _split(images: np.ndarray, labels: list[int]) -> Split:
    inputs = torch.from_numpy(images).permute(0, 3, 1, 2)  # (N, H, W, C) -> (N, C, H, W)
    return Split(inputs.contiguous(), torch.tensor(labels))
