"""A comparison in words: a table on screen, and Markdown to paste into a change log."""

from __future__ import annotations

import math
from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from sslbench.contract.titles import RAW
from sslbench.report.comparison.compare import Change, Comparison, Disagreement, Procedure
from sslbench.report.scores.rows import Subject
from sslbench.report.tables.markdown import pipe_table
from sslbench.report.tables.sheet import Entry, Sheet, State, text_sheet
from sslbench.report.tables.terminal import print_sheet
from sslbench.report.words.numbers import accuracy, counted, p_value, percent, points, within
from sslbench.report.words.reading import COMPARED, COMPARED_BY_INPUT, CORRECTED
from sslbench.report.words.wording import origin_title, table_title

CELL_COLUMNS = ("pretext", "labels", "first", "second", "difference", CORRECTED, "test", "")
ANSWER_COLUMNS = ("pretext", "labels", "evaluations", "answers", "first only", "second only", CORRECTED)
TABLE_COLUMNS = ("table", "cells", "mean difference", "largest difference", "outside", "changed")

TIGHT = (0, 0, 0, 0)


def verdict(comparison: Comparison) -> str:
    """One sentence on the whole: how many cells changed, lie outside, cannot be told, or stand on one side alone."""
    total = len(comparison.changes)
    untested = sum(change.procedure is Procedure.NONE for change in comparison.changes)
    changed, outside = len(comparison.changed), len(comparison.outside)
    parts = [f"{counted(total, 'cell')} in both, {changed} changed, {outside} outside"]
    if untested:
        parts.append(f"{untested} with one seed, which nothing can be told from")
    for name, alone in ((comparison.first, comparison.only_first), (comparison.second, comparison.only_second)):
        if alone:
            parts.append(f"{counted(len(alone), 'cell')} only in {name}, e.g. {_title(alone[0])}")
    if not math.isnan(comparison.speed):
        parts.append(f"pretraining took {comparison.speed:.2f} times as long (median)")
    if comparison.answered:
        found = [answers for _, answers in comparison.answered]
        significant, images = sum(one.significant for one in found), sum(one.images for one in found)
        parts.append(
            f"input by input {significant} of {counted(len(found), 'cell')} "
            f"{'differs' if significant == 1 else 'differ'} significantly (McNemar, Holm), "
            f"{sum(one.differing for one in found):,} of {counted(images, 'answer')} right on one side alone"
        )
    return "; ".join(parts) + "."


def print_comparison(comparison: Comparison, every: bool, console: Console) -> None:
    """Print the cells that lie outside their interval or changed, or every cell, and a line per table."""
    console.print(Text(f"first: {comparison.first}\nsecond: {comparison.second}"))
    for table, changes in _by_table(comparison, _shown(comparison, every)).items():
        rows = tuple(_cell_row(change) for change in changes)
        print_sheet(Sheet(table, CELL_COLUMNS, rows, names=2), console, TIGHT)
    for sheet in _answer_sheets(comparison, every):
        print_sheet(sheet, console, TIGHT)
    print_sheet(_overview(comparison), console, TIGHT)
    console.print(Text(_explained(comparison), style="dim"))
    console.print(Text(verdict(comparison), style="bold"))


def comparison_markdown(comparison: Comparison, every: bool) -> str:
    """The same as Markdown, the verdict first."""
    parts = [f"`{comparison.first}` (first) and `{comparison.second}` (second): {verdict(comparison)}"]
    parts.append(pipe_table(_overview(comparison)))
    shown = _by_table(comparison, _shown(comparison, every))
    rows = tuple((Entry(table), *_cell_row(change)) for table, changes in shown.items() for change in changes)
    if rows:
        parts.append(pipe_table(Sheet("cells", ("table", *CELL_COLUMNS), rows, names=3)))
    for sheet in _answer_sheets(comparison, every):
        parts += [f"{sheet.title}:", pipe_table(sheet)]
    return "\n\n".join([*parts, _explained(comparison)]) + "\n"


def _explained(comparison: Comparison) -> str:
    return f"{COMPARED} {COMPARED_BY_INPUT}" if comparison.answered else COMPARED


def _answer_sheets(comparison: Comparison, every: bool) -> list[Sheet]:
    """Input by input: the cells that differ significantly, or every cell that differs at all; a sheet per table."""
    shown = {
        change: answers
        for change, answers in comparison.answered
        if answers.significant or (every and answers.differing)
    }
    return [
        text_sheet(f"input by input, {table}", ANSWER_COLUMNS, [_answer_row(one, shown[one]) for one in changes], 2)
        for table, changes in _by_table(comparison, shown).items()
    ]


def _answer_row(change: Change, answers: Disagreement) -> tuple[str, ...]:
    return (
        *(change.name.pretext, percent(change.name.label_fraction), str(len(answers.p_values)), f"{answers.images:,}"),
        *(f"{answers.only_first:,}", f"{answers.only_second:,}", p_value(answers.p_holm)),
    )


def _shown(comparison: Comparison, every: bool) -> tuple[Change, ...]:
    return comparison.changes if every else tuple(one for one in comparison.changes if one.outside or one.changed)


def _by_table(comparison: Comparison, changes: Iterable[Change]) -> dict[str, list[Change]]:
    """Changes by the title of the table they stand in, in order.

    A title names dataset and encoder where there are several; pixels and majority class are of any encoder.
    """
    places = {(change.name.dataset, change.name.encoder) for change in comparison.changes if change.name.encoder != RAW}
    tables: dict[str, list[Change]] = {}
    for change in changes:
        name = change.name
        place = f"{origin_title(name.dataset, name.pretrain_dataset)}, {name.encoder}"
        named = len(places) > 1 or name.encoder == RAW
        tables.setdefault(table_title(name.protocol, name.latent_dim, place if named else ""), []).append(change)
    return tables


def _cell_row(change: Change) -> tuple[Entry, ...]:
    state = State.CHANGED if change.changed else State.OUTSIDE if change.outside else State.PLAIN
    texts = (
        *(change.name.pretext, percent(change.name.label_fraction)),
        *(accuracy(change.first), accuracy(change.second)),
        *(_difference(change), p_value(change.p_holm), f"{change.procedure}, {change.difference.n}", state),
    )
    return tuple(Entry(str(text), state=state) for text in texts)


def _difference(change: Change) -> str:
    return within(change.difference.mean, change.difference.half_width, digits=2, signed=True)


def _overview(comparison: Comparison) -> Sheet:
    """A line per table: how far its cells moved."""
    rows = []
    for table, changes in _by_table(comparison, comparison.changes).items():
        largest = max(changes, key=lambda change: abs(change.difference.mean))
        mean = math.fsum(change.difference.mean for change in changes) / len(changes)
        where = f" ({largest.name.pretext}, {percent(largest.name.label_fraction)})" if largest.difference.mean else ""
        outside, changed = sum(one.outside for one in changes), sum(one.changed for one in changes)
        moved = points(mean, digits=2, signed=True), _difference(largest) + where
        rows.append([table, str(len(changes)), *moved, str(outside), str(changed)])
    return text_sheet("by table", TABLE_COLUMNS, rows)


def _title(name: Subject) -> str:
    return f"{name.pretext} {name.protocol} d={name.latent_dim} at {percent(name.label_fraction)}"
