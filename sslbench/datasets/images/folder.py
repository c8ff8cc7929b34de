"""A person's own images, one folder per class."""

from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from sslbench.contract.spec import InputError, ViewPolicy
from sslbench.datasets._base import Dataset, Split, image_dataset
from sslbench.datasets._files import said
from sslbench.datasets._folders import Kind, apart, folder_dataset

#: Height and width of every image after loading.
SIDE = 32

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")

#: What Pillow's readers raise on damaged files.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error)


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
    return folder_dataset(path, Kind("folder", "images", SUFFIXES), _read, _assembled)


def _assembled(
    name: str, classes: tuple[str, ...], train: Split, test: Split, unlabelled: torch.Tensor | None
) -> Dataset:
    views = ViewPolicy(horizontal_flip=True, color_jitter=train.inputs.shape[1] == 3)
    return image_dataset(name, classes, views, train, test, "a folder of images", unlabelled)


def _read(
    train: list[Path], test: list[Path], extra: list[Path]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """uint8 `(N, 3, 32, 32)`, or `(N, 1, 32, 32)` if every image is grey."""
    paths = [*train, *test, *extra]
    with ThreadPoolExecutor() as pool:  # threads pay: Pillow lets go of the interpreter while it decodes
        images = np.stack(list(pool.map(_read_image, paths)))
    inputs = torch.from_numpy(images).permute(0, 3, 1, 2)  # (N, H, W, C) -> (N, C, H, W)
    grey = bool((inputs == inputs[:, :1]).all())
    return apart((inputs[:, :1] if grey else inputs).contiguous(), train, test, extra)


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
