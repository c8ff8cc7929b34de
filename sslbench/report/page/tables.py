"""The page's tables of accuracy: the sheets of `table.md`, each number with the MLflow runs behind it."""

from __future__ import annotations

from dataclasses import dataclass

from sslbench.report.scores.rows import Run
from sslbench.report.tables.sheet import Entry, Sheet, State, Tables
from sslbench.report.words.wording import several_places


@dataclass(frozen=True)
class TableCell:
    """What stands in one cell of the page.

    Attributes:
        accuracy: `76.3 ± 0.4`, or a word for what is not there.
        difference: `(+3.1)`, empty without one.
        marks: (symbol, words) each.
        runs: index into the page's list of runs; None if there are none.
        look: class of the cell's style.
    """

    accuracy: str
    difference: str = ""
    bold: bool = False
    marks: tuple[tuple[str, str], ...] = ()
    runs: int | None = None
    look: str = ""


@dataclass(frozen=True)
class TableRow:
    """One pretext or baseline; `look` is the class of the row's style."""

    name: str
    marks: tuple[tuple[str, str], ...]
    cells: tuple[TableCell, ...]
    look: str = ""


@dataclass(frozen=True)
class TableView:
    """One block as the page shows it; `anchor` is unique on the page."""

    anchor: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]


@dataclass(frozen=True)
class RunList:
    """The runs behind one cell, with the sentence above them."""

    title: str
    runs: tuple[Run, ...]


def tables(data: Tables) -> tuple[list[TableView], list[RunList]]:
    """Every sheet of accuracy as the template shows it, and the runs behind every number of them."""
    several = several_places(data.layout.blocks)
    runs: list[RunList] = []
    views = [
        TableView(
            f"table-{number}",
            f"{sheet.place}: {sheet.title}" if several else sheet.title,
            sheet.headings[1:],
            tuple(_row(sheet, line, runs) for line in range(len(sheet.rows))),
        )
        for number, sheet in enumerate(data.accuracy)
    ]
    return views, runs


def _row(sheet: Sheet, line: int, lists: list[RunList]) -> TableRow:
    name, *entries = sheet.rows[line]
    shown = []
    for heading, entry in zip(sheet.short[1:], entries, strict=True):
        if entry.runs:
            lists.append(RunList(f"{name.text}, {heading} of the labels, {sheet.place}: {sheet.title}", entry.runs))
        shown.append(_cell(entry, len(lists) - 1 if entry.runs else None))
    look = "after-baselines" if sheet.ruled and line == sheet.ruled else ""
    return TableRow(name.text, tuple((mark.sign, mark.words) for mark in name.marks), tuple(shown), look)


def _cell(entry: Entry, runs: int | None) -> TableCell:
    marks = tuple((mark.sign, mark.words) for mark in entry.marks)
    if entry.state is State.FAILED:
        return TableCell("failed", marks=marks, look="failed")
    if entry.state is State.NOT_RUN:
        return TableCell(entry.text, marks=marks, look="missing")
    difference = f"({entry.difference})" if entry.difference else ""
    look = "warned" if marks else "tied" if entry.bold else ""
    return TableCell(entry.text, difference, entry.bold, marks, runs, look)
