"""The page's small tables: lines of a frame, each column said by one function."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sslbench.report.page.charts import Figure
from sslbench.report.tables.markdown import NOT_RUN, percent

Frame = dict[Any, Any]  # one line of a frame, by column
Column = tuple[str, Callable[[Frame], str]]


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
class Picture:
    """A PNG as the page embeds it."""

    title: str
    alt: str
    width: int
    height: int
    data: str


@dataclass(frozen=True)
class Part:
    """Something the page shows under a heading of its own; what it lacks it leaves out."""

    anchor: str
    title: str
    text: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Grid, ...] = ()
    pictures: tuple[Picture, ...] = field(default=())


def grid(frame: pd.DataFrame, columns: Sequence[Column], names: int, title: str = "", caption: str = "") -> Grid:
    """A row per line of the frame."""
    rows = tuple(tuple(say(line) for _, say in columns) for line in frame.to_dict("records"))
    return Grid(tuple(name for name, _ in columns), rows, names, title, caption).compact()


def by_fraction(
    frame: pd.DataFrame, names: Sequence[Column], say: Callable[[Frame], str], title: str = "", caption: str = ""
) -> Grid:
    """A column per label fraction, a row per combination of names; what was not run is said to be so."""
    fractions = sorted(set(frame["label_fraction"]))
    cells: dict[tuple[str, ...], dict[float, str]] = {}
    for line in frame.to_dict("records"):
        cells.setdefault(tuple(name(line) for _, name in names), {})[line["label_fraction"]] = say(line)
    rows = tuple((*key, *(found.get(fraction, NOT_RUN) for fraction in fractions)) for key, found in cells.items())
    columns = (*(name for name, _ in names), *(percent(fraction) for fraction in fractions))
    return Grid(columns, rows, len(names), title, caption).compact()


def said(column: str) -> Callable[[Frame], str]:
    """The value as it is."""
    return lambda line: str(line[column])


def pretext_of(line: Frame) -> str:
    """`simclr`, or `simclr from digits` where it was pretrained elsewhere."""
    origin = line["pretrain_dataset"]
    return line["pretext"] if origin in ("", line["dataset"]) else f"{line['pretext']} from {origin}"


def labels_of(line: Frame) -> str:
    """The label fraction; `all` for a line about all of them."""
    fraction = line["label_fraction"]
    return percent(fraction) if not math.isnan(fraction) else "all"


def places(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The lines of every dataset and encoder, with a prefix that names it, empty if there is one."""
    parts = list(frame.groupby(["dataset", "encoder"], sort=True))
    return [(f"{dataset}, {encoder}: " if len(parts) > 1 else "", part) for (dataset, encoder), part in parts]
