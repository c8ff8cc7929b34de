"""KMNIST (Kuzushiji-MNIST): handwritten classical Japanese characters."""

from __future__ import annotations

import gzip
from pathlib import Path

from torchvision.datasets import KMNIST
from torchvision.datasets.utils import check_integrity, download_url

from sslbench.contract.spec import ViewPolicy
from sslbench.datasets._base import Dataset, Split, image_dataset
from sslbench.datasets.images._idx import parse_idx
from sslbench.datasets.images._torchvision import fetch

CLASSES = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")


def load_kmnist(root: Path) -> Dataset:
    """KMNIST: 60,000 + 10,000 grey 28x28 images of ten classical Japanese characters.

    Clanuwat, Bober-Irizar, Kitamoto, Lamb, Yamamoto and Ha 2018, "Deep learning for classical Japanese literature",
    arXiv:1812.01718; CC BY-SA 4.0. One class is one syllable, written in several ways. Mirrored writing is another
    sign, so views do not flip. Read from the packed files, since the checksums known (MD5, torchvision's) are theirs.

    Args:
        root: the data folder; the .gz files lie in `kmnist/` or torchvision's `KMNIST/raw/`.

    Raises:
        InputError: a file is damaged, the download fails, or the data folder cannot be written.
    """
    urls = tuple(f"{KMNIST.mirrors[0]}{file}" for file, _ in KMNIST.resources)
    folder = fetch("kmnist", root / "kmnist", urls, lambda download: _intact_folder(root, download))
    paths = [folder / file for file, _ in KMNIST.resources]
    train, train_labels, test, test_labels = (parse_idx(gzip.decompress(path.read_bytes()), path) for path in paths)
    return image_dataset(
        "kmnist",
        CLASSES,
        ViewPolicy(),
        Split(train.unsqueeze(1), train_labels.long()),
        Split(test.unsqueeze(1), test_labels.long()),
        "http://codh.rois.ac.jp/kmnist/",
    )


def _intact_folder(root: Path, download: bool) -> Path:
    """The folder that holds all four archives intact.

    Raises:
        RuntimeError: there is none.
    """
    if download:
        for file, md5 in KMNIST.resources:
            download_url(f"{KMNIST.mirrors[0]}{file}", str(root / "kmnist"), file, md5)
    for folder in (root / "kmnist", root / "KMNIST" / "raw"):
        if all(check_integrity(str(folder / file), md5) for file, md5 in KMNIST.resources):
            return folder
    raise RuntimeError("archives are missing or damaged")
