"""Every loader, without a network: torchvision's classes are replaced by small fakes with the same attributes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat
from sklearn.datasets import load_sample_image
from torchvision import datasets as published

from sslbench import datasets
from sslbench.contract.spec import InputError, ViewPolicy
from sslbench.datasets._base import Dataset, Split, image_dataset
from sslbench.datasets.images import _torchvision, digits, fashion_mnist, photographs
from sslbench.testing import DatasetContract
from tests.datasets.series.test_series_datasets import publish_digits, publish_prompts
from tests.datasets.test_datasets_cifar10_jpeg import publish_cifar10_jpeg
from tests.datasets.test_datasets_idx import publish_kmnist, publish_mnist, put
from tests.datasets.text.test_text_datasets import PUBLISH, publish

COLOUR = ("cifar10", "cifar10_jpeg", "cifar100", "svhn", "stl10")
DOWNLOADED = ("mnist", "kmnist", *COLOUR)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_torchvision, "unreachable", lambda urls: "there is no network")


class FakeCifar:
    url = "http://example.org/cifar.tar.gz"

    def __init__(self, root: Path, train: bool, download: bool) -> None:
        count = 20 if train else 10
        self.data = np.arange(count * 32 * 32 * 3, dtype=np.uint32).astype(np.uint8).reshape(count, 32, 32, 3)
        self.targets = [index % 2 for index in range(count)]
        self.classes = ["cat", "dog"]


class FakeSvhn:
    split_list = published.SVHN.split_list

    def __init__(self, root: Path, split: str, download: bool) -> None:
        self.data = np.zeros((3, 32, 32, 10), dtype=np.uint8).transpose(3, 0, 1, 2)
        self.labels = np.arange(10, dtype=np.int64)


class FakeStl:
    url = "http://example.org/stl.tar.gz"

    def __init__(self, root: Path, split: str, download: bool) -> None:
        labels = np.arange(10, dtype=np.uint8)
        if split == "train+unlabeled":
            self.labels = np.concatenate([labels, np.full(7, -1)])
        else:
            self.labels = labels
        self.data = np.zeros((len(self.labels), 3, 96, 96), dtype=np.uint8)
        self.data[:] = np.arange(len(self.labels)).reshape(-1, 1, 1, 1)


FAKES = {"cifar10": "CIFAR10", "cifar100": "CIFAR100", "svhn": "SVHN", "stl10": "STL10"}


def install(name: str, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    """Put a small stand-in where a downloaded dataset is looked for."""
    if name == "mnist":
        put(root / "mnist", publish_mnist(monkeypatch))
    elif name == "kmnist":
        put(root / "kmnist", publish_kmnist(monkeypatch))
    elif name == "fashion_mnist":
        put(root / "fashion_mnist", publish_mnist(monkeypatch, fashion_mnist))
    elif name == "cifar10_jpeg":
        put(root / name, {"cifar10-jpeg.tar.gz": publish_cifar10_jpeg(monkeypatch)})
    elif name.startswith("spoken_digits"):
        publish_digits(monkeypatch, root)
    elif name in PUBLISH:
        publish(name, monkeypatch, root)
    elif name == "prompts":
        publish_prompts(monkeypatch, root / "sounds")
    elif name in FAKES:
        fake = {"svhn": FakeSvhn, "stl10": FakeStl}.get(name, FakeCifar)
        monkeypatch.setattr(published, FAKES[name], fake)


def load_fake(name: str, monkeypatch: pytest.MonkeyPatch, root: Path) -> Dataset:
    install(name, monkeypatch, root)
    return datasets.load(name, root)


class TestRegistered(DatasetContract):
    names = tuple(datasets.DATASETS)

    @pytest.fixture
    def root(self, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        install(name, monkeypatch, tmp_path)
        return tmp_path


def message(load: Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- every loader


@pytest.mark.parametrize("name", [*DOWNLOADED, "digits"])
def test_inputs_are_bytes_with_channels_first(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    dataset = load_fake(name, monkeypatch, tmp_path) if name != "digits" else datasets.load(name, tmp_path)
    channels, side = (3 if name in COLOUR else 1), (96 if name == "stl10" else 32 if name in COLOUR else 28)
    assert dataset.train_inputs.dtype == torch.uint8
    assert dataset.input_spec.shape == (channels, side, side)


@pytest.mark.parametrize("name", [*DOWNLOADED, "digits"])
def test_writing_is_never_mirrored_and_only_colour_is_jittered(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    views = (load_fake(name, monkeypatch, tmp_path) if name != "digits" else datasets.load(name, tmp_path)).input_spec
    assert views.views.horizontal_flip == (name in ("cifar10", "cifar10_jpeg", "cifar100", "stl10"))
    assert views.views.color_jitter == (name in COLOUR)


@pytest.mark.parametrize("name", DOWNLOADED)
def test_files_that_are_neither_there_nor_to_be_had_are_one_line_naming_dataset_folder_and_reason(
    name: str, tmp_path: Path
) -> None:
    text = message(lambda: datasets.load(name, tmp_path))
    assert repr(name) in text
    assert str(tmp_path) in text
    assert "there is no network" in text


@pytest.mark.parametrize("name", DOWNLOADED)
def test_a_data_folder_that_cannot_exist_is_named_with_the_way_out(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    text = message(lambda: datasets.load(name, tmp_path / "file" / "data"))
    assert str(tmp_path / "file" / "data") in text
    assert "--data-root or $SSLBENCH_DATA" in text


def test_an_unknown_dataset_lists_the_choices() -> None:
    text = message(lambda: datasets.load("cifar11", Path()))
    assert "'cifar11'" in text
    assert all(name in text for name in datasets.DATASETS)
    assert "folder:PATH" in text


# --- digests


def test_equal_content_has_equal_digests_and_any_change_another() -> None:
    inputs, labels = torch.zeros(4, 1, 2, 2, dtype=torch.uint8), torch.tensor([0, 1, 0, 1])

    def digest(classes: tuple[str, ...] = ("a", "b"), test: torch.Tensor = inputs, more: bool = False) -> str:
        train = Split(inputs.clone(), labels.clone())
        unlabelled = inputs if more else None
        return image_dataset("x", classes, ViewPolicy(), train, Split(test, labels), "", unlabelled).digest

    others = [digest(classes=("a", "c")), digest(test=inputs + 1), digest(more=True)]
    assert digest() == digest()
    assert len({digest(), *others}) == 4


def test_the_digest_of_digits_is_the_published_one(tmp_path: Path) -> None:
    assert datasets.load("digits", tmp_path).digest == "a76a3a78d25ce566"


# --- digits


def test_digits_are_split_in_1297_and_500_with_every_class_in_proportion(tmp_path: Path) -> None:
    dataset = datasets.load("digits", tmp_path / "never made")
    assert (len(dataset.train_labels), len(dataset.test_labels)) == (1297, 500)
    counts = torch.bincount(dataset.train_labels) + torch.bincount(dataset.test_labels)
    shares = torch.bincount(dataset.test_labels) / counts
    assert shares == pytest.approx(torch.full((10,), 500 / 1797), abs=0.004)
    assert not (tmp_path / "never made").exists()


def test_digits_are_enlarged_bilinearly() -> None:
    images = np.random.default_rng(0).integers(0, 17, (5, 8, 8))
    wanted = torch.nn.functional.interpolate(
        torch.from_numpy(images * 255 / 16).unsqueeze(1), size=(28, 28), mode="bilinear", align_corners=False
    )
    enlarged = torch.from_numpy(digits.enlarge(images)).unsqueeze(1)
    assert float((enlarged - wanted).abs().max()) <= 0.5 + 1e-9
    assert digits.enlarge(np.full((1, 8, 8), 16)).min() == 255


# --- photographs


def test_photographs_are_colour_patches_and_no_pixel_is_in_both_splits(tmp_path: Path) -> None:
    dataset = datasets.load("photographs", tmp_path / "never made")
    assert dataset.input_spec.shape == (3, 32, 32)
    assert torch.bincount(dataset.train_labels).tolist() == [1000] * 9
    assert torch.bincount(dataset.test_labels).tolist() == [250] * 9
    image = torch.tensor(load_sample_image("flower.jpg")).permute(2, 0, 1)
    train = dataset.train_inputs[dataset.train_labels == 8]
    test = dataset.test_inputs[dataset.test_labels == 8]

    def holds(patches: torch.Tensor, row: int, column: int) -> bool:
        return bool((patches == image[:, row : row + 32, column : column + 32]).flatten(1).all(dim=1).any())

    assert holds(train, 0, 0)
    assert holds(train, 392, 448)  # the last patch for training ends where the test part begins
    assert holds(test, 0, 480)
    assert not holds(test, 0, 0)
    assert len(dataset.test_labels[:100].unique()) == 9  # mixed: pictures of the first test images show all classes


def test_patches_are_spread_evenly_over_a_picture() -> None:
    row = np.arange(32 + 8 * 9, dtype=np.uint8)[None, :, None].repeat(32, axis=0).repeat(3, axis=2)
    assert photographs.patches(row, 10)[:, 0, 0, 0].tolist() == [8 * step for step in range(10)]
    assert photographs.patches(row, 4)[:, 0, 0, 0].tolist() == [0, 24, 48, 72]


# --- STL-10 and its images without labels


def test_labels_of_minus_one_never_leave_stl10(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    dataset = load_fake("stl10", monkeypatch, tmp_path)
    assert dataset.train_labels.tolist() == dataset.test_labels.tolist() == list(range(10))
    assert dataset.train_inputs[:, 0, 0, 0].tolist() == list(range(10))


def test_pretexts_on_stl10_see_training_and_unlabelled_images(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert load_fake("stl10", monkeypatch, tmp_path).unlabelled_inputs[:, 0, 0, 0].tolist() == list(range(17))


def test_a_dataset_refuses_labels_outside_its_classes() -> None:
    inputs = torch.zeros(2, 1, 2, 2, dtype=torch.uint8)
    good, bad = Split(inputs, torch.tensor([0, 1])), Split(inputs, torch.tensor([-1, 1]))
    assert "train labels" in message(lambda: image_dataset("x", ("a", "b"), ViewPolicy(), bad, good, ""))
    assert "test labels" in message(lambda: image_dataset("x", ("a", "b"), ViewPolicy(), good, bad, ""))


# --- SVHN through torchvision's real reader


def publish_svhn(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    splits = {}
    for split in ("train", "test"):
        path = folder / f"{split}_32x32.mat"
        images = np.arange(32 * 32 * 3 * 10, dtype=np.uint32).astype(np.uint8).reshape(32, 32, 3, 10)
        savemat(path, {"X": images, "y": np.arange(1, 11, dtype=np.uint8).reshape(10, 1)})
        splits[split] = ["http://example.org/" + path.name, path.name, hashlib.md5(path.read_bytes()).hexdigest()]
    monkeypatch.setattr(published.SVHN, "split_list", splits)


def test_class_ten_of_svhn_is_the_digit_zero(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    publish_svhn(monkeypatch, tmp_path)
    dataset = datasets.load("svhn", tmp_path)
    assert dataset.train_labels.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]
    assert dataset.train_inputs.shape == (10, 3, 32, 32)


def test_the_one_file_of_svhn_that_lacks_is_named_offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    publish_svhn(monkeypatch, tmp_path)
    (tmp_path / "test_32x32.mat").unlink()
    assert f"put test_32x32.mat into {tmp_path}" in message(lambda: datasets.load("svhn", tmp_path))
