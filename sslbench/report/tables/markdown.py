"""`table.md` and `table.csv`: the numbers a reader looks for, and how to read them."""

from __future__ import annotations

from collections.abc import Sequence

from tabulate import tabulate

from sslbench.report.statistics.summary import summarise
from sslbench.report.tables.sheet import Entry, Sheet, Tables
from sslbench.report.words.reading import COSTS, MEASURES, OTHERS, gaps_text, marks_text
from sslbench.report.words.wording import several_places


def table_csv(tables: Tables) -> str:
    """The summary as CSV, every digit kept."""
    return summarise(tables.layout.blocks).to_csv(index=False, lineterminator="\n")


def table_markdown(tables: Tables, title: str, notes: Sequence[str] = ()) -> str:
    """The page people read: sheets, how to read them, what is missing, notes, cost."""
    several = several_places(tables.layout.blocks)
    parts = [f"# {title}", *gaps_text(tables.layout.gaps)]
    place = None
    for sheet in tables.accuracy:
        if several and place != sheet.place:
            place = sheet.place
            parts.append(f"## {place}")
        parts += [f"{'###' if several else '##'} {sheet.title}", pipe_table(sheet), *sheet.notes]
    parts += ["## How to read this", *tables.reading, *(f"- {note}" for note in notes), *marks_text(tables.layout)]
    if tables.others:
        parts += ["## Scores of others", OTHERS]
        parts += [part for sheet in tables.others for part in (f"### {sheet.title}", pipe_table(sheet), *sheet.notes)]
    if tables.measures is not None:
        parts += ["## Measures without labels", MEASURES, pipe_table(tables.measures)]
    parts += ["## Cost", COSTS, pipe_table(tables.costs)]
    return plain("\n\n".join(parts)) + "\n"


def plain(text: str) -> str:
    """Markdown of which nothing is HTML or a picture from elsewhere, whatever a dataset is called."""
    return text.replace("<", "&lt;").replace("![", "!\\[")


def pipe_table(sheet: Sheet) -> str:
    """A sheet in Markdown, names to the left and numbers to the right."""
    rows = [[cell_text(entry).replace("|", "\\|") for entry in row] for row in sheet.rows]
    align = ["left"] * sheet.names + ["right"] * (len(sheet.headings) - sheet.names)
    return tabulate(rows, headers=list(sheet.headings), tablefmt="pipe", disable_numparse=True, colalign=align)


def cell_text(entry: Entry) -> str:
    """`**76.3 ± 0.4 †** (+3.1)`."""
    text = f"**{entry.marked}**" if entry.bold else entry.marked
    return f"{text} ({entry.difference})" if entry.difference else text
