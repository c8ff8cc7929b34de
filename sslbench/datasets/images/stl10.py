"""STL-10: few labels and many unlabelled photographs, made for learning without labels."""

from __future__ import annotations

from pathlib import Path

import torch
from torchvision import datasets

from sslbench.contract.spec import ViewPolicy
from sslbench.datasets._base import Dataset, Split, image_dataset
from sslbench.datasets.images._torchvision import fetch


def load_stl10(root: Path) -> Dataset:
    """STL-10: 5,000 + 8,000 colour 96x96 photographs of ten classes, and 100,000 without labels.

    Coates, Lee and Ng 2011, "An analysis of single-layer networks in unsupervised feature learning"; images from
    ImageNet, published without a licence. Pretexts see the training and the unlabelled images. The files mark an
    unlabelled image with class -1; no such label leaves this function. Takes about 6 GB of memory while loading and
    half of that afterwards.

    Args:
        root: the data folder, laid out as torchvision does (`stl10_binary/`).

    Raises:
        InputError: the download fails, or the data folder cannot be written.
    """
    inputs, labels = _read(root, "train+unlabeled")
    labelled = labels >= 0
    return image_dataset(
        "stl10",
        ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"),
        ViewPolicy(horizontal_flip=True, color_jitter=True),
        Split(inputs[labelled], labels[labelled]),
        Split(*_read(root, "test")),
        "https://cs.stanford.edu/~acoates/stl10/",
        unlabelled=inputs,
    )


def _read(root: Path, split: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Images uint8 `(N, 3, 96, 96)` and labels int64 `(N,)`, -1 where there is none."""
    loaded = fetch(
        "stl10", root, (datasets.STL10.url,), lambda download: datasets.STL10(root, split=split, download=download)
    )
    # uint8 labels have no -1: widening them here keeps the 255 of a careless cast out.
    return torch.from_numpy(loaded.data).contiguous(), torch.from_numpy(loaded.labels.astype("int64"))
