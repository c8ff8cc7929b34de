"""Fashion-MNIST: articles of clothing, the reference dataset of this benchmark."""

from __future__ import annotations

from pathlib import Path

from sslbench.contract.spec import ViewPolicy
from sslbench.datasets._acquire import Source, from_debian, installed
from sslbench.datasets._base import Dataset
from sslbench.datasets.images._idx import Published, load_idx
from sslbench.datasets.images._torchvision import download_idx

#: Of Debian, and where it puts the files.
PACKAGE, FOLDER = "dataset-fashion-mnist", "/usr/share/datasets/fashion-mnist"

PUBLISHED = Published(
    name="fashion_mnist",
    folders=("fashion_mnist", "FashionMNIST/raw"),
    digests={
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
    classes=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    views=ViewPolicy(horizontal_flip=True, intensity_jitter=True, color_jitter=False),
    home="https://github.com/zalandoresearch/fashion-mnist",
)


def load_fashion_mnist(root: Path) -> Dataset:
    """Fashion-MNIST: 60,000 + 10,000 grey 28x28 images of ten kinds of clothing.

    Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747; MIT licence. Files are looked for in the data folder, then in the
    installed Debian package, then downloaded by torchvision, then by apt-get; whatever is found is kept in the data
    folder.

    Args:
        root: the data folder; the files lie in `fashion_mnist/` or torchvision's `FashionMNIST/raw/`.

    Raises:
        InputError: a file is damaged, no source delivers, or the data folder cannot be written.
    """
    sources = (
        installed(PACKAGE, FOLDER),
        Source("torchvision's download", lambda scratch: download_idx("FashionMNIST", root, scratch)),
        from_debian(PACKAGE, inside=FOLDER),
    )
    return load_idx(PUBLISHED, root, sources)
