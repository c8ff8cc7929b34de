"""The page's tables of accuracy: the cells of `table.md`, each with its marks and the MLflow runs behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sslbench.report.attachments.gaps import Failure
from sslbench.report.scores.blocks import Block
from sslbench.report.scores.evidence import Run
from sslbench.report.scores.marks import STALE, Evidence, failures_at, is_collapsed, is_stale
from sslbench.report.scores.measures import COLLAPSED
from sslbench.report.statistics.spread import estimate
from sslbench.report.statistics.summary import Cell, cells_of
from sslbench.report.tables.markdown import (
    CEILING,
    INCOMPLETE,
    column_title,
    format_difference,
    format_estimate,
    percent,
)


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
    ceiling: tuple[str, str] | None


@dataclass(frozen=True)
class RunList:
    """The runs behind one cell, with the sentence above them."""

    title: str
    runs: tuple[Run, ...]


def block_title(block: Block, several: bool) -> str:
    """`linear_probe, latent size 128`, with its place in front if there are several."""
    title = f"{block.protocol}, latent size {block.latent_dim}"
    return f"{block.place}: {title}" if several else title


def several_places(blocks: Sequence[Block]) -> bool:
    """Whether titles must say which dataset and encoder they are about."""
    return len({block.place for block in blocks}) > 1


def tables(blocks: Sequence[Block], evidence: Evidence) -> tuple[list[TableView], list[RunList]]:
    """Every block as a table, and the runs behind every number of them."""
    several = several_places(blocks)
    views: list[TableView] = []
    runs: list[RunList] = []
    for number, block in enumerate(blocks):
        cells = cells_of(block)
        rows = [_row(block, row, cells, evidence, runs) for row in block.rows]
        ceiling = (CEILING, format_estimate(estimate(block.ceiling.values()))) if block.ceiling else None
        columns = tuple(column_title(block, fraction) for fraction in block.fractions)
        views.append(TableView(f"table-{number}", block_title(block, several), columns, tuple(rows), ceiling))
    return views, runs


def _row(
    block: Block,
    row: str,
    cells: Mapping[tuple[str, float], Cell],
    evidence: Evidence,
    lists: list[RunList],
) -> TableRow:
    shown = []
    for fraction in block.fractions:
        failed = failures_at(evidence.gaps.failures, block, row, fraction)
        cell = cells.get((row, fraction))
        if cell is None:
            shown.append(_absent(failed))
            continue
        runs = evidence.runs.behind(block, row, fraction)
        words = f"{row}, {percent(fraction)} of the labels, {block_title(block, True)}"
        lists.append(RunList(words, tuple(runs)))
        shown.append(_present(cell, failed, is_stale(runs, evidence.stale), len(lists) - 1, row != "majority_class"))
    collapsed = is_collapsed(block, row, evidence.collapsed)
    marks = ((COLLAPSED, "collapsed representation in at least one seed"),) if collapsed else ()
    return TableRow(row, marks, tuple(shown), "after-baselines" if row == _first_pretext(block) else "")


def _first_pretext(block: Block) -> str | None:
    """The row under the line that closes the baselines."""
    after = block.rows.index("supervised") + 1 if "supervised" in block.rows else len(block.rows)
    return block.rows[after] if after < len(block.rows) else None


def _absent(failed: Sequence[Failure]) -> TableCell:
    if failed:
        return TableCell("failed", marks=(("", "; ".join(_reason(failure) for failure in failed)),), look="failed")
    return TableCell("–", marks=(("", "missing: not run"),), look="missing")


def _present(cell: Cell, failed: Sequence[Failure], stale: bool, runs: int, compared: bool) -> TableCell:
    marks: list[tuple[str, str]] = []
    if not cell.complete:
        reasons = "; ".join(_reason(failure) for failure in failed)
        marks.append((INCOMPLETE, "fewer seeds than other cells" + (f"; {reasons}" if reasons else "")))
    if stale:
        marks.append((STALE, "stale: computed by another version or other settings than the newest record"))
    difference = "" if cell.difference is None or not compared else f"({format_difference(cell.difference)})"
    look = "warned" if marks else "tied" if cell.best_tied else ""
    return TableCell(format_estimate(cell.accuracy), difference, cell.best_tied, tuple(marks), runs, look)


def _reason(failure: Failure) -> str:
    return f"seed {failure.seed} failed: {failure.reason}"
