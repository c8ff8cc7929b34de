"""Pictures beside the numbers: handed over by whoever can read them, kept as files so that a rebuild has them too."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from sslbench.contract.files import replace_file
from sslbench.report.records import pretext_rank

FOLDER = "pictures"

#: Pictures are published and embedded: width in pixels and number of colours that still show all there is to see.
WIDTH, COLORS = 900, 48

_NAMED = re.compile(
    r"(?P<dataset>.+)-(?P<encoder>\w+)-(?P<pretext>\w+)-d(?P<latent_dim>\d+)-s(?P<seed>\d+)-(?P<subject>\w+)"
)


@dataclass(frozen=True)
class Exhibit:
    """One picture a pretraining left; `subject` is its own name, e.g. `map` or `reconstructions`."""

    dataset: str
    encoder: str
    pretext: str
    latent_dim: int
    seed: int
    subject: str
    png: bytes

    @property
    def place(self) -> str:
        """The dataset's name, with `_` for what a file name cannot hold."""
        return re.sub(r"[^\w.]", "_", self.dataset)

    @property
    def filename(self) -> str:
        """E.g. `digits-conv-simclr-d128-s0-map.png`."""
        return f"{self.place}-{self.encoder}-{self.pretext}-d{self.latent_dim}-s{self.seed}-{self.subject}.png"


def write_exhibits(exhibits: Sequence[Exhibit], destination: Path) -> list[Path]:
    """Write the pictures into their folder in `destination`; pictures of before that are not among them are removed."""
    folder = destination / FOLDER
    written = [replace_file(folder / exhibit.filename, exhibit.png) for exhibit in in_order(exhibits)]
    for path in sorted(folder.glob("*.png")):
        if path not in written:
            path.unlink()
    return written


def read_exhibits(destination: Path) -> tuple[Exhibit, ...]:
    """The pictures `write_exhibits` left in a results folder; files of other names are none."""
    found = []
    for path in sorted((destination / FOLDER).glob("*.png")):
        match = _NAMED.fullmatch(path.stem)
        if match:
            dataset, encoder, pretext, size, seed, subject = match.groups()
            found.append(Exhibit(dataset, encoder, pretext, int(size), int(seed), subject, path.read_bytes()))
    return in_order(found)


def in_order(exhibits: Sequence[Exhibit]) -> tuple[Exhibit, ...]:
    """Pictures in the order of the page: dataset, then as the tables order pretexts."""
    return tuple(sorted(exhibits, key=_place_on_page))


def _place_on_page(one: Exhibit) -> tuple[object, ...]:
    return one.place, one.encoder, pretext_rank(one.pretext), one.latent_dim, one.seed, one.subject


def shrink(png: bytes) -> bytes:
    """A picture at most `WIDTH` pixels wide, in `COLORS` colours: a fifth of the bytes for the same look.

    One that is so already, taken from what was published, stays as it is.
    """
    with Image.open(io.BytesIO(png)) as opened:
        if opened.mode == "P" and opened.width <= WIDTH:
            return png
        image = opened.convert("RGB")
    if image.width > WIDTH:
        image = image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS)
    small = io.BytesIO()
    image.quantize(COLORS, dither=Image.Dither.NONE).save(small, format="png", optimize=True)
    return small.getvalue()
