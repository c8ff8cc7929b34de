"""Sections of the page that follow from the records alone: curves, latent sizes, measures, pictures, cost, machine."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from PIL import Image

from sslbench.contract.titles import RAW
from sslbench.report.attachments.exhibits import Exhibit, in_order
from sslbench.report.page.charts import Figure, curve_figures, latent_figures
from sslbench.report.scores.layout import Block
from sslbench.report.tables.sheet import Sheet, Tables
from sslbench.report.words.reading import COLLAPSED, COSTS, MEASURES


@dataclass(frozen=True)
class Grid:
    """A table of words and numbers: the first `names` columns stand to the left."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: int = 1
    title: str = ""
    caption: str = ""

    def compact(self) -> Grid:
        """Without the columns that say the same dataset or encoder on every line."""
        said = {name: {row[at] for row in self.rows} for at, name in enumerate(self.columns)}
        kept = [at for at, name in enumerate(self.columns) if name not in ("dataset", "encoder") or len(said[name]) > 1]
        rows = tuple(tuple(row[at] for at in kept) for row in self.rows)
        names = sum(at < self.names for at in kept)
        return Grid(tuple(self.columns[at] for at in kept), rows, names, self.title, self.caption)


@dataclass(frozen=True)
class Bars:
    """A table whose last column is drawn as bars: (name, text, share in [0, 1]) each."""

    columns: tuple[str, str]
    rows: tuple[tuple[str, str, float], ...]
    title: str = ""
    caption: str = ""


@dataclass(frozen=True)
class Picture:
    """A PNG as the page embeds it."""

    title: str
    alt: str
    width: int
    height: int
    data: str


@dataclass(frozen=True)
class Section:
    """One part of the page under a heading of its own; what it lacks it leaves out."""

    anchor: str
    title: str
    text: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Grid, ...] = ()
    pictures: tuple[Picture, ...] = ()
    bars: tuple[Bars, ...] = ()


def curve_section(blocks: Sequence[Block]) -> Section:
    """Accuracy against labels, block by block."""
    text = (
        "Accuracy against the share of labels, on a logarithmic axis. Bands are 95% confidence intervals over seeds; "
        "the dotted line is training from scratch on every label. Hover or tap for the numbers; press a name to hide "
        "or show its line everywhere.",
    )
    return Section("curves", "Label-efficiency curves", text, tuple(curve_figures(blocks)))


def latent_section(blocks: Sequence[Block]) -> Section | None:
    """Accuracy against the latent size, if several were run."""
    figures = latent_figures(blocks)
    if not figures:
        return None
    text = ("How much the size of the representation matters, at one share of the labels at a time.",)
    return Section("latent", "Latent size", text, tuple(figures))


def measure_section(
    sheet: Sheet | None, figures: Sequence[Figure] = (), correlations: Sequence[Grid] = ()
) -> Section | None:
    """The label-free measures, drawn against accuracy, and how well they predict it."""
    if sheet is None:
        return None
    text = (f"{MEASURES} {COLLAPSED} marks a collapsed representation.",)
    return Section("measures", "Measures without labels", text, tuple(figures), tables=(_grid(sheet), *correlations))


def picture_section(exhibits: Sequence[Exhibit]) -> Section | None:
    """What the encoders learned, to look at."""
    if not exhibits:
        return None
    several = len({(exhibit.place, exhibit.encoder) for exhibit in exhibits if exhibit.encoder != RAW}) > 1
    text = ("Drawn from one encoder each; labels serve the colours of the maps and nothing else.",)
    pictures = tuple(_picture(exhibit, several) for exhibit in in_order(exhibits))
    return Section("pictures", "Pictures", text, pictures=pictures)


def _picture(exhibit: Exhibit, several: bool) -> Picture:
    place = f"{exhibit.place}, {exhibit.encoder}: " if several else ""
    subject = {"map": "map of test inputs (t-SNE)"}.get(exhibit.subject, exhibit.subject.replace("_", " "))
    title = f"{place}{exhibit.pretext}, latent size {exhibit.latent_dim}, seed {exhibit.seed}: {subject}"
    with Image.open(io.BytesIO(exhibit.png)) as image:
        width, height = image.size
    alt = f"Picture: {title}"
    return Picture(title, alt, width, height, base64.b64encode(exhibit.png).decode("ascii"))


def cost_section(tables: Tables, more: Sequence[Grid] = ()) -> Section:
    """The ledger: what was paid for every encoder, for its evaluations, and for choosing settings."""
    return Section("cost", "Cost ledger", (COSTS,), tables=(_grid(tables.costs), *more))


def _grid(sheet: Sheet) -> Grid:
    return Grid(sheet.headings, tuple(tuple(entry.text for entry in row) for row in sheet.rows), names=sheet.names)


def environment_section(environment: Mapping[str, object] | None, records: pd.DataFrame) -> Section:
    """What the numbers were computed on, as `environment.json` says, and what the records themselves say."""
    said = dict(environment or {})
    packages = said.pop("packages", {})
    rows = [
        (name.replace("_gib", ", GiB").replace("_", " "), "unknown" if value is None else str(value))
        for name, value in said.items()
    ]
    if isinstance(packages, Mapping):
        rows += [(str(name), "unknown" if number is None else str(number)) for name, number in packages.items()]
    for column, title in (
        ("git_commit", "commits of the records"),
        ("sslbench_version", "sslbench versions of the records"),
        ("device", "devices of the records"),
    ):
        rows.append((title, ", ".join(sorted({value or "unknown" for value in records[column]}))))
    return Section("environment", "Environment", tables=(Grid(("what", "value"), tuple(rows), names=2),))
