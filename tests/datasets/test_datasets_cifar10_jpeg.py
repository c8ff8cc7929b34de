"""CIFAR-10 as JPEG, with a small archive of the same layout: what is refused, what is kept, what is named."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load, save

from sslbench.contract.spec import InputError
from sslbench.datasets._acquire import Unavailable
from sslbench.datasets.images import _torchvision, cifar10_jpeg
from sslbench.datasets.images.cifar10_jpeg import ARCHIVE, CLASSES, DECODED, load_cifar10_jpeg

COUNTS = {"train": 3, "test": 2}
TOP = "CIFAR-10-images-d7d0561"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_torchvision, "unreachable", lambda urls: "there is no network")


def shade(split: str, label: int, index: int) -> tuple[int, int, int]:
    """A colour that no other image has."""
    return (20 * label, 80 * index, 200 if split == "train" else 40)


def jpegs() -> dict[str, bytes]:
    """Images of one colour each, which JPEG keeps nearly."""
    files = {}
    for split, count in COUNTS.items():
        for label, kind in enumerate(CLASSES):
            for index in range(count):
                content = io.BytesIO()
                Image.new("RGB", (32, 32), shade(split, label, index)).save(content, "JPEG")
                files[f"{split}/{kind}/{index:04d}.jpg"] = content.getvalue()
    return files


def archive(files: Mapping[str, bytes], *others: tarfile.TarInfo) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for member in others:
            tar.addfile(member)
    return packed.getvalue()


def publish_cifar10_jpeg(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Declare a small archive the published one, and return it."""
    monkeypatch.setattr(cifar10_jpeg, "PER_CLASS", COUNTS)
    monkeypatch.setattr(cifar10_jpeg, "DIGEST", cifar10_jpeg.content_digest(jpegs()))
    return archive(jpegs())


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> bytes:
    return publish_cifar10_jpeg(monkeypatch)


@pytest.fixture
def root(published: bytes, tmp_path: Path) -> Path:
    """A data folder with the archive."""
    (tmp_path / "cifar10_jpeg").mkdir()
    (tmp_path / "cifar10_jpeg" / ARCHIVE).write_bytes(published)
    return tmp_path


