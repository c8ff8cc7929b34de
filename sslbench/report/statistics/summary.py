"""What stands in the cells of the tables, and which cells are missing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from sslbench.report.scores.layout import Block
from sslbench.report.scores.replicates import Replicate
from sslbench.report.statistics.spread import Estimate, estimate, paired_difference, tied_with_best

SUMMARY_COLUMNS = (
    *("dataset", "pretrain_dataset", "encoder", "protocol", "latent_dim", "pretext", "label_fraction", "num_labels"),
    *("mean", "half_width", "difference", "difference_half_width", "n", "best_tied"),
)

#: Rows that are no contender: answering the commonest class is never bold, and how far below it is tells nothing.
NO_CONTENDERS = ("majority_class",)


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        difference: paired, to `supervised` at the same fraction; None for `supervised` itself, for what is no
            contender, or if `supervised` was not run.
        best_tied: has the best mean of its column, or cannot be told from it.
        complete: has every replicate that its place has.
    """

    accuracy: Estimate
    difference: Estimate | None
    best_tied: bool
    complete: bool


Cells = Mapping[tuple[str, float], Cell]


def cells_of(block: Block) -> Cells:
    """Cells by (row, label fraction), in the order of reading; cells that were not run are absent."""
    cells: dict[tuple[str, float], Cell] = {}
    for fraction in block.fractions:
        column = {row: block.scores[row, fraction] for row in block.rows if (row, fraction) in block.scores}
        contenders = {row: scores for row, scores in column.items() if row not in NO_CONTENDERS}
        tied = tied_with_best(contenders)
        for row, scores in column.items():
            compared = row in contenders and row != "supervised"
            difference = paired_difference(scores, column.get("supervised", {})) if compared else None
            complete = len(scores) == len(block.replicates)
            cells[row, fraction] = Cell(estimate(scores.values()), difference, row in tied, complete)
    return {(row, at): cells[row, at] for row in block.rows for at in block.fractions if (row, at) in cells}


def summarise(blocks: Iterable[Block]) -> pd.DataFrame:
    """One line per cell that was run, in table order, with the columns `SUMMARY_COLUMNS`: what `table.csv` holds.

    Accuracies and differences are shares in [0, 1]; what one seed cannot say is NaN.
    """
    lines = [
        (
            *(block.dataset, block.pretrain_dataset, block.encoder, block.protocol, block.latent_dim),
            *(row, fraction, block.num_labels[fraction][-1], cell.accuracy.mean, cell.accuracy.half_width),
            *((cell.difference.mean, cell.difference.half_width) if cell.difference else (math.nan, math.nan)),
            *(cell.accuracy.n, cell.best_tied),
        )
        for block in blocks
        for (row, fraction), cell in cells_of(block).items()
    ]
    return pd.DataFrame(lines, columns=list(SUMMARY_COLUMNS))


def missing_in_row(block: Block, row: str) -> dict[tuple[Replicate, ...], list[float]]:
    """The label fractions at which a row lacks replicates, by those it lacks."""
    found: dict[tuple[Replicate, ...], list[float]] = {}
    for fraction in block.fractions:
        present = block.scores.get((row, fraction), {})
        absent = tuple(replicate for replicate in block.replicates if replicate not in present)
        if absent:
            found.setdefault(absent, []).append(fraction)
    return found
