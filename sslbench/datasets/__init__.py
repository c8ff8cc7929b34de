"""Labelled inputs of one modality, loaded whole. One line here adds one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sslbench.contract.files import is_folder
from sslbench.contract.registry import Registry
from sslbench.contract.spec import InputError

if TYPE_CHECKING:
    from sslbench.datasets._base import Dataset

DATASETS: Registry[Callable[[Path], Dataset]] = Registry(
    "dataset",
    {
        "fashion_mnist": "sslbench.datasets.images.fashion_mnist:load_fashion_mnist",
        "mnist": "sslbench.datasets.images.mnist:load_mnist",
        "kmnist": "sslbench.datasets.images.kmnist:load_kmnist",
        "cifar10": "sslbench.datasets.images.cifar10:load_cifar10",
        "cifar10_jpeg": "sslbench.datasets.images.cifar10_jpeg:load_cifar10_jpeg",
        "cifar100": "sslbench.datasets.images.cifar100:load_cifar100",
        "svhn": "sslbench.datasets.images.svhn:load_svhn",
        "stl10": "sslbench.datasets.images.stl10:load_stl10",
        "digits": "sslbench.datasets.images.digits:load_digits",
        "photographs": "sslbench.datasets.images.photographs:load_photographs",
    },
)

FOLDER = "folder:"


def _folder(name: str) -> Path:
    path = Path(name.removeprefix(FOLDER))
    try:
        return path.expanduser()
    except RuntimeError:  # nobody of that name has a home
        return path


def default_root() -> Path:
    """Folder of datasets: `$SSLBENCH_DATA`, else `~/.cache/sslbench/data`, shared by all checkouts."""
    return Path(os.environ.get("SSLBENCH_DATA") or Path.home() / ".cache" / "sslbench" / "data")


def check(name: str) -> None:
    """Raise an error unless `name` is a known dataset or `folder:PATH` of an existing folder; reads no data.

    Raises:
        InputError: naming the culprit and the choices.
    """
    if name.startswith(FOLDER):
        path = _folder(name)
        if name == FOLDER or not is_folder(path):
            raise InputError(f"dataset {name!r}: {path} is not a folder; give folder:PATH of class folders with images")
    elif name not in DATASETS:
        raise InputError(f"unknown dataset {name!r}; choose one of {', '.join(DATASETS)}, or folder:PATH")


def version_of(name: str) -> int:
    """Of the loader of a dataset that `check` accepts."""
    return 1 if name.startswith(FOLDER) else DATASETS.version(name)


def load(name: str, root: Path) -> Dataset:
    """Load a dataset by name, or a person's own images as `folder:PATH`.

    Args:
        root: where files are kept; what is missing is acquired into it.

    Raises:
        InputError: unknown name, files that cannot be had or are damaged, a folder that cannot be written.
    """
    check(name)
    if name.startswith(FOLDER):
        from sslbench.datasets.images.folder import load_folder

        return load_folder(_folder(name))
    dataset = DATASETS.get(name)(root)
    DATASETS.check_spelling(dataset.name)
    return dataset
