"""KMNIST (Kuzushiji-MNIST): handwritten classical Japanese characters."""

from __future__ import annotations

from pathlib import Path

from sslbench.datasets._base import Dataset
from sslbench.datasets._idx import Published, Source, load_idx
from sslbench.datasets._torchvision import download_idx
from sslbench.spec import ViewPolicy

PUBLISHED = Published(
    name="kmnist",
    folders=("kmnist", "KMNIST/raw"),
    digests={
        "train-images-idx3-ubyte.gz": "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
        "train-labels-idx1-ubyte.gz": "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
        "t10k-images-idx3-ubyte.gz": "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
        "t10k-labels-idx1-ubyte.gz": "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
    },
    classes=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    views=ViewPolicy(horizontal_flip=False, intensity_jitter=True, color_jitter=False),
    home="http://codh.rois.ac.jp/kmnist/",
)


def load_kmnist(root: Path) -> Dataset:
    """KMNIST: 60,000 + 10,000 grey 28x28 images of ten classical Japanese characters.

    Clanuwat et al. 2018, arXiv:1812.01718; CC BY-SA 4.0. One class is one syllable, written in several ways.

    Args:
        root: the data folder; the .gz files lie in `kmnist/` or torchvision's `KMNIST/raw/`.

    Raises:
        InputError: a file is damaged, the download fails, or the data folder cannot be written.
    """
    source = Source("torchvision's download", lambda scratch: download_idx("KMNIST", root, scratch))
    return load_idx(PUBLISHED, root, (source,))
