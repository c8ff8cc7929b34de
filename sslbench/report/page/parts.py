"""What chapters of the page are made of: text, figures, pictures, and sheets made of the lines of frames."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sslbench.report.page.charts import Figure
from sslbench.report.tables.sheet import Sheet, text_sheet
from sslbench.report.words.numbers import NOT_RUN, percent
from sslbench.report.words.wording import origin_title

Line = dict[Any, Any]  # of a frame, by column
Say = Callable[[Line], str]
Column = tuple[str, Say]


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
    sheets: tuple[Sheet, ...] = ()
    pictures: tuple[Picture, ...] = ()


def sheet_of(frame: pd.DataFrame, columns: Sequence[Column], names: int, title: str = "", *notes: str) -> Sheet:
    """A row per line of the frame; a dataset or encoder that is the same on every line is left out."""
    lines = frame.to_dict("records")
    kept = [
        (at, name, say)
        for at, (name, say) in enumerate(columns)
        if name not in ("dataset", "encoder") or len({say(line) for line in lines}) > 1
    ]
    rows = [[say(line) for _, _, say in kept] for line in lines]
    return text_sheet(
        title, [name for _, name, _ in kept], rows, sum(at < names for at, _, _ in kept), filter(None, notes)
    )


def by_fraction(frame: pd.DataFrame, names: Sequence[Column], say: Say, title: str = "", *notes: str) -> Sheet:
    """A column per label fraction, a row per combination of names; what was not run is said to be so."""
    found: dict[tuple[str, ...], dict[float, str]] = {}
    first: dict[tuple[str, ...], Line] = {}
    for line in frame.to_dict("records"):
        key = tuple(name(line) for _, name in names)
        first.setdefault(key, line)
        found.setdefault(key, {})[line["label_fraction"]] = say(line)

    def at(fraction: float) -> Say:
        return lambda line: found[tuple(name(line) for _, name in names)].get(fraction, NOT_RUN)

    columns = [(percent(fraction), at(fraction)) for fraction in sorted(set(frame["label_fraction"]))]
    return sheet_of(pd.DataFrame(first.values()), [*names, *columns], len(names), title, *notes)


def said(column: str) -> Say:
    """The value as it is."""
    return lambda line: str(line[column])


#: Columns that say where; they are left out where they say the same on every line.
PLACE: tuple[Column, ...] = (("dataset", said("dataset")), ("encoder", said("encoder")))


def pretext_of(line: Line) -> str:
    """`simclr`, or `simclr from digits` where it was pretrained elsewhere."""
    return line["pretext"] + origin_title(line["dataset"], line["pretrain_dataset"]).removeprefix(line["dataset"])


def _labels(line: Line) -> str:
    return "all" if math.isnan(line["label_fraction"]) else percent(line["label_fraction"])


#: The label fraction; `all` for a line about all of them.
LABELS: Column = ("labels", _labels)


def places(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The lines of every dataset and encoder, with a prefix that names it, empty if there is one."""
    parts = list(frame.groupby(["dataset", "encoder"], sort=True))
    return [(f"{dataset}, {encoder}: " if len(parts) > 1 else "", part) for (dataset, encoder), part in parts]
