"""One table behind every writer: Markdown, LaTeX, the terminal, the page, and comparisons of results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import pandas as pd

from sslbench.contract.spec import BASELINES
from sslbench.contract.titles import RAW, protocol_rank
from sslbench.report.records import pretext_rank
from sslbench.report.scores.layout import Block, Layout
from sslbench.report.scores.measures import ENCODER, SHOWN, mean_measures
from sslbench.report.scores.rows import Run
from sslbench.report.statistics.compute import costs
from sslbench.report.statistics.image_noise import accuracy_of, block_noise
from sslbench.report.statistics.summary import Cell, Cells, cells_of
from sslbench.report.words.numbers import NOT_RUN, accuracy, count, flops, percent, points, three_digits
from sslbench.report.words.reading import (
    CEILING,
    COLLAPSED,
    INCOMPLETE,
    MARKS,
    STALE,
    TEST_INPUTS,
    TEST_INPUTS_MISSING,
    legend,
)
from sslbench.report.words.wording import column_title, table_title


class State(StrEnum):
    """What a cell is, where it is more than a number or a name."""

    PLAIN = ""
    NOT_RUN = "not run"
    FAILED = "failed"
    OUTSIDE = "outside"
    CHANGED = "changed"


class Mark(NamedTuple):
    """A sign behind a cell's text, and what it says when it is pointed at; without a sign it only says so."""

    sign: str
    words: str


@dataclass(frozen=True)
class Entry:
    """What stands in one place of a sheet.

    Attributes:
        text: e.g. `76.3 ± 0.4`, `simclr`, or `–`.
        difference: to `supervised`, e.g. `+3.1`; empty without one.
        marks: incomplete, stale, collapsed; or the reasons of what is not there.
        cell: the estimates behind the text; None if it is not an accuracy of this suite.
        runs: the MLflow runs behind the number.
    """

    text: str
    difference: str = ""
    bold: bool = False
    marks: tuple[Mark, ...] = ()
    state: State = State.PLAIN
    cell: Cell | None = None
    runs: tuple[Run, ...] = ()

    @property
    def marked(self) -> str:
        """The text with the signs of its marks."""
        return " ".join([self.text, *(mark.sign for mark in self.marks if mark.sign)])


