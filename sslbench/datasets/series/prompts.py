"""Asterisk's telephone prompts: hours of clear speech in five languages, for pretraining."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from sslbench.datasets._acquire import Unavailable, content_digest, first_of, from_debian, installed
from sslbench.datasets._base import Dataset, Split, assembled
from sslbench.datasets._kept import keep, read_kept
from sslbench.datasets._split import hold_out, mixed
from sslbench.datasets.series._sound import STEPS, VIEWS, log_mel, read_sound, seconds

NAME = "prompts"
LANGUAGES = ("en", "es", "fr", "it", "ru")
PACKAGES = tuple(f"asterisk-core-sounds-{language}-wav" for language in LANGUAGES)
FOLDER = "/usr/share/asterisk/sounds"
HOME = "https://packages.debian.org/source/bookworm/asterisk-core-sounds"

#: SHA-256 of the recordings' names and bytes, silences left out.
DIGEST = "6e23c51cbe9d8185be5d1e24c9609752d6e88db28eeb660f8a3f8843e5e755b3"

#: Share of the recordings of each language that is tested.
TEST_SHARE = 0.2

#: In the data folder: what was made of the recordings, which changes with the loader.
KEPT = "prompts-2.safetensors"


def load_prompts(root: Path) -> Dataset:
    """Telephone prompts: 6,088 + 1,623 seconds of speech in five languages as log-mel spectrograms.

    Asterisk's core sounds 1.6.1 as Debian packs them; CC BY-SA 3.0. Every second in which something is heard, split by
    recording; the label is the language. One voice speaks each, so what tells languages apart is also what tells voices
    apart: a source of unlabelled speech more than a task. Read from the installed packages, else fetched by apt-get
    (98 MB); what was made of them is kept in the data folder.

    Raises:
        InputError: the packages are not to be had or other than known, or the data folder cannot be written.
    """
    path = root / NAME / KEPT
    kept = read_kept(path, {"recordings": DIGEST})
    if kept is None:
        made: dict[str, torch.Tensor] = {}

        def use(folder: Path) -> None:
            made.update(_windows(_recordings(folder)))

        first_of(NAME, (installed(", ".join(PACKAGES), FOLDER), from_debian(*PACKAGES, inside=FOLDER)), root, use)
        kept = made, {"recordings": DIGEST}
        keep(path, *kept)
    tensors, splits = kept[0], []
    for split in ("train", "test"):
        inputs, labels = tensors[f"{split}_inputs"].float() / STEPS, tensors[f"{split}_labels"]
        order = mixed(len(labels), f"{NAME} {split}")
        splits.append(Split(inputs[order].contiguous(), labels[order]))
    return assembled(NAME, "series", LANGUAGES, VIEWS, splits[0], splits[1], HOME)


def _recordings(folder: Path) -> dict[str, bytes]:
    """WAV files by name, `en/hello-world.wav`, without recordings of silence.

    Raises:
        Unavailable: they are not those that are known.
    """
    found: dict[str, bytes] = {}
    for language in LANGUAGES:
        for path in sorted(folder.glob(f"{language}*/**/*.wav")):
            name = f"{language}/{path.relative_to(folder).as_posix().partition('/')[2]}"
            if "silence" not in path.parts:
                found[name] = path.read_bytes()
    if content_digest(found) != DIGEST:
        raise Unavailable(f"the SHA-256 of its {len(found):,} recordings differs")
    return found


def _windows(recordings: Mapping[str, bytes]) -> dict[str, torch.Tensor]:
    """Spectrograms int8 and languages of every second, by split."""
    names = sorted(recordings)
    languages = torch.tensor([LANGUAGES.index(name.split("/")[0]) for name in names])
    tensors: dict[str, torch.Tensor] = {}
    for split, chosen in zip(("train", "test"), hold_out(languages, TEST_SHARE, NAME), strict=True):
        values, labels = [], []
        for place in chosen.tolist():
            for second in seconds(read_sound(recordings[names[place]], names[place])):
                values.append(torch.from_numpy(log_mel(second)))
                labels.append(int(languages[place]))
        tensors |= {f"{split}_inputs": torch.stack(values), f"{split}_labels": torch.tensor(labels)}
    return tensors
