"""The rows of the tables: the scores of one pretext at one latent size by one protocol, and the runs behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sslbench.report.attachments.predictions import Answers
from sslbench.report.scores.evaluations import CELL
from sslbench.report.scores.replicates import Replicate

Floats = NDArray[np.float64]

#: By replicate: `(images,)` which test inputs were answered rightly, or what share of several answers was right.
Right = Mapping[Replicate, NDArray[np.generic]]


class Run(NamedTuple):
    """One test accuracy in [0, 1], the labels it took, and the MLflow run that measured it."""

    seed: int
    label_seed: int
    value: float
    num_labels: int
    run_id: str
    cell_id: str

    @property
    def replicate(self) -> Replicate:
        """Which repetition it is."""
        return Replicate(self.seed, self.label_seed)


class Subject(NamedTuple):
    """What names a cell of the tables: the values of `ROW_KEY`, and a label fraction (NaN: all of them)."""

    dataset: str
    encoder: str
    latent_dim: int
    protocol: str
    pretrain_dataset: str
    pretext: str
    label_fraction: float


@dataclass(frozen=True)
class Row:
    """The scores of one row of a table.

    Attributes:
        runs: by label fraction, increasing; the runs of each by replicate.
        answers: to the test inputs, where they are stored.
    """

    dataset: str
    encoder: str
    latent_dim: int
    protocol: str
    pretrain_dataset: str
    pretext: str
    runs: Mapping[float, tuple[Run, ...]]
    answers: Answers = field(default_factory=dict)

    @property
    def fractions(self) -> tuple[float, ...]:
        """Label fractions, increasing."""
        return tuple(self.runs)

    @property
    def key(self) -> tuple[str, str, int, str, str, str]:
        """The values of `ROW_KEY`."""
        return self.dataset, self.encoder, self.latent_dim, self.protocol, self.pretrain_dataset, self.pretext

    def subject(self, fraction: float) -> Subject:
        """What names one of the cells."""
        return Subject(*self.key, fraction)

    @cached_property
    def num_labels(self) -> Floats:
        """`(fractions,)` labels at each."""
        return np.array([self.labels(fraction) for fraction in self.runs], dtype=np.float64)

    def labels(self, fraction: float) -> int:
        """Labels at one of the fractions; the most if replicates differ."""
        return max(run.num_labels for run in self.runs[fraction])

    @cached_property
    def replicates(self) -> tuple[Replicate, ...]:
        """Every one that was run at any fraction, in order."""
        return tuple(sorted({run.replicate for runs in self.runs.values() for run in runs}))

    def scores(self, fraction: float) -> dict[Replicate, float]:
        """Test accuracy by replicate at one label fraction; replicates without a record are left out."""
        return {run.replicate: run.value for run in self.runs.get(fraction, ())}

    @property
    def answered(self) -> bool:
        """Whether every run stored its answers."""
        return all(run.cell_id in self.answers for runs in self.runs.values() for run in runs)

    def right(self, fraction: float) -> Right:
        """Answers by replicate at one label fraction; replicates without stored answers are left out."""
        runs = self.runs.get(fraction, ())
        return {run.replicate: self.answers[run.cell_id].right for run in runs if run.cell_id in self.answers}


def rows_of(evaluated: pd.DataFrame, answers: Answers | None = None) -> tuple[Row, ...]:
    """The rows that lines of `evaluations` make, ordered by `ROW_KEY`."""
    found: dict[tuple[str, str, int, str, str, str], dict[float, list[Run]]] = {}
    for cell, run in zip(evaluated[CELL].itertuples(index=False), runs_of(evaluated), strict=True):
        subject = Subject(*cell)
        found.setdefault(subject[:-1], {}).setdefault(subject.label_fraction, []).append(run)
    return tuple(
        Row(*key, {at: tuple(runs) for at, runs in by_fraction.items()}, answers or {})
        for key, by_fraction in found.items()
    )


def runs_of(evaluated: pd.DataFrame) -> tuple[Run, ...]:
    """The run of every line of a frame like that of `evaluations`."""
    fields = evaluated.rename(columns={"test": "value"})[list(Run._fields)]
    return tuple(Run(*line) for line in fields.itertuples(index=False))
