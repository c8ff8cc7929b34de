"""Run published rows again, from the record and the suite's file alone, and check each against its interval."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch

from sslbench import suites
from sslbench.datasets import load
from sslbench.datasets._base import Dataset
from sslbench.evaluate import evaluate, extract
from sslbench.plan import make_plan
from sslbench.pretrain import Pretraining
from sslbench.report.records import read_records
from sslbench.report.statistics import estimate
from sslbench.spec import EvaluateCell, InputError, InputSpec

#: Least half-width of an interval: seeds that happen to agree to the last digit do not make arithmetic exact.
FLOOR = 0.005


@dataclass(frozen=True)
class Check:
    """One published row and what running it again gave; accuracies in [0, 1]."""

    title: str
    published: float
    again: float
    half_width: float

    @property
    def inside(self) -> bool:
        """Whether the new value lies within the interval of the published cell, around its published value."""
        return abs(self.again - self.published) <= self.half_width


def choose(records: pd.DataFrame, sample: int | None) -> pd.DataFrame:
    """Rows to run again: all test accuracies, or a fixed random `sample` of them."""
    rows = records[(records["metric"] == "accuracy") & (records["split"] == "test")]
    if sample is None or sample >= len(rows):
        return rows
    return rows.loc[sorted(random.Random(0).sample(list(rows.index), sample))]


def interval(records: pd.DataFrame, row: pd.Series) -> float:
    """Half-width of the 95% interval of one run in the row's cell: t times the spread over seeds, at least `FLOOR`."""
    axes = ["dataset", "encoder", "pretext", "latent_dim", "label_fraction", "protocol", "metric", "split"]
    same = (records[axes] == row[axes]).all(axis=1)
    spread = estimate(list(records.loc[same, "value"]))
    return max(FLOOR, spread.half_width * spread.n**0.5) if spread.n > 1 else FLOOR


def reproduce(path: Path, sample: int | None, data_root: Path, device: torch.device) -> Iterator[Check]:
    """Run the chosen rows of a `records.csv` again, pretraining included, one by one.

    Raises:
        InputError: no such file or suite, or the suite no longer defines a published cell.
    """
    records = read_records(path)
    rows = choose(records, sample)
    if rows.empty:
        raise InputError(f"{path} holds no test accuracies")
    name = str(rows["suite"].iloc[0])
    suite = suites.load(name)
    datasets = {asked: load(asked, data_root) for asked in suite.datasets}
    inputs: dict[str, tuple[str, InputSpec]] = {
        asked: (dataset.name, dataset.input_spec) for asked, dataset in datasets.items()
    }
    cells = {cell.cell_id: cell for cell in make_plan(suite, inputs).evaluations}
    unknown = [row for row in rows["cell_id"] if row not in cells]
    if unknown:
        raise InputError(f"{path}: suite {name!r} no longer defines cell {unknown[0]}; publish its records again")
    by_identity = {dataset.name: dataset for dataset in datasets.values()}
    for _, row in rows.iterrows():
        cell = cells[str(row["cell_id"])]
        again = _run(cell, by_identity[cell.pretrain.dataset], device)
        title = f"{cell.title} of {cell.pretrain.title}"
        yield Check(title, float(row["value"]), again, interval(records, row))


def _run(cell: EvaluateCell, dataset: Dataset, device: torch.device) -> float:
    training = Pretraining(cell.pretrain, dataset, device)
    for _ in training.reports():
        pass
    encoder = training.pretext.encoder
    return evaluate(cell, dataset, encoder, extract(encoder, dataset, device), device).accuracy
