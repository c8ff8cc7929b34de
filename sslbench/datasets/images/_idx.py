"""The IDX format of MNIST and its relatives, and where their files are looked for."""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from sslbench.contract.spec import InputError, ViewPolicy
from sslbench.datasets._acquire import Source, fetched
from sslbench.datasets._base import Dataset, Split, image_dataset
from sslbench.datasets._files import said, write_file


@dataclass(frozen=True)
class Published:
    """What was published, wherever a copy comes from.

    Attributes:
        folders: where the files may lie below the data root; the first is where they are kept.
        digests: file name without `.gz` to the SHA-256 of its unpacked content: train images, train labels, test
            images, test labels, in this order. The packed bytes differ between publishers.
        home: where people find it.
    """

    name: str
    folders: tuple[str, ...]
    digests: Mapping[str, str]
    classes: tuple[str, ...]
    views: ViewPolicy
    home: str


def load_idx(published: Published, root: Path, sources: Sequence[Source]) -> Dataset:
    """Load the four files from the data root, or from the first source that delivers; those are kept in the root.

    Raises:
        InputError: a file in the root is damaged, no source delivers, or the root cannot be written.
    """
    for folder in published.folders:
        if all(_find(root / folder, name) for name in published.digests):
            return _build(published, _read(published, root / folder))
    home = root / published.folders[0]
    reasons = [f"data folder ({home} does not hold the four IDX files)"]
    for source, found in fetched(sources, root, reasons):
        try:
            contents = _read(published, found)
        except InputError as error:
            reasons.append(f"{source} ({said(error)})")
            continue
        for name, content in contents.items():
            write_file(home / f"{name}.gz", gzip.compress(content, compresslevel=1, mtime=0))
        return _build(published, contents)
    raise InputError(
        f"cannot get dataset {published.name!r}; tried: {'; '.join(reasons)}; "
        f"or put {' '.join(published.digests)} into {home}"
    )


def _find(folder: Path, name: str) -> Path | None:
    """The file, packed or not."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    return None


def _read(published: Published, folder: Path) -> dict[str, bytes]:
    """Unpacked content of the four files, their digests checked."""
    contents: dict[str, bytes] = {}
    for name, wanted in published.digests.items():
        path = _find(folder, name)
        if path is None:
            raise InputError(f"{folder} does not hold {name} or {name}.gz")
        try:
            content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{path} is damaged ({said(error)}); delete it and run again") from error
        if hashlib.sha256(content).hexdigest() != wanted:
            parse_idx(content, path)  # says what is wrong where it can
            raise InputError(f"{path} is not the published file (its SHA-256 differs); delete it and run again")
        contents[name] = content
    return contents


def parse_idx(content: bytes, path: Path) -> torch.Tensor:
    """Decode IDX bytes of unsigned 8-bit values into a uint8 tensor of the declared shape.

    Raises:
        InputError: wrong magic number, or fewer or more values than declared.
    """
    if len(content) < 4 or content[:3] != b"\x00\x00\x08" or not 1 <= content[3] <= 4:
        raise InputError(f"{path} is no IDX file of bytes; delete it and run again")
    header = 4 + 4 * content[3]
    if len(content) < header:
        raise InputError(f"{path} is cut short; delete it and run again")
    shape = tuple(int(length) for length in np.frombuffer(content[4:header], dtype=">u4"))
    if len(content) - header != math.prod(shape):
        raise InputError(f"{path} is cut short or too long for its shape {shape}; delete it and run again")
    return torch.from_numpy(np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape).copy())


def _build(published: Published, contents: Mapping[str, bytes]) -> Dataset:
    train, train_labels, test, test_labels = (
        parse_idx(contents[name], Path(published.folders[0]) / name) for name in published.digests
    )
    return image_dataset(
        published.name,
        published.classes,
        published.views,
        Split(train.unsqueeze(1), train_labels.long()),
        Split(test.unsqueeze(1), test_labels.long()),
        published.home,
    )
