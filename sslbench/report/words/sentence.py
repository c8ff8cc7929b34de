"""What a sentence of the report is made of."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from sslbench.report.scores.rows import Subject
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.words.numbers import span
from sslbench.report.words.reading import CLAIM_SEEDS


@dataclass(frozen=True)
class Finding:
    """One sentence with the figure it states.

    Attributes:
        topic: `transfer`, `label multiplier`, `leaders`, `fine-tuned`, `crossover`, `wins`, `choices`,
            `variance`, `measures`, `optimism`, `budgets`, `convergence`, `compute`, `classic` or `replication`.
        value: the figure in natural units (a multiple, a share, a label fraction, a count); NaN where the sentence says
            that there is none.
        low: lower end of its 95% interval, `high` the upper; NaN, 0 or infinite as in the frame the figure is from.
        subject: the row it speaks of, or that most seeds chose; None if it speaks of all.
        brief: the answer in a clause, without its place, for lists of places; empty if it is none.
    """

    topic: str
    sentence: str
    value: float
    low: float
    high: float
    subject: Subject | None = None
    brief: str = ""


@dataclass(frozen=True)
class Place:
    """What sentences are about: one dataset and encoder of an analysis."""

    analysis: Analysis
    dataset: str
    encoder: str

    @property
    def primary(self) -> str:
        """The protocol that headlines are read by; empty without pretexts."""
        return self.analysis.primary.protocol if self.analysis.primary else ""

    def here(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The lines of a frame about this place."""
        return frame[(frame["dataset"] == self.dataset) & (frame["encoder"] == self.encoder)]


def on_seeds(*numbers: float) -> str:
    """How many seeds a claim, or each of several, rests on, where one would want more: `, on 3 seeds`, `2 to 5`."""
    seeds = sorted({int(number) for number in numbers})
    return f", on {span(seeds)} seeds" if 1 < seeds[0] < CLAIM_SEEDS else ""
