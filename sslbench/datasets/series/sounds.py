"""A person's own recordings, one folder per class."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from sslbench.contract.errors import InputError
from sslbench.datasets._base import Dataset, Split, assembled
from sslbench.datasets._folders import Kind, apart, folder_dataset
from sslbench.datasets.series._sound import VIEWS, centred, log_mel, read_sound, stacked

SUFFIXES = (".wav", ".flac", ".ogg")


def load_sounds(path: Path) -> Dataset:
    """Your own recordings: PATH/<class>/*.wav, or PATH/train/<class> and PATH/test/<class>; PATH/unlabeled is optional.

    Of each the middle second, at 8 kHz and with its channels mixed, as a log-mel spectrogram; a shorter one stands in
    silence. Where no test folder is, 20% of each class are held out.

    Raises:
        InputError: as `folder_dataset`.
    """
    return folder_dataset(path, Kind("sounds", "recordings", SUFFIXES), _read, _assembled)


def _assembled(
    name: str, classes: tuple[str, ...], train: Split, test: Split, unlabelled: torch.Tensor | None
) -> Dataset:
    return assembled(name, "series", classes, VIEWS, train, test, "a folder of recordings", unlabelled)


def _read(
    train: list[Path], test: list[Path], extra: list[Path]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """`(N, 40, 63)` of each."""
    with ThreadPoolExecutor() as pool:
        return apart(stacked(pool.map(_spectrogram, [*train, *test, *extra])), train, test, extra)


def _spectrogram(path: Path) -> NDArray[np.int8]:
    sound = read_sound(path.read_bytes(), str(path))
    if not len(sound):
        raise InputError(f"{path} holds no sound; remove it")
    return log_mel(centred(sound))
