"""MNIST: handwritten digits."""

from __future__ import annotations

from pathlib import Path

from sslbench.contract.spec import ViewPolicy
from sslbench.datasets._acquire import Source
from sslbench.datasets._base import Dataset
from sslbench.datasets.images._idx import Published, load_idx
from sslbench.datasets.images._torchvision import download_idx

PUBLISHED = Published(
    name="mnist",
    folders=("mnist", "MNIST/raw"),
    digests={
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    classes=tuple("0123456789"),
    views=ViewPolicy(horizontal_flip=False, intensity_jitter=True, color_jitter=False),
    home="http://yann.lecun.com/exdb/mnist/",
)


def load_mnist(root: Path) -> Dataset:
    """MNIST: 60,000 + 10,000 grey 28x28 images of handwritten digits.

    LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document recognition"; CC BY-SA 3.0.

    Args:
        root: the data folder; the files lie in `mnist/` or torchvision's `MNIST/raw/`.

    Raises:
        InputError: a file is damaged, the download fails, or the data folder cannot be written.
    """
    source = Source("torchvision's download", lambda scratch: download_idx("MNIST", root, scratch))
    return load_idx(PUBLISHED, root, (source,))
