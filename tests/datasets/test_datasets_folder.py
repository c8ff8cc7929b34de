"""`folder:PATH` on generated images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sslbench import datasets
from sslbench.contract.spec import InputError
from sslbench.datasets.images.folder import load_folder


def picture(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (40, 40)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def fill(folder: Path, name: str, count: int, colour: tuple[int, int, int] = (200, 30, 30)) -> None:
    for index in range(count):
        picture(folder / name / f"{index}.png", (colour[0], colour[1], colour[2] + index))


def message(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_folder(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_class_folders_become_classes_in_alphabetical_order(tmp_path: Path) -> None:
    fill(tmp_path, "dog", 10)
    fill(tmp_path, "cat", 5)
    dataset = datasets.load(f"folder:{tmp_path}", Path("unused"))
    assert dataset.classes == ("cat", "dog")
    assert torch.bincount(dataset.train_labels).tolist() == [4, 8]
    assert torch.bincount(dataset.test_labels).tolist() == [1, 2]
    assert dataset.input_spec.shape == (3, 32, 32)
    assert dataset.input_spec.views.color_jitter
    assert dataset.train_inputs.dtype == torch.uint8


def test_the_name_is_the_folder_and_its_content_but_never_a_path(tmp_path: Path) -> None:
    for parent in ("one", "two"):
        fill(tmp_path / parent / "pets", "cat", 4)
        fill(tmp_path / parent / "pets", "dog", 4)
    first, copy = load_folder(tmp_path / "one" / "pets"), load_folder(tmp_path / "two" / "pets")
    assert first.name == copy.name == f"folder:pets@{first.digest[:8]}"
    assert str(tmp_path) not in first.source
    picture(tmp_path / "two" / "pets" / "cat" / "0.png", (1, 2, 3))
    assert load_folder(tmp_path / "two" / "pets").name != first.name


def test_two_images_of_a_class_give_one_to_train_on_and_one_to_test(tmp_path: Path) -> None:
    fill(tmp_path, "cat", 2)
    fill(tmp_path, "dog", 2)
    dataset = load_folder(tmp_path)
    assert sorted(dataset.train_labels.tolist()) == sorted(dataset.test_labels.tolist()) == [0, 1]


def test_the_hold_out_is_the_same_every_time_and_overlaps_nothing(tmp_path: Path) -> None:
    fill(tmp_path, "cat", 10)
    fill(tmp_path, "dog", 10, (10, 200, 10))
    first, again = load_folder(tmp_path), load_folder(tmp_path)
    assert torch.equal(first.test_inputs, again.test_inputs)
    seen = {(int(image[0, 0, 0]), int(image[2, 0, 0])) for image in first.train_inputs}
    held = {(int(image[0, 0, 0]), int(image[2, 0, 0])) for image in first.test_inputs}
    assert len(seen) == 16
    assert len(held) == 4
    assert not seen & held


def test_train_and_test_folders_are_taken_as_they_are(tmp_path: Path) -> None:
    for name, count in (("cat", 3), ("dog", 4)):
        fill(tmp_path / "train", name, count)
        fill(tmp_path / "test", name, 1, (0, 0, 99))
    dataset = load_folder(tmp_path)
    assert dataset.classes == ("cat", "dog")
    assert sorted(dataset.train_labels.tolist()) == [0] * 3 + [1] * 4
    assert sorted(dataset.test_labels.tolist()) == [0, 1]
    assert dataset.test_inputs[:, 2].unique().tolist() == [99]


def test_a_train_folder_alone_is_split(tmp_path: Path) -> None:
    fill(tmp_path / "train", "cat", 5)
    fill(tmp_path / "train", "dog", 5)
    dataset = load_folder(tmp_path)
    assert (len(dataset.train_labels), len(dataset.test_labels)) == (8, 2)


def test_trains_may_be_a_class(tmp_path: Path) -> None:
    fill(tmp_path, "train", 3)
    fill(tmp_path, "car", 3)
    assert load_folder(tmp_path).classes == ("car", "train")


@pytest.mark.parametrize("spelling", ["unlabeled", "unlabelled"])
def test_unlabelled_images_are_for_pretexts_alone(spelling: str, tmp_path: Path) -> None:
    fill(tmp_path, "cat", 5)
    fill(tmp_path, "dog", 5)
    without = load_folder(tmp_path)
    fill(tmp_path, spelling, 3, (0, 0, 7))
    dataset = load_folder(tmp_path)
    assert dataset.classes == ("cat", "dog")
    assert torch.equal(dataset.train_inputs, without.train_inputs)
    assert torch.equal(dataset.test_labels, without.test_labels)
    found, known = (
        sorted(map(bytes, part.flatten(1).numpy())) for part in (dataset.unlabelled_inputs, dataset.train_inputs)
    )
    assert len(found) == 11
    assert set(known) < set(found)


def test_the_images_tested_are_not_among_the_unlabelled(tmp_path: Path) -> None:
    fill(tmp_path, "cat", 5)
    fill(tmp_path, "dog", 5)
    fill(tmp_path, "unlabeled", 3)
    dataset = load_folder(tmp_path)
    assert len(dataset.unlabelled_inputs) == len(dataset.train_inputs) + 3


def test_grey_images_have_one_channel_whatever_their_files_say(tmp_path: Path) -> None:
    for name in ("dark", "light"):
        for index in range(3):
            picture(tmp_path / name / f"{index}.png", (index, index, index))
        Image.new("L", (50, 40), 9).save(tmp_path / name / "grey.png")
    dataset = load_folder(tmp_path)
    assert dataset.input_spec.shape == (1, 32, 32)
    assert not dataset.input_spec.views.color_jitter


def test_one_colour_image_among_grey_ones_makes_three_channels(tmp_path: Path) -> None:
    for name in ("dark", "light"):
        for index in range(3):
            picture(tmp_path / name / f"{index}.png", (index, index, index))
    picture(tmp_path / "unlabeled" / "red.png", (255, 0, 0))
    assert load_folder(tmp_path).input_spec.shape == (3, 32, 32)


def test_wide_images_are_cropped_to_the_middle_and_not_squashed(tmp_path: Path) -> None:
    canvas = np.zeros((32, 96, 3), dtype=np.uint8)
    canvas[:, 32:64] = (250, 100, 50)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for index in range(2):
            Image.fromarray(canvas).save(tmp_path / name / f"{index}.png")
    image = load_folder(tmp_path).train_inputs[0]
    assert image.flatten(1).unique(dim=1).flatten().tolist() == [250, 100, 50]


def test_transparency_becomes_white_and_deep_grey_keeps_its_upper_bits(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for index in range(2):
            Image.new("RGBA", (32, 32), (255, 0, 0, 0)).save(tmp_path / name / f"{index}.png")
            Image.fromarray(np.full((32, 32), 0x4000, dtype=np.uint16)).save(tmp_path / name / f"deep{index}.png")
    dataset = load_folder(tmp_path)
    assert dataset.unlabelled_inputs.unique().tolist() == [0x40, 255]


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "bmp", "webp", "tif", "PNG"])
def test_common_formats_are_read(suffix: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        for index in range(2):
            picture(tmp_path / name / f"{index}.{suffix}", (200, 100, 50))
    assert len(load_folder(tmp_path).train_inputs) == 2


def test_hidden_files_and_other_files_are_left_out(tmp_path: Path) -> None:
    fill(tmp_path, "cat", 3)
    fill(tmp_path, "dog", 3)
    (tmp_path / "cat" / ".hidden.png").write_bytes(b"")
    (tmp_path / "cat" / "notes.txt").write_text("a cat")
    (tmp_path / ".cache").mkdir()
    dataset = load_folder(tmp_path)
    assert len(dataset.train_labels) + len(dataset.test_labels) == 6


# --- what is wrong is named


def test_a_file_that_is_no_image_is_named(tmp_path: Path) -> None:
    fill(tmp_path, "cat", 3)
    fill(tmp_path, "dog", 3)
    (tmp_path / "dog" / "broken.png").write_bytes(b"no picture at all")
    assert str(tmp_path / "dog" / "broken.png") in message(tmp_path)


def test_an_image_cut_short_is_named(tmp_path: Path) -> None:
    fill(tmp_path, "cat", 3)
    fill(tmp_path, "dog", 3)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = tmp_path / "dog" / "cut.png"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    assert str(path) in message(tmp_path)


def test_pixels_of_32_bits_are_refused_by_name(tmp_path: Path) -> None:
    fill(tmp_path, "cat", 3)
    fill(tmp_path, "dog", 3)
    Image.fromarray(np.ones((32, 32), dtype=np.float32)).save(tmp_path / "cat" / "float.tif")
    text = message(tmp_path)
    assert "float.tif" in text
    assert "8 bits" in text


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    assert f"{tmp_path} has no class folders" in message(tmp_path)


def test_one_class_is_not_enough(tmp_path: Path) -> None:
    fill(tmp_path, "cat", 3)
    fill(tmp_path, "unlabeled", 3)
    assert "at least two class folders" in message(tmp_path)


@pytest.mark.parametrize("count", [0, 1])
def test_a_class_with_fewer_than_two_images_is_named(count: int, tmp_path: Path) -> None:
    fill(tmp_path, "cat", 3)
    (tmp_path / "dog").mkdir()
    fill(tmp_path, "dog", count)
    assert f"{tmp_path / 'dog'} has {count} images" in message(tmp_path)


def test_a_test_folder_of_other_classes_is_named(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        fill(tmp_path / "train", name, 3)
    fill(tmp_path / "test", "bird", 1)
    text = message(tmp_path)
    assert "bird" in text
    assert "cat, dog" in text


def test_a_folder_that_is_not_there_is_named_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a folder"):
        datasets.check(f"folder:{tmp_path / 'nowhere'}")
    assert str(tmp_path / "nowhere") in message(tmp_path / "nowhere")


def test_a_folders_name_brings_nothing_into_tables_and_terminals_that_means_something_there(tmp_path: Path) -> None:
    for kind in ("cat", "dog"):
        fill(tmp_path / "[bold] my|pets,2", kind, 2)
    assert load_folder(tmp_path / "[bold] my|pets,2").name.startswith("folder:-bold-my-pets-2@")
