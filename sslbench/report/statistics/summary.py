"""What stands in the cells of the tables, and which cells are missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from sslbench.contract.spec import REFERENCE_PROTOCOLS
from sslbench.report.scores.blocks import Block, place
from sslbench.report.scores.replicates import Replicate
from sslbench.report.statistics.spread import Estimate, estimate, paired_difference, tied_with_best

SUMMARY_COLUMNS = (
    "dataset",
    "pretrain_dataset",
    "encoder",
    "protocol",
    "latent_dim",
    "pretext",
    "label_fraction",
    "num_labels",
    "mean",
    "half_width",
    "difference",
    "difference_half_width",
    "n",
    "best_tied",
)

#: Rows that no bold is meant for: answering the commonest class is not a contender.
NEVER_BOLD = ("majority_class",)


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        difference: paired, to `supervised` at the same fraction; None for `supervised` itself or if it was not run.
        best_tied: has the best mean of its column, or cannot be told from it.
        complete: has every replicate that its section has.
    """

    accuracy: Estimate
    difference: Estimate | None
    best_tied: bool
    complete: bool


def cells_of(block: Block) -> dict[tuple[str, float], Cell]:
    """Cells by (row, label fraction); cells that were not run are absent."""
    cells: dict[tuple[str, float], Cell] = {}
    for fraction in block.fractions:
        column = block.column(fraction)
        tied = tied_with_best({row: scores for row, scores in column.items() if row not in NEVER_BOLD})
        for row, scores in column.items():
            difference = None if row == "supervised" else paired_difference(scores, column.get("supervised", {}))
            complete = len(scores) == len(block.replicates)
            cells[row, fraction] = Cell(estimate(scores.values()), difference, row in tied, complete)
    return cells


def summarise(records: pd.DataFrame) -> pd.DataFrame:
    """One row per cell that was run, in table order, with the columns `SUMMARY_COLUMNS`: what `table.csv` holds.

    Accuracies and differences are shares in [0, 1]; what one seed cannot say is NaN.
    """
    rows: list[tuple[object, ...]] = []
    for block in place(records):
        cells = cells_of(block)
        for row in block.rows:
            for fraction in block.fractions:
                if (row, fraction) in cells:
                    rows.append(_summary_row(block, row, fraction, cells[row, fraction]))
    return pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))


def _summary_row(block: Block, row: str, fraction: float, cell: Cell) -> tuple[object, ...]:
    difference = cell.difference or Estimate(math.nan, math.nan, 0, math.nan)
    return (
        *(block.dataset, block.pretrain_dataset, block.encoder, block.protocol, block.latent_dim),
        *(row, fraction, block.num_labels[fraction][-1]),
        *(cell.accuracy.mean, cell.accuracy.half_width),
        *(difference.mean, difference.half_width),
        *(cell.accuracy.n, cell.best_tied),
    )


def missing_cells(blocks: Sequence[Block]) -> list[tuple[str, int]]:
    """What the tables lack, as (name, number of evaluations): rows with holes, and cells with fewer seeds than others.

    A cell that stands in several blocks (`supervised`, `raw_pixels`) is named once.
    """
    several = len({block.place for block in blocks}) > 1
    found: dict[str, int] = {}
    for block in blocks:
        for row in block.rows:
            for name, count in _missing_in_row(block, row):
                where = f"{block.place}: " if several else ""
                found[where + name] = count
    return list(found.items())


def missing_line(blocks: Sequence[Block]) -> str | None:
    """`missing: 2 evaluations have no record: …`, or None if every row is complete."""
    missing = missing_cells(blocks)
    if not missing:
        return None
    total = sum(count for _, count in missing)
    noun = "evaluation has" if total == 1 else "evaluations have"
    return f"missing: {total} {noun} no record: {'; '.join(name for name, _ in missing)}."


def _missing_in_row(block: Block, row: str) -> list[tuple[str, int]]:
    by_replicates: dict[tuple[Replicate, ...], list[float]] = {}
    for fraction in block.fractions:
        present = block.scores.get((row, fraction), {})
        absent = tuple(replicate for replicate in block.replicates if replicate not in present)
        if absent:
            by_replicates.setdefault(absent, []).append(fraction)
    return [
        (_describe(block, row, fractions, absent), len(fractions) * len(absent))
        for absent, fractions in by_replicates.items()
    ]


def _describe(block: Block, row: str, fractions: list[float], absent: tuple[Replicate, ...]) -> str:
    protocol = REFERENCE_PROTOCOLS.get(row, block.protocol)
    title = row if row == protocol else f"{row} {protocol}"
    size = "" if row in ("majority_class", "raw_pixels") else f" d={block.latent_dim}"
    at = ", ".join(f"{100 * fraction:g}%" for fraction in fractions)
    if absent == block.replicates:
        return f"{title}{size} at {at}"
    return f"{title}{size} at {at} (seed {', '.join(str(replicate) for replicate in absent)})"