@dataclass(frozen=True)
class Sheet:
    """A table.

    Attributes:
        title: what it is of, within its place; `place` is the dataset and encoder, empty where it goes
            without saying.
        headings: of the columns.
        short: headings for narrow screens.
        names: how many columns are names, which stand to the left; the others hold numbers.
        ruled: a line is drawn under so many rows; 0 for none.
        notes: what stands under it, e.g. the ceiling.
        block: the scores it shows, if it is a table of accuracy.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]
    short: tuple[str, ...] = ()
    place: str = ""
    names: int = 1
    ruled: int = 0
    notes: tuple[str, ...] = ()
    block: Block | None = None


@dataclass(frozen=True)
class Tables:
    """Everything a report shows in tables of `table.md`, ready for any writer.

    Attributes:
        accuracy: a sheet per block of the layout, in its order.
        reading: paragraphs on how to read them.
        measures: without labels; None if there are none.
        others: scores of others on the same datasets, a sheet each.
    """

    layout: Layout
    accuracy: tuple[Sheet, ...]
    reading: tuple[str, ...]
    measures: Sheet | None
    costs: Sheet
    others: tuple[Sheet, ...] = ()


def tables_of(layout: Layout) -> Tables:
    """The tables of a layout; equal records give equal tables."""
    cells = [cells_of(block) for block in layout.blocks]
    sheets = tuple(accuracy_sheet(layout, block, found) for block, found in zip(layout.blocks, cells, strict=True))
    return Tables(layout, sheets, tuple(legend(layout, cells)), measure_sheet(layout), cost_sheet(layout))


def text_sheet(
    title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], names: int = 1, notes: Iterable[str] = ()
) -> Sheet:
    """A sheet of words and numbers that are ready."""
    entries = tuple(tuple(map(Entry, row)) for row in rows)
    return Sheet(title, tuple(headings), entries, names=names, notes=tuple(notes))


def accuracy_sheet(layout: Layout, block: Block, cells: Cells) -> Sheet:
    """The table of one block: a row per pretext, a column per label fraction, baselines above the line."""
    rows = tuple(
        (_name(layout, block, row), *(_entry(layout, block, cells, row, fraction) for fraction in block.fractions))
        for row in block.rows
    )
    above = sum(row in BASELINES for row in block.rows) if "supervised" in block.rows else 0
    return Sheet(
        title=table_title(block.protocol, block.latent_dim),
        headings=("", *(column_title(block, fraction) for fraction in block.fractions)),
        rows=rows,
        short=("", *map(percent, block.fractions)),
        place=block.place,
        ruled=above if above < len(rows) else 0,
        notes=tuple(_notes(block)),
        block=block,
    )


def _notes(block: Block) -> Iterator[str]:
    """The ceiling, and what a test set of this size adds to the intervals, where answers are stored."""
    if block.ceiling:
        yield f"{CEILING}: {accuracy(accuracy_of(block.lines['supervised'], 1.0))}"
    noise = [half_width for half_width in block_noise(block).values() if half_width]
    if noise:
        ends = dict.fromkeys(points(end) for end in (min(noise), max(noise)))
        missing = "" if all(row.answered for row in block.lines.values()) else TEST_INPUTS_MISSING
        yield f"{TEST_INPUTS}: ± {' to '.join(ends)} points{missing}"


def _name(layout: Layout, block: Block, row: str) -> Entry:
    collapsed = (block.pretrain_dataset, block.encoder, row, block.latent_dim) in layout.collapsed
    return Entry(row, marks=(_mark(COLLAPSED),) if collapsed else ())


def _entry(layout: Layout, block: Block, cells: Cells, row: str, fraction: float) -> Entry:
    cell, runs = cells.get((row, fraction)), block.runs(row, fraction)
    reasons = "; ".join(f"seed {one.seed} failed: {one.reason}" for one in layout.failures(block, row, fraction))
    if cell is None:
        state = State.FAILED if reasons else State.NOT_RUN
        return Entry(NOT_RUN, marks=(Mark("", reasons or "missing: not run"),), state=state)
    incomplete = () if cell.complete else (_mark(INCOMPLETE, reasons),)
    stale = (_mark(STALE),) if any(run.cell_id in layout.stale for run in runs) else ()
    difference = points(cell.difference.mean, signed=True) if cell.difference else ""
    return Entry(accuracy(cell.accuracy), difference, cell.best_tied, (*incomplete, *stale), State.PLAIN, cell, runs)


def _mark(sign: str, reasons: str = "") -> Mark:
    return Mark(sign, "; ".join([MARKS[sign], reasons] if reasons else [MARKS[sign]]))


def measure_sheet(layout: Layout) -> Sheet | None:
    """The label-free measures of every encoder, means over seeds; None if there are none."""
    measures = mean_measures(layout.records)
    axes = ["dataset", "encoder"] * _several(measures)
    rows = {}
    for key, group in measures.groupby(ENCODER, sort=True):
        dataset, encoder, size, pretext = str(key[0]), str(key[1]), int(str(key[2])), str(key[3])
        values = dict(zip(group["measure"], group["value"], strict=True))
        collapsed = layout.collapsed.get((dataset, encoder, pretext, size), 0)
        said = f"{collapsed} of {group['seeds'].max()} seeds {COLLAPSED}" if collapsed else "no"
        shown = [f"{values[name]:.{digits}f}" if name in values else NOT_RUN for name, _, digits in SHOWN]
        where = [dataset, encoder] if axes else []
        rows[dataset, encoder, size, pretext_rank(pretext)] = [*where, pretext, str(size), *shown, said]
    headings = (*axes, "pretext", "latent size", *(title for _, title, _ in SHOWN), "collapsed")
    lines = [rows[key] for key in sorted(rows)]
    return text_sheet("Measures without labels", headings, lines, names=len(axes) + 1) if rows else None


def _several(lines: pd.DataFrame) -> bool:
    """Whether lines of more than one dataset or encoder stand together, so that each must name its own."""
    return lines["dataset"].nunique() > 1 or len(set(lines["encoder"]) - {RAW}) > 1


def cost_sheet(layout: Layout) -> Sheet:
    """One ledger for all tables; the protocols' columns are those that were run."""
    entries = costs(layout.every)
    protocols = sorted(set(layout.every["protocol"]), key=protocol_rank)
    origins = entries.loc[entries["pretrain_dataset"] != "", ["pretrain_dataset", "dataset"]]
    transfer = bool((origins["pretrain_dataset"] != origins["dataset"]).any())
    several = _several(entries)
    axes = ["dataset", "encoder"] * several + ["pretrained on"] * transfer
    headings = ["pretext", "latent size", "pretraining s", "epochs", "steps", "samples", "compute", "parameters"]
    headings += [f"{protocol} s" for protocol in protocols]
    rows = []
    for entry in entries.to_dict("records"):
        where = [entry["dataset"], entry["encoder"]] * several + [entry["pretrain_dataset"] or NOT_RUN] * transfer
        pretraining = [three_digits(entry["pretrain_seconds"]), three_digits(entry["pretrain_epochs"])]
        pretraining += [count(entry["pretrain_steps"]), count(entry["pretrain_samples"])]
        pretraining += [flops(entry["pretrain_flops"]), count(entry["parameters"])]
        evaluating = [three_digits(entry[protocol]) for protocol in protocols]
        rows.append([*where, entry["pretext"], str(entry["latent_dim"]), *pretraining, *evaluating])
    return text_sheet("Cost", [*axes, *headings], rows, names=len(axes) + 1)
