"""A person's own images, one folder per class."""

from __future__ import annotations

import dataclasses
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from sslbench.datasets._base import Dataset, Split, image_dataset
from sslbench.datasets._files import one_line
from sslbench.datasets._split import hold_out
from sslbench.spec import InputError, ViewPolicy

#: Height and width every image is resized to.
SIDE = 32

#: Share of each class that is tested where there is no test folder.
TEST_SHARE = 0.2

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
_UNLABELLED = ("unlabeled", "unlabelled")
_RESERVED = ("train", "test", *_UNLABELLED)

#: What Pillow's readers raise on damaged files.
_TROUBLE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error)


def load_folder(path: Path) -> Dataset:
    """Your own images: PATH/<class>/*.png, or PATH/train/<class> and PATH/test/<class>; PATH/unlabeled is optional.

    Folders inside a class folder belong to the class. Images are resized to 32x32 whatever their proportions,
    transparency becomes white, and if all of them are grey they have one channel, else three. Where there is no test
    folder a fixed, stratified 20% of each class is tested. The dataset is called after the folder and its content, so
    the records of two folders with the same name stay apart.

    Raises:
        InputError: fewer than two classes or two images of a class, a test folder with other classes, or an image
            that cannot be read.
    """
    folder = path.expanduser()
    training = folder / "train" if (folder / "train").is_dir() else folder
    classes = _class_folders(training)
    if len(classes) < 2:
        raise InputError(f"{training} has {len(classes)} class folders with images; put at least two classes into it")
    train_files, train_labels = _labelled(training, classes, at_least=2)
    test_files, test_labels = _test_files(folder, classes)
    extra_files = [file for name in _UNLABELLED for file in _images(folder / name)]
    inputs = _read([*train_files, *test_files, *extra_files])
    test_start, extra_start = len(train_files), len(train_files) + len(test_files)
    train, test, extra = inputs[:test_start], inputs[test_start:extra_start], inputs[extra_start:]
    if not test_files:
        kept, tested = hold_out(train_labels, TEST_SHARE, "folder")
        test, test_labels = train[tested], train_labels[tested]
        train, train_labels = train[kept], train_labels[kept]
    name = f"folder:{folder.resolve().name or 'root'}"
    dataset = image_dataset(
        name,
        classes,
        ViewPolicy(horizontal_flip=True, color_jitter=inputs.shape[1] == 3),
        Split(train, train_labels),
        Split(test, test_labels),
        f"your own images in {folder}",
        unlabelled=torch.cat([train, extra]) if extra_files else None,
    )
    return dataclasses.replace(dataset, name=f"{name}@{dataset.digest[:8]}")


def _class_folders(folder: Path) -> tuple[str, ...]:
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give one that holds a folder per class")
    names = sorted(child.name for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))
    return tuple(name for name in names if name not in _RESERVED)


def _test_files(folder: Path, classes: tuple[str, ...]) -> tuple[list[Path], torch.Tensor]:
    tested = folder / "test"
    if not tested.is_dir():
        return [], torch.empty(0, dtype=torch.int64)
    found = _class_folders(tested)
    if found != classes:
        raise InputError(f"{tested} has the classes {', '.join(found) or 'none'}; it must have {', '.join(classes)}")
    return _labelled(tested, classes, at_least=1)


def _labelled(folder: Path, classes: tuple[str, ...], at_least: int) -> tuple[list[Path], torch.Tensor]:
    files: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        images = _images(folder / name)
        if len(images) < at_least:
            raise InputError(
                f"class folder {folder / name} has {len(images)} images; put at least {at_least} into it "
                f"({' '.join(SUFFIXES)}) or remove it"
            )
        files += images
        labels += [label] * len(images)
    return files, torch.tensor(labels)


def _images(folder: Path) -> list[Path]:
    """Image files in and below a folder, in an order that depends on their names alone; hidden ones are left out."""
    found = [path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()]
    visible = [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    return sorted(visible, key=lambda path: path.relative_to(folder).parts)


def _read(files: list[Path]) -> torch.Tensor:
    """uint8 `(N, 3, 32, 32)`, or `(N, 1, 32, 32)` if every image is grey; decoding releases the interpreter's lock."""
    with ThreadPoolExecutor() as pool:
        images = np.stack(list(pool.map(_read_image, files)))
    inputs = torch.from_numpy(images).permute(0, 3, 1, 2)  # (N, H, W, 3) -> (N, 3, H, W)
    grey = bool((inputs == inputs[:, :1]).all())
    return inputs[:, :1].contiguous() if grey else inputs.contiguous()


def _read_image(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as image:
            image.draft("RGB", (4 * SIDE, 4 * SIDE))  # decodes large JPEG files at a fraction of their size
            upright = ImageOps.exif_transpose(image)
            return np.asarray(_opaque(upright).resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    except UnidentifiedImageError as error:
        raise InputError(f"cannot read image {path}: it is damaged or no image; repair or remove it") from error
    except (*_TROUBLE, Image.DecompressionBombError) as error:
        raise InputError(f"cannot read image {path}: {one_line(error)}; repair or remove it") from error


def _opaque(image: Image.Image) -> Image.Image:
    """The image in RGB: 16-bit grey cut to its upper 8 bits, transparency on white."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise ValueError(f"its pixels are {'32-bit integers' if image.mode == 'I' else 'floating point'}; save 8 bits")
    if image.has_transparency_data:
        colours = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", colours.size, "white"), colours)
    return image.convert("RGB")