def message(load: Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def refusal(packed: bytes) -> str:
    with pytest.raises(Unavailable) as caught:
        cifar10_jpeg.unpack(packed)
    return str(caught.value)


# --- what is loaded


def test_every_image_is_there_once_and_beside_its_label(root: Path) -> None:
    dataset = load_cifar10_jpeg(root)
    for split, inputs, labels in (
        ("train", dataset.train_inputs, dataset.train_labels),
        ("test", dataset.test_inputs, dataset.test_labels),
    ):
        wanted = {(label, index): shade(split, label, index) for label in range(10) for index in range(COUNTS[split])}
        found = set()
        for image, label in zip(inputs, labels.tolist(), strict=True):
            index = round(float(image[1].float().mean()) / 80)
            colour = torch.tensor(wanted[label, index]).view(3, 1, 1)
            assert int((image - colour).abs().max()) <= 4
            found.add((label, index))
        assert found == set(wanted)


def test_classes_are_mixed_in_an_order_that_does_not_depend_on_the_archive(root: Path) -> None:
    dataset = load_cifar10_jpeg(root)
    assert dataset.train_labels.tolist() != sorted(dataset.train_labels.tolist())
    backwards = root / "backwards"
    backwards.mkdir()
    (backwards / ARCHIVE).write_bytes(archive(dict(reversed(jpegs().items()))))
    assert load_cifar10_jpeg(backwards).digest == dataset.digest


def test_it_is_never_called_the_canonical_data_set(root: Path) -> None:
    dataset = load_cifar10_jpeg(root)
    assert dataset.name == "cifar10_jpeg"
    assert "d7d05618061fe37d830fb0419063d113c575ccbc" in dataset.source


# --- where the archive is found


@pytest.mark.parametrize("folder", ["", "cifar10_jpeg"])
def test_the_archive_is_found_in_the_data_folder_and_in_its_own(folder: str, published: bytes, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / ARCHIVE).write_bytes(published)
    assert len(load_cifar10_jpeg(tmp_path).train_labels) == 30


def test_a_download_is_kept_packed_and_decoded(
    published: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    served, root = tmp_path / "served.tar.gz", tmp_path / "root"
    # As GitHub packs it: a folder around all, and the repository's own files.
    served.write_bytes(archive({f"{TOP}/README.md": b"#", **{f"{TOP}/{name}": file for name, file in jpegs().items()}}))
    monkeypatch.setattr(_torchvision, "unreachable", lambda urls: None)
    monkeypatch.setattr(cifar10_jpeg, "URL", served.as_uri())
    digest = load_cifar10_jpeg(root).digest
    assert sorted(path.name for path in (root / "cifar10_jpeg").iterdir()) == [DECODED, ARCHIVE]
    served.unlink()
    (root / "cifar10_jpeg" / DECODED).unlink()
    assert load_cifar10_jpeg(root).digest == digest


def test_without_a_network_every_source_and_the_file_to_put_there_are_named(published: bytes, tmp_path: Path) -> None:
    text = message(lambda: load_cifar10_jpeg(tmp_path))
    assert cifar10_jpeg.URL in text
    assert "there is no network" in text
    assert str(tmp_path / ARCHIVE) in text
    assert text.endswith(f"save it as {tmp_path / 'cifar10_jpeg' / ARCHIVE}")


@pytest.mark.parametrize("answer", [None, b"<html>Please sign in.</html>"])
def test_a_server_without_the_archive_is_named_and_nothing_of_it_is_kept(
    answer: bytes | None, published: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    served, root = tmp_path / "served", tmp_path / "root"
    if answer is not None:
        served.write_bytes(answer)
    monkeypatch.setattr(_torchvision, "unreachable", lambda urls: None)
    monkeypatch.setattr(cifar10_jpeg, "URL", served.as_uri())
    text = message(lambda: load_cifar10_jpeg(root))
    assert served.as_uri() in text
    assert f"save it as {root / 'cifar10_jpeg' / ARCHIVE}" in text
    assert not list(root.iterdir())


# --- what is refused


@pytest.mark.parametrize(
    "damage", [lambda whole: whole[: len(whole) // 2], lambda whole: b"", lambda whole: b"\0" * 99]
)
def test_a_damaged_archive_is_named(damage: Callable[[bytes], bytes], root: Path) -> None:
    path = root / "cifar10_jpeg" / ARCHIVE
    path.write_bytes(damage(path.read_bytes()))
    text = message(lambda: load_cifar10_jpeg(root))
    assert text.startswith(f"{path} is not the published archive (damaged: ")
    assert text.endswith("delete it and run again")


def test_a_packed_file_that_is_no_archive_holds_no_images(published: bytes) -> None:
    assert refusal(gzip.compress(bytes(10_240))) == "it holds 0 images of train/airplane, not 3"


def test_one_image_too_few_names_its_class(published: bytes) -> None:
    files = jpegs()
    del files["test/frog/0001.jpg"]
    assert refusal(archive(files)) == "it holds 1 images of test/frog, not 2"


def test_one_image_too_many_names_its_class(published: bytes) -> None:
    files = jpegs()
    files["train/ship/0003.jpg"] = files["train/ship/0000.jpg"]
    assert refusal(archive(files)) == "it holds 4 images of train/ship, not 3"


def test_images_that_changed_places_are_not_the_published_ones(published: bytes) -> None:
    files = jpegs()
    cat, dog = "train/cat/0000.jpg", "train/dog/0000.jpg"
    files[cat], files[dog] = files[dog], files[cat]
    assert "SHA-256" in refusal(archive(files))


@pytest.mark.parametrize(
    "name",
    [
        "train/cat/notes.txt",
        "train/unicorn/0000.jpg",
        "train/0000.jpg",
        "train/cat/more/0000.jpg",
        "../../train/cat/0000.jpg",
        "/train/../cat/0000.jpg",
        f"{TOP}/{TOP}/train/cat/0000.jpg",
        "validation/cat/0000.jpg",
    ],
)
def test_a_member_in_any_other_place_is_refused(name: str, published: bytes) -> None:
    assert f"it holds {name!r}" in refusal(archive({**jpegs(), name: b"x"}))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(kind: bytes, published: bytes) -> None:
    member = tarfile.TarInfo("train/cat/0002.jpg")
    member.type, member.linkname = kind, "/etc/passwd"
    assert "'train/cat/0002.jpg'" in refusal(archive(jpegs(), member))


def test_an_image_of_a_size_that_none_has_is_refused_unread(published: bytes) -> None:
    assert "'train/cat/0000.jpg'" in refusal(archive({**jpegs(), "train/cat/0000.jpg": bytes(4097)}))


# --- what is kept decoded


def refuse_to_unpack(archive: bytes) -> dict[str, bytes]:
    raise AssertionError("the archive was read again")


def test_decoding_happens_once_and_the_archive_is_not_needed_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_cifar10_jpeg(root)
    monkeypatch.setattr(cifar10_jpeg, "unpack", refuse_to_unpack)
    (root / "cifar10_jpeg" / ARCHIVE).unlink()
    second = load_cifar10_jpeg(root)
    assert second.digest == first.digest
    assert torch.equal(second.test_inputs, first.test_inputs)


def flipped(content: bytes) -> bytes:
    array = np.frombuffer(content, dtype=np.uint8).copy()
    array[-1] ^= 1
    return array.tobytes()


def without_test_split(content: bytes) -> bytes:
    return save({name: tensor for name, tensor in load(content).items() if name.startswith("train")})


def with_labels_of_no_class(content: bytes) -> bytes:
    return save({name: tensor + (99 if name == "train_labels" else 0) for name, tensor in load(content).items()})


@pytest.mark.parametrize(
    "damage",
    [lambda content: b"", lambda content: content[:-9], flipped, without_test_split, with_labels_of_no_class],
    ids=["empty", "cut short", "one bit", "a tensor lacks", "labels of no class"],
)
def test_decoded_images_that_are_damaged_are_decoded_anew(
    damage: Callable[[bytes], bytes], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = load_cifar10_jpeg(root).digest
    decoded = root / "cifar10_jpeg" / DECODED
    decoded.write_bytes(damage(decoded.read_bytes()))
    assert load_cifar10_jpeg(root).digest == digest
    monkeypatch.setattr(cifar10_jpeg, "unpack", refuse_to_unpack)
    assert load_cifar10_jpeg(root).digest == digest


def test_images_decoded_from_another_archive_are_decoded_anew(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_cifar10_jpeg(root).digest
    files = jpegs()
    files["train/cat/0000.jpg"], files["train/cat/0001.jpg"] = files["train/cat/0001.jpg"], files["train/cat/0000.jpg"]
    monkeypatch.setattr(cifar10_jpeg, "DIGEST", cifar10_jpeg.content_digest(files))
    (root / "cifar10_jpeg" / ARCHIVE).write_bytes(archive(files))
    assert load_cifar10_jpeg(root).digest != before


def test_a_data_folder_that_cannot_keep_the_decoded_images_is_named(published: bytes, tmp_path: Path) -> None:
    (tmp_path / ARCHIVE).write_bytes(published)
    (tmp_path / "cifar10_jpeg").write_text("not a folder")
    text = message(lambda: load_cifar10_jpeg(tmp_path))
    assert f"{tmp_path / 'cifar10_jpeg'} cannot be written" in text
    assert "--data-root or $SSLBENCH_DATA" in text
