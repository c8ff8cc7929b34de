"""The tables on screen: what `make bench` ends with."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sslbench.report.attachments.predictions import Answers
from sslbench.report.scores.layout import NO_VERSIONS, lay_out
from sslbench.report.tables.sheet import Sheet, State, tables_of
from sslbench.report.words.reading import on_screen
from sslbench.report.words.wording import fewer_line, stale_line

_STYLES = {State.NOT_RUN: "dim", State.FAILED: "dim", State.OUTSIDE: "yellow", State.CHANGED: "bold red"}


def print_summary(
    records: pd.DataFrame,
    console: Console,
    versions: Mapping[tuple[str, str], int] = NO_VERSIONS,
    answers: Answers | None = None,
) -> None:
    """Print every block, compact enough for 100 columns with eight label fractions; on a narrower screen means alone.

    Args:
        versions: of the plug-ins as they are now, by kind and name.
        answers: to the test inputs; without them intervals are those over seeds.

    Raises:
        InputError: two records claim the same cell and seed.
    """
    tables = tables_of(lay_out(records, versions=versions, answers=answers))
    if not tables.accuracy:
        console.print("no test accuracy of any encoder yet")
        return
    for sheet in tables.accuracy:
        print_sheet(sheet, console, shrinks=True)
        for note in sheet.notes:
            console.print(Text(_compact(note), style="dim"))
    shown = [entry.cell for sheet in tables.accuracy for row in sheet.rows for entry in row if entry.cell]
    console.print(on_screen(shown))
    for line in (fewer_line(tables.layout.blocks), stale_line(tables.layout)):
        if line:
            console.print(Text(line, style="yellow"))


def print_sheet(
    sheet: Sheet, console: Console, padding: tuple[int, int, int, int] = (0, 1, 0, 0), shrinks: bool = False
) -> None:
    """Print a sheet below its title, which is not broken where the table is narrow.

    Args:
        shrinks: show the means alone if the half-widths do not fit.
    """
    title = f"{sheet.place}: {sheet.title}" if sheet.place else sheet.title
    console.print(Text(title, style="bold"), soft_wrap=True)
    table = _rich_table(sheet, padding)
    fits = console.measure(table, options=console.options.update(max_width=1_000)).maximum <= console.width
    console.print(table if fits or not shrinks else _rich_table(sheet, padding, means=True))


def _rich_table(sheet: Sheet, padding: tuple[int, int, int, int], means: bool = False) -> Table:
    """A sheet for the terminal, names to the left and numbers to the right; colours stand for bold and states.

    Args:
        means: leave the half-widths out.
    """
    table = Table(box=box.SIMPLE_HEAD, padding=padding)
    for number, heading in enumerate(sheet.short or sheet.headings):
        folds = heading in ("table", "largest difference")  # on a narrow screen
        table.add_column(heading, justify="left" if number < sheet.names else "right", no_wrap=not folds)
    for number, row in enumerate(sheet.rows, start=1):
        styles = ["bold green" if entry.bold else _STYLES.get(entry.state, "") for entry in row]
        texts = [entry.text.partition(" ± ")[0] if means else _compact(entry.text) for entry in row]
        table.add_row(*(Text(text, style=style) for text, style in zip(texts, styles, strict=True)))
        if number == sheet.ruled:
            table.add_section()
    return table


def _compact(text: str) -> str:
    return re.sub(r"(?<=\d) ± ", "±", text)
