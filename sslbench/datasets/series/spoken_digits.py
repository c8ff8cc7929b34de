"""The Free Spoken Digit Dataset: six people say the digits."""

from __future__ import annotations

import io
import re
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from sslbench.contract.identity import named_seed
from sslbench.datasets._acquire import Archive, content_digest, from_address, obtain
from sslbench.datasets._base import Dataset, Split, assembled
from sslbench.datasets._split import mixed
from sslbench.datasets.series._sound import VIEWS, Floats, centred, log_mel, read_sound, stacked, waveform

REPOSITORY = "https://github.com/Jakobovski/free-spoken-digit-dataset"
COMMIT = "26eb9aa"
ARCHIVE = "free-spoken-digit-dataset.tar.gz"
DIGITS = tuple("0123456789")

#: SHA-256 of the recordings' names and bytes, however they are packed.
DIGEST = "0cc11c99bad24a58d32ff6a470e690b1c657c06ef3c2294a616d123b93961de2"

#: Recordings `<digit>_<speaker>_<index>.wav` of these indices are tested, as the repository asks.
TESTED = range(5)

#: Speakers that are held out where the split is by speaker.
HELD_OUT = 2

_RECORDING = re.compile(r"(?:.*/)?recordings/([0-9]_[a-z]+_[0-9]+)\.wav")


def load_spoken_digits(root: Path) -> Dataset:
    """Spoken digits: 2,700 + 300 recordings of six people as log-mel spectrograms; other recordings of them are tested.

    Jackson et al. 2018, the Free Spoken Digit Dataset, doi:10.5281/zenodo.1342401; CC BY-SA 4.0. One second at 8 kHz
    with the recording in its middle. The archive is looked for in the data folder, then downloaded from GitHub.

    Raises:
        InputError: the archive is damaged or not to be had, or the data folder cannot be written.
    """
    return _loaded("spoken_digits", root, _by_recording, log_mel)


def load_spoken_digits_speakers(root: Path) -> Dataset:
    """Spoken digits by speaker: 2,000 + 1,000 recordings as log-mel spectrograms; two of six people are only tested.

    Raises:
        InputError: as `load_spoken_digits`.
    """
    return _loaded("spoken_digits_speakers", root, _by_speaker, log_mel)


def load_spoken_digits_waveform(root: Path) -> Dataset:
    """Spoken digits as waveforms: 2,700 + 300 recordings of six people, 8,000 samples each.

    Raises:
        InputError: as `load_spoken_digits`.
    """
    return _loaded("spoken_digits_waveform", root, _by_recording, waveform)


def _by_recording(names: list[str]) -> list[bool]:
    """Which recordings are tested."""
    return [int(name.split("_")[2]) in TESTED for name in names]


def _by_speaker(names: list[str]) -> list[bool]:
    """Those of two speakers, whom a hash of their names chose."""
    speakers = {name.split("_")[1] for name in names}
    tested = sorted(speakers, key=lambda speaker: named_seed("test speakers", "spoken_digits", speaker))[:HELD_OUT]
    return [name.split("_")[1] in tested for name in names]


def _loaded(
    dataset: str, root: Path, tested: Callable[[list[str]], list[bool]], shown: Callable[[Floats], NDArray[np.int8]]
) -> Dataset:
    recordings = unpack(obtain("spoken_digits", archive(), root).read_bytes())
    names = sorted(recordings)
    names = [names[place] for place in mixed(len(names), "spoken_digits").tolist()]
    test = torch.tensor(tested(names))
    inputs = stacked(shown(centred(read_sound(recordings[name], f"{name}.wav"))) for name in names)
    labels = torch.tensor([int(name[0]) for name in names])
    splits = [Split(inputs[part].contiguous(), labels[part]) for part in (~test, test)]
    return assembled(dataset, "series", DIGITS, VIEWS, splits[0], splits[1], f"{REPOSITORY}/tree/{COMMIT}")


def archive() -> Archive:
    """The repository, packed by GitHub whenever it is asked for, or its recordings packed by anyone."""
    return Archive(ARCHIVE, _why_not, (from_address(f"{REPOSITORY}/archive/{COMMIT}.tar.gz"),))


def _why_not(content: bytes) -> str:
    try:
        recordings = unpack(content)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        return f"damaged: {error}"
    return "" if content_digest(recordings) == DIGEST else "the SHA-256 of its recordings differs"


def unpack(content: bytes) -> dict[str, bytes]:
    """WAV files by name, `0_george_0`, of a packed archive; all else in it is left alone."""
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as members:
        for member in members:
            name = _RECORDING.fullmatch(member.name)
            if name and member.isreg() and (file := members.extractfile(member)):
                found[name[1]] = file.read()
    return found
