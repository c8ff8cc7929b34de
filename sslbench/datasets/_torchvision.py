"""Getting datasets through torchvision: its folder layout, its downloads, its checksums.

torchvision is imported by the functions that need it: it takes longer to import than a small dataset to load.
"""

from __future__ import annotations

import socket
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import TypeVar

from sslbench.datasets._files import from_disk, make_folder, one_line, unwritable
from sslbench.datasets._idx import Unavailable
from sslbench.spec import InputError

#: Seconds a server may stay silent before it counts as out of reach.
PATIENCE = 10.0

#: What torchvision's downloads and readers raise, RuntimeError being its own word for a failed download.
_TROUBLE = (OSError, RuntimeError, EOFError, HTTPException, tarfile.TarError)

Loaded = TypeVar("Loaded")


def fetch(name: str, root: Path, files: tuple[str, ...], build: Callable[[bool], Loaded]) -> Loaded:
    """Build a torchvision dataset from the files in `root`, downloading them only if they are not there intact.

    Args:
        name: what errors call the dataset.
        files: URLs of what torchvision downloads into `root`.
        build: constructs the dataset; its argument says whether it may download.

    Raises:
        InputError: files that are neither there nor to be had, or a data folder that cannot be written.
    """
    try:
        return build(False)
    except RuntimeError:  # torchvision's word for files that are missing or fail their checksum
        make_folder(root)
    except OSError as error:
        raise InputError(f"cannot read the files of dataset {name!r} in {root}: {one_line(error)}") from error
    try:
        with _impatient():
            return build(True)
    except _TROUBLE as error:
        if isinstance(error, OSError) and from_disk(error):
            raise unwritable(root, error) from error
        names = " and ".join(url.rpartition("/")[2] for url in files)
        raise InputError(
            f"cannot get dataset {name!r}: {root} does not hold it intact and torchvision could not download "
            f"{' and '.join(files)} ({one_line(error)}); offline, put {names} into {root} and run again"
        ) from error


def download_idx(kind: str, root: Path, scratch: Path) -> Path:
    """Let torchvision download the IDX files of `kind` (MNIST, KMNIST or FashionMNIST); returns their folder.

    Args:
        root: the data folder, which errors name.
        scratch: a temporary folder inside it.

    Raises:
        Unavailable: the download failed.
        InputError: the data folder is full.
    """
    from torchvision import datasets

    build = {"MNIST": datasets.MNIST, "KMNIST": datasets.KMNIST, "FashionMNIST": datasets.FashionMNIST}[kind]
    try:
        with _impatient():
            build(scratch, download=True)
    except _TROUBLE as error:
        if isinstance(error, OSError) and from_disk(error):
            raise unwritable(root, error) from error
        raise Unavailable(one_line(error)) from error
    return scratch / kind / "raw"


@contextmanager
def _impatient() -> Iterator[None]:
    """Give up on silent servers soon: torchvision sets no timeout and tries several."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
