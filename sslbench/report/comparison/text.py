"""A comparison in words: a table on screen, and Markdown to paste into a change log."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from tabulate import tabulate

from sslbench.report.comparison.compare import Change, Comparison, Place, Procedure
from sslbench.report.scores.blocks import RAW
from sslbench.report.tables.markdown import format_estimate, percent

CELL_COLUMNS = ("pretext", "labels", "first", "second", "difference", "p (Holm)", "test", "")
BLOCK_COLUMNS = ("table", "cells", "mean difference", "largest difference", "outside", "changed")

#: What a reader needs to know about the columns, once.
EXPLANATION = (
    "Differences are second minus first, in points, with 95% half-widths: paired by seed where both share at least "
    "two, else Welch. Outside: the difference exceeds its own interval, as one in twenty does by chance. Changed: "
    "significant at 5% after Holm's correction over all cells."
)


def verdict(comparison: Comparison) -> str:
    """One sentence on the whole: how many cells changed, lie outside, cannot be told, or stand on one side alone."""
    total = len(comparison.changes)
    untested = sum(change.procedure is Procedure.NONE for change in comparison.changes)
    parts = [f"{_cells(total)} in both, {len(comparison.changed)} changed, {len(comparison.outside)} outside"]
    if untested:
        parts.append(f"{untested} with one seed, which nothing can be told from")
    for name, alone in ((comparison.first, comparison.only_first), (comparison.second, comparison.only_second)):
        if alone:
            parts.append(f"{_cells(len(alone))} only in {name}, e.g. {_title(alone[0])}")
    if not math.isnan(comparison.speed):
        parts.append(f"pretraining took {comparison.speed:.2f} times as long (median)")
    return "; ".join(parts) + "."


def print_comparison(comparison: Comparison, every: bool, console: Console) -> None:
    """Print the cells that lie outside their interval or changed, or every cell, and a line per table."""
    console.print(Text(f"first: {comparison.first}\nsecond: {comparison.second}"))
    several = _several(comparison)
    for block, changes in _by_block(_shown(comparison, every), several).items():
        table = _rich(block, CELL_COLUMNS, names=2)
        for change in changes:
            style = "bold red" if change.changed else "yellow" if change.outside else ""
            table.add_row(*(Text(text.replace(" ± ", "±"), style=style) for text in _cell_row(change)))
        console.print(table)
    overview = _rich("by table", BLOCK_COLUMNS, names=1)
    for row in _block_rows(comparison):
        overview.add_row(*map(Text, row))
    console.print(overview)
    console.print(Text(EXPLANATION, style="dim"))
    console.print(Text(verdict(comparison), style="bold"))


def comparison_markdown(comparison: Comparison, every: bool) -> str:
    """The same as Markdown, the verdict first."""
    parts = [f"`{comparison.first}` (first) and `{comparison.second}` (second): {verdict(comparison)}"]
    parts.append(_pipe_table(BLOCK_COLUMNS, _block_rows(comparison), names=1))
    shown = _shown(comparison, every)
    if shown:
        several = _several(comparison)
        rows = [[_block(change, several), *_cell_row(change)] for change in shown]
        parts.append(_pipe_table(("table", *CELL_COLUMNS), rows, names=3))
    return "\n\n".join([*parts, EXPLANATION]) + "\n"


def _shown(comparison: Comparison, every: bool) -> tuple[Change, ...]:
    return comparison.changes if every else tuple(one for one in comparison.changes if one.outside or one.changed)


def _several(comparison: Comparison) -> bool:
    """Whether tables must be named with their dataset and encoder; pixels and majority class are of any encoder."""
    places = {(change.place.dataset, change.place.encoder) for change in comparison.changes}
    return len({place for place in places if place[1] != RAW}) > 1


def _block(change: Change, several: bool) -> str:
    return change.place.block if several or change.place.encoder == RAW else change.place.table


def _by_block(changes: Sequence[Change], several: bool) -> dict[str, list[Change]]:
    blocks: dict[str, list[Change]] = {}
    for change in changes:
        blocks.setdefault(_block(change, several), []).append(change)
    return blocks


def _cell_row(change: Change) -> list[str]:
    p_value = "–" if math.isnan(change.p_holm) else f"{change.p_holm:.3f}" if change.p_holm >= 0.001 else "<0.001"
    said = "changed" if change.changed else "outside" if change.outside else ""
    return [
        *(change.place.pretext, percent(change.place.label_fraction)),
        *(format_estimate(change.first), format_estimate(change.second)),
        *(_difference(change), p_value, f"{change.procedure}, {change.n}", said),
    ]


def _difference(change: Change) -> str:
    points = _points(change.difference)
    return points if math.isnan(change.half_width) else f"{points} ± {100 * change.half_width:.2f}"


def _points(share: float) -> str:
    """`+0.12`; nothing is `0.00`, without a sign."""
    points = round(100 * share, 2)
    return f"{points:+.2f}" if points else "0.00"


def _block_rows(comparison: Comparison) -> list[list[str]]:
    rows = []
    for block, changes in _by_block(comparison.changes, _several(comparison)).items():
        largest = max(changes, key=lambda change: abs(change.difference))
        mean = math.fsum(change.difference for change in changes) / len(changes)
        where = f" ({largest.place.pretext}, {percent(largest.place.label_fraction)})" if largest.difference else ""
        outside, changed = sum(one.outside for one in changes), sum(one.changed for one in changes)
        rows.append([block, str(len(changes)), _points(mean), _difference(largest) + where, str(outside), str(changed)])
    return rows


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"


def _title(place: Place) -> str:
    return f"{place.pretext} {place.protocol} d={place.latent_dim} at {percent(place.label_fraction)}"


def _rich(title: str, columns: Sequence[str], names: int) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=0)
    for number, column in enumerate(columns):
        folds = column in ("table", "largest difference")  # on a narrow screen
        table.add_column(column, justify="left" if number < names else "right", no_wrap=not folds)
    return table


def _pipe_table(headers: Sequence[str], rows: Sequence[Sequence[str]], names: int) -> str:
    escaped = [[text.replace("|", "\\|") for text in row] for row in rows]
    align = ["left"] * names + ["right"] * (len(headers) - names)
    return tabulate(escaped, headers=list(headers), tablefmt="pipe", disable_numparse=True, colalign=align)
