"""MNIST and its relatives: the file format, and what is kept, checked and named."""

from __future__ import annotations

import dataclasses
import errno
import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torchvision import datasets as published

from sslbench.contract.spec import InputError
from sslbench.datasets.images import _idx, _torchvision, kmnist, mnist

IDX_FILES = tuple(mnist.PUBLISHED.digests)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_torchvision, "unreachable", lambda urls: "there is no network")


def online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_torchvision, "unreachable", lambda urls: None)


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">u4").tobytes() + array.tobytes()


def idx_contents() -> dict[str, bytes]:
    """Twenty training and ten test images of 28x28, every class in both."""
    arrays: list[np.ndarray] = []
    for count in (20, 10):
        arrays.append(np.arange(count * 784, dtype=np.uint32).astype(np.uint8).reshape(count, 28, 28))
        arrays.append(np.arange(count, dtype=np.uint8) % 10)
    return {name: idx(array) for name, array in zip(IDX_FILES, arrays, strict=True)}


def publish_mnist(monkeypatch: pytest.MonkeyPatch, module: ModuleType = mnist) -> dict[str, bytes]:
    contents = idx_contents()
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    monkeypatch.setattr(module, "PUBLISHED", dataclasses.replace(module.PUBLISHED, digests=digests))
    return contents


def publish_kmnist(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    packed = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in idx_contents().items()}
    resources = [(name, hashlib.md5(content).hexdigest()) for name, content in packed.items()]
    monkeypatch.setattr(published.KMNIST, "resources", resources)
    return packed


def put(folder: Path, contents: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)


def message(load: Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- IDX files


def test_idx_bytes_become_a_tensor_of_the_declared_shape() -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    assert torch.equal(_idx.parse_idx(idx(array), Path("x")), torch.from_numpy(array))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no IDX file"),
        (b"\x00\x00\x0d\x01\x00\x00\x00\x00", "no IDX file"),
        (b"\x1f\x8b\x08\x00" * 4, "no IDX file"),
        (idx(np.zeros((2, 2), dtype=np.uint8))[:9], "cut short"),
        (idx(np.zeros((2, 2), dtype=np.uint8))[:-1], "cut short"),
        (idx(np.zeros((2, 2), dtype=np.uint8)) + b"\x00", "too long"),
    ],
)
def test_a_file_that_is_not_idx_or_cut_short_is_named(content: bytes, reason: str) -> None:
    text = message(lambda: _idx.parse_idx(content, Path("folder/labels")))
    assert "folder/labels" in text
    assert reason in text


# --- MNIST: kept in the data folder, packed or not


@pytest.mark.parametrize("folder", ["mnist", "MNIST/raw"])
@pytest.mark.parametrize("packed", [False, True])
def test_mnist_is_read_from_files_that_are_there(
    folder: str, packed: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    contents = publish_mnist(monkeypatch)
    files = {f"{name}.gz": gzip.compress(content) for name, content in contents.items()} if packed else contents
    put(tmp_path / folder, files)
    dataset = mnist.load_mnist(tmp_path)
    assert dataset.train_inputs.shape == (20, 1, 28, 28)
    assert dataset.test_labels.tolist() == list(range(10))


def test_mnist_is_kept_after_its_download(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    contents = publish_mnist(monkeypatch)
    calls: list[str] = []

    def download(kind: str, root: Path, scratch: Path) -> Path:
        calls.append(kind)
        put(scratch / "raw", contents)
        return scratch / "raw"

    monkeypatch.setattr(mnist, "download_idx", download)
    first, second = mnist.load_mnist(tmp_path), mnist.load_mnist(tmp_path)
    assert calls == ["MNIST"]
    assert first.digest == second.digest
    assert [path.name for path in tmp_path.iterdir()] == ["mnist"]


def test_a_damaged_file_of_mnist_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    contents = publish_mnist(monkeypatch)
    name = IDX_FILES[2]
    put(tmp_path / "mnist", {**contents, name: contents[name][:-5]})
    assert str(tmp_path / "mnist" / name) in message(lambda: mnist.load_mnist(tmp_path))


def test_a_file_of_mnist_with_other_content_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    contents = publish_mnist(monkeypatch)
    name = IDX_FILES[0]
    put(tmp_path / "mnist", {**contents, name: contents[name][:-1] + b"\x07"})
    text = message(lambda: mnist.load_mnist(tmp_path))
    assert str(tmp_path / "mnist" / name) in text
    assert "SHA-256" in text


# --- KMNIST: checked as it was published, packed


@pytest.mark.parametrize("folder", ["kmnist", "KMNIST/raw"])
def test_kmnist_is_read_from_archives_that_are_there(
    folder: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put(tmp_path / folder, publish_kmnist(monkeypatch))
    dataset = kmnist.load_kmnist(tmp_path)
    assert dataset.train_labels.tolist() == [*range(10), *range(10)]
    assert dataset.test_inputs.shape == (10, 1, 28, 28)


def test_kmnist_fetches_its_archives_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    online(monkeypatch)
    packed = publish_kmnist(monkeypatch)
    fetched: list[str] = []

    def download(url: str, root: str, file: str, md5: str) -> None:
        fetched.append(url)
        put(Path(root), {file: packed[file]})

    monkeypatch.setattr(kmnist, "download_url", download)
    assert kmnist.load_kmnist(tmp_path).digest == kmnist.load_kmnist(tmp_path).digest
    assert len(fetched) == 4


def test_a_damaged_archive_of_kmnist_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    online(monkeypatch)
    packed = publish_kmnist(monkeypatch)
    name = next(iter(packed))
    put(tmp_path / "kmnist", {**packed, name: packed[name][:-3]})

    def corrupt(url: str, root: str, file: str, md5: str) -> None:
        raise RuntimeError("File not found or corrupted.")

    monkeypatch.setattr(kmnist, "download_url", corrupt)
    text = message(lambda: kmnist.load_kmnist(tmp_path))
    assert name in text
    assert "corrupted" in text


def test_a_full_disk_while_keeping_mnist_is_named_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    contents = publish_mnist(monkeypatch)

    def download(kind: str, root: Path, scratch: Path) -> Path:
        put(scratch / "raw", contents)
        monkeypatch.setattr(Path, "write_bytes", full)
        return scratch / "raw"

    def full(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(mnist, "download_idx", download)
    text = message(lambda: mnist.load_mnist(tmp_path))
    assert f"{tmp_path / 'mnist'} cannot be written: No space left on device" in text
    assert not any((tmp_path / "mnist").iterdir())
