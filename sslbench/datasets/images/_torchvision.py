"""Getting datasets through torchvision: its folder layout, its downloads, its checksums.

torchvision is imported by the functions that need it: it takes longer to import than a small dataset to load.
"""

from __future__ import annotations

import io
import queue
import socket
import tarfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from http.client import HTTPException
from pathlib import Path
from typing import TypeVar

from sslbench.contract.errors import InputError
from sslbench.datasets._acquire import Unavailable
from sslbench.datasets._files import from_disk, make_folder, said, unwritable

#: Seconds a server may stay silent before it counts as out of reach.
PATIENCE = 15.0

#: What torchvision's downloads and readers raise, RuntimeError being its own word for a failed download.
_TROUBLE = (OSError, RuntimeError, EOFError, HTTPException, tarfile.TarError)

Loaded = TypeVar("Loaded")


def fetch(name: str, root: Path, files: tuple[str, ...], build: Callable[[bool], Loaded]) -> Loaded:
    """Build a torchvision dataset from the files in `root`, downloading them only if they are not there intact.

    Intact means that the MD5 checksums torchvision carries agree; a damaged archive is downloaded anew.

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
        raise InputError(f"cannot read the files of dataset {name!r} in {root}: {said(error)}") from error
    absent = [url for url in files if not (root / url.rpartition("/")[2]).exists()]
    try:
        with _impatient(absent):
            return build(True)
    except _TROUBLE as error:
        if isinstance(error, OSError) and from_disk(error):
            raise unwritable(root, error) from error
        names = " and ".join(url.rpartition("/")[2] for url in files)
        raise InputError(
            f"cannot get dataset {name!r}: {root} does not hold it intact and torchvision could not download "
            f"{' and '.join(files)} ({said(error)}); offline, put {names} into {root} and run again"
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
        with _impatient([f"{mirror}{build.resources[0][0]}" for mirror in build.mirrors]):
            build(scratch, download=True)
    except _TROUBLE as error:
        if isinstance(error, OSError) and from_disk(error):
            raise unwritable(root, error) from error
        raise Unavailable(said(error)) from error
    return scratch / kind / "raw"


def unreachable(urls: Sequence[str]) -> str | None:
    """Why none of the servers answers, or None if one does.

    All are asked at once and `PATIENCE` bounds the whole: where a firewall swallows packets, torchvision would wait for
    every address of every mirror in turn.
    """
    answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    for url in urls:
        threading.Thread(target=_ask, args=(url, answers), daemon=True).start()
    deadline = time.monotonic() + PATIENCE
    why: str | None = "no server to ask"
    for _ in urls:
        try:
            why = answers.get(timeout=max(deadline - time.monotonic(), 0))
        except queue.Empty:
            return f"no answer within {PATIENCE:g} seconds"
        if why is None:
            return None
    return why


def _ask(url: str, answers: queue.SimpleQueue[str | None]) -> None:
    """Put None if the server of `url` says anything at all, else why it does not."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=PATIENCE):
            answers.put(None)
    except urllib.error.HTTPError:
        answers.put(None)  # it answers; whether it has the file is for the download to find out
    except (OSError, HTTPException) as error:
        answers.put(said(error))


@contextmanager
def _impatient(urls: Sequence[str]) -> Iterator[None]:
    """Give up on silent servers soon, and keep torchvision's progress bars out of our own display.

    Raises:
        RuntimeError: there are URLs and none of their servers answers.
    """
    why = unreachable(urls) if urls else None
    if why:
        raise RuntimeError(why)
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield
    finally:
        socket.setdefaulttimeout(before)
