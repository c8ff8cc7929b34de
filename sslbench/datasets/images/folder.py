"""A person's own images, one folder per class."""

from __future__ import annotations

import dataclasses
import re
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from sslbench.contract.spec import InputError, ViewPolicy
from sslbench.datasets._base import Dataset, Split, image_dataset
from sslbench.datasets._files import said
from sslbench.datasets._split import hold_out, mixed

#: Height and width of every image after loading.
SIDE = 32

#: Share of each class that is tested where there is no test folder.
TEST_SHARE = 0.2

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")

#: Folders that are never a class, in both spellings.
UNLABELLED = ("unlabeled", "unlabelled")

#: What Pillow's readers raise on damaged files.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error)


@dataclasses.dataclass(frozen=True)
class _Files:
    """Image files and their labels, int64 `(N,)`."""

    paths: list[Path]
    labels: torch.Tensor


def load_folder(path: Path) -> Dataset:
    """Your own images: PATH/<class>/*.png, or PATH/train/<class> and PATH/test/<class>; PATH/unlabeled is optional.

    A folder's images may lie at any depth below it; hidden files are left out. `train` and `test` hold classes if they
    have folders inside, else they are classes themselves. Without a test folder 20% of each class, at least one image,
    is held out, the same ones whenever the files have the same names. Images of the unlabelled folder are for pretexts
    alone.

    Each image is turned upright, resized until its shorter side has 32 pixels, and cropped to the middle 32x32;
    transparency becomes white, an animation its first picture. If all are grey they have one channel, else three.
    Views flip, as photographs allow. The dataset is named after the folder and its content, so two folders of one
    name keep their records apart.

    Raises:
        InputError: fewer than two classes, fewer than two images of a class, a test folder of other classes, or an
            image that cannot be read.
    """
    folder = path.expanduser()
    train_files, test_files, extra = _find(folder)
    tested = test_files.paths if test_files else []
    inputs = _read([*train_files.paths, *tested, *extra])
    first, second = len(train_files.paths), len(train_files.paths) + len(tested)
    train = Split(inputs[:first], train_files.labels)
    train, test = (train, Split(inputs[first:second], test_files.labels)) if test_files else _held_out(train)
    train, test = _mixed(train, "train"), _mixed(test, "test")
    more = torch.cat([train.inputs, inputs[second:]]) if extra else None
    name = f"folder:{_name(folder)}"
    dataset = image_dataset(
        name,
        _classes(_training(folder)),
        ViewPolicy(horizontal_flip=True, color_jitter=inputs.shape[1] == 3),
        train,
        test,
        "a folder of images",
        unlabelled=None if more is None else more[mixed(len(more), "folder unlabelled")],
    )
    return dataclasses.replace(dataset, name=f"{name}@{dataset.digest[:8]}")


def _name(folder: Path) -> str:
    """The folder's own name without anything that means something in paths, tables or terminals."""
    return re.sub(r"[^\w.-]+", "-", folder.resolve().name) or "root"


def _held_out(whole: Split) -> tuple[Split, Split]:
    """Train and test part of what came without a test folder."""
    kept, held = hold_out(whole.labels, TEST_SHARE, "folder")
    return Split(whole.inputs[kept], whole.labels[kept]), Split(whole.inputs[held], whole.labels[held])


def _mixed(split: Split, part: str) -> Split:
    order = mixed(len(split.labels), f"folder {part}")
    return Split(split.inputs[order], split.labels[order])


def _find(folder: Path) -> tuple[_Files, _Files | None, list[Path]]:
    """Labelled training files, labelled test files if there is a test folder, and unlabelled files.

    Raises:
        InputError: the folder cannot be read, or does not hold what it should.
    """
    try:
        training = _training(folder)
        classes = _classes(training)
        if len(classes) < 2:
            found = f"only the class folder {classes[0]}" if classes else "no class folders"
            raise InputError(f"{training} has {found}; give a folder of at least two class folders with images")
        train = _labelled(training, classes, at_least=2)
        test = None
        if _holds_classes(folder / "test"):
            tested = _classes(folder / "test")
            if tested != classes:
                wanted, given = ", ".join(classes), ", ".join(tested)
                raise InputError(f"{folder / 'test'} has the classes {given}; it must have {wanted}")
            test = _labelled(folder / "test", classes, at_least=1)
        return train, test, [file for name in UNLABELLED for file in _images(folder / name)]
    except OSError as error:
        raise InputError(f"cannot read folder {error.filename or folder}: {error.strerror or error}") from error


def _training(folder: Path) -> Path:
    return folder / "train" if _holds_classes(folder / "train") else folder


def _holds_classes(folder: Path) -> bool:
    """Whether there are folders inside; a `train` or `test` without any is a class of that name."""
    return folder.is_dir() and any(child.is_dir() and not child.name.startswith(".") for child in folder.iterdir())


def _classes(folder: Path) -> tuple[str, ...]:
    names = sorted(child.name for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))
    return tuple(
        name for name in names if name not in UNLABELLED and not (name == "test" and _holds_classes(folder / name))
    )


def _labelled(folder: Path, classes: tuple[str, ...], at_least: int) -> _Files:
    paths: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        images = _images(folder / name)
        if len(images) < at_least:
            raise InputError(
                f"class folder {folder / name} has {len(images)} images; put at least {at_least} into it "
                f"({' '.join(SUFFIXES)}) or remove it"
            )
        paths += images
        labels += [label] * len(images)
    return _Files(paths, torch.tensor(labels))


def _images(folder: Path) -> list[Path]:
    """Image files in and below a folder, in an order that depends on nothing but their names."""
    found = [path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()]
    shown = [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    return sorted(shown, key=lambda path: path.relative_to(folder).parts)


def _read(paths: list[Path]) -> torch.Tensor:
    """uint8 `(N, 3, 32, 32)`, or `(N, 1, 32, 32)` if every image is grey."""
    with ThreadPoolExecutor() as pool:  # threads pay: Pillow lets go of the interpreter while it decodes
        images = np.stack(list(pool.map(_read_image, paths)))
    inputs = torch.from_numpy(images).permute(0, 3, 1, 2)  # (N, H, W, C) -> (N, C, H, W)
    grey = bool((inputs == inputs[:, :1]).all())
    return (inputs[:, :1] if grey else inputs).contiguous()


def _read_image(path: Path) -> np.ndarray:
    """uint8 `(32, 32, 3)`."""
    try:
        with Image.open(path) as image:
            image.draft(None, (4 * SIDE, 4 * SIDE))  # a large JPEG need not be decoded in full
            colours = _opaque(ImageOps.exif_transpose(image))
        return np.asarray(ImageOps.fit(colours, (SIDE, SIDE), Image.Resampling.BILINEAR))
    except (*_DAMAGE, Image.DecompressionBombError) as error:
        raise InputError(f"cannot read image {path} ({said(error)}); repair or remove it") from error


def _opaque(image: Image.Image) -> Image.Image:
    """The image in RGB: of 16-bit grey the upper 8 bits, transparency on white."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise ValueError("its pixels have 32 bits; save it with 8 bits per channel")
    if image.has_transparency_data:
        colours = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", colours.size, "white"), colours)
    return image.convert("RGB")
