"""What stands in the cells of the tables, and which cells are missing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from sslbench.report.scores.layout import Block
from sslbench.report.scores.replicates import Replicate
from sslbench.report.statistics.image_noise import accuracy_of
from sslbench.report.statistics.paired import judged
from sslbench.report.statistics.spread import Estimate

SUMMARY_COLUMNS = (
    *("dataset", "pretrain_dataset", "encoder", "protocol", "latent_dim", "pretext", "label_fraction", "num_labels"),
    *("mean", "half_width", "difference", "difference_half_width", "n", "best_tied"),
)


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        difference: to `supervised` at the same fraction, as `differences` has it; None for `supervised` itself, for
            what is no contender, or if `supervised` was not run.
        best_tied: has the best mean of its column, or cannot be told from it.
        complete: has every replicate that others of its column have.
    """

    accuracy: Estimate
    difference: Estimate | None
    best_tied: bool
    complete: bool


Cells = Mapping[tuple[str, float], Cell]


def cells_of(block: Block) -> Cells:
    """Cells by (row, label fraction), in the order of reading; cells that were not run are absent."""
    verdicts, cells = judged(block), {}
    for row, at in ((row, at) for row in block.rows for at in block.fractions if (row, at) in block.scores):
        scores, verdict = block.scores[row, at], verdicts.get((at, row))
        difference, best = (verdict.difference, verdict.best) if verdict else (None, False)
        complete = len(scores) >= len(block.replicates[at])
        cells[row, at] = Cell(accuracy_of(block.lines[row], at), difference, best, complete)
    return cells


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
    """The label fractions at which a row has some replicates and lacks others, by those it lacks.

    What has none may be left out by the suite; of that the gaps know.
    """
    found: dict[tuple[Replicate, ...], list[float]] = {}
    for fraction in block.fractions:
        present = block.scores.get((row, fraction), {})
        absent = tuple(replicate for replicate in block.replicates[fraction] if replicate not in present)
        if present and absent:
            found.setdefault(absent, []).append(fraction)
    return found
