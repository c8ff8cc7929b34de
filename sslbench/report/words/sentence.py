"""What a sentence of the report is made of."""

from __future__ import annotations

from dataclasses import dataclass

from sslbench.report.scores.rows import Subject


@dataclass(frozen=True)
class Finding:
    """One sentence with the figure it states.

    Attributes:
        topic: `transfer`, `label multiplier`, `leaders`, `crossover`, `wins`, `choices`, `variance`, `measures`,
            `optimism`, `budgets`, `convergence` or `replication`.
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
