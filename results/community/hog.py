"""Histograms of oriented gradients (Dalal & Triggs 2005): features designed by hand, which learn from nothing."""

import numpy as np
import torch
from skimage.feature import hog


def make_encoder():
    """A function from a batch `(N, C, H, W)` to the gradients' directions in blocks of 2x2 cells, over all channels."""

    def encode(batch):
        images = batch.double().permute(0, 2, 3, 1).cpu().numpy()
        return torch.from_numpy(np.stack([hog(image, 9, (7, 7), (2, 2), channel_axis=-1) for image in images]))

    return encode
