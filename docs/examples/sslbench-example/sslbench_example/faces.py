"""Faces: small grey pictures of faces and of what is none, bundled with scikit-image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import skimage.data
import torch

from sslbench.contract.spec import ViewPolicy
from sslbench.datasets import Dataset, Split, hold_out, image_dataset, mixed


def load_faces(root: Path) -> Dataset:
    """Faces: 160 + 40 grey 25x25 images, half of them faces; bundled with scikit-image.

    Huang et al. 2007, "Labeled faces in the wild". They come without a split: a fixed, stratified fifth is tested.

    Args:
        root: the data folder; not used.
    """
    images = np.asarray(skimage.data.lfw_subset())  # (200, 25, 25) in [0, 1], the faces first
    inputs = torch.from_numpy((255 * images).round().astype(np.uint8)).unsqueeze(1)  # (N, C, H, W)
    labels = (torch.arange(len(inputs)) >= 100).long()
    order = mixed(len(inputs), "faces")  # what comes sorted by class would show one class at first
    inputs, labels = inputs[order], labels[order]
    train, test = hold_out(labels, 0.2, "faces")
    return image_dataset(
        "faces",
        ("face", "none"),
        ViewPolicy(horizontal_flip=True),  # a mirrored face is a face; a mirrored digit would be none
        Split(inputs[train], labels[train]),
        Split(inputs[test], labels[test]),
        "scikit-image, lfw_subset",
    )
