"""Run published rows again, from the record and the suite's file alone, and check each against its interval."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

import pandas as pd
import torch
from joblib import Parallel, delayed

from sslbench.contract.cells import EvaluateCell
from sslbench.contract.errors import InputError
from sslbench.contract.outside import load_plugins
from sslbench.contract.record import COLUMN_TYPES
from sslbench.datasets import load
from sslbench.datasets._base import Dataset
from sslbench.encoders._base import Encoder
from sslbench.engine.evaluate import Features, Outcome, evaluate, extract, sees_features
from sslbench.engine.pretrain import Pretraining
from sslbench.publishing.folders import RECORDS_FILE
from sslbench.report.attachments.predictions import read_answers
from sslbench.report.records import read_records
from sslbench.report.scores import evaluations, headline, rows_of
from sslbench.report.statistics import estimate
from sslbench.sweep import suites
from sslbench.sweep.cells import Source
from sslbench.sweep.plan import make_plan

#: Least half-width of an interval: seeds that happen to agree to the last digit do not make arithmetic exact.
FLOOR = 0.005


@dataclass(frozen=True)
class Published:
    """One published row: its number in the file from 1, its value, and those of the other replicates of its cell.

    Attributes:
        seconds: that its pretraining and its evaluation took.
    """

    number: int
    value: float
    others: tuple[float, ...]
    cell: EvaluateCell
    seconds: float = 0.0

    @property
    def title(self) -> str:
        """The name people read, e.g. `1% knn of simclr d=128 s=0`."""
        return f"{self.cell.title} of {self.cell.pretrain.title}"


@dataclass(frozen=True)
class Check:
    """One published row and what running it again gave; accuracies in [0, 1].

    Attributes:
        agreeing: how many test inputs are answered rightly in both or wrongly in both; None where which of them were
            is not published.
        images: how many test inputs there are.
    """

    row: Published
    again: float
    agreeing: int | None = None
    images: int = 0

    @property
    def half_width(self) -> float:
        """How far running again may be from the published value.

        Half-width of the 95% interval of the difference of two runs of the cell: t times the spread over seeds times
        the square root of two, at least `FLOOR`. On another processor training takes another course from the first
        rounding on, so that the new run is another draw, not the old one with noise.

        The spread is the smaller of that published and that with the new value in place of the published one: a value
        that is wrong by much, in the file or in the new run, must not widen the interval it is judged by.
        """
        return max(FLOOR, min(_reach([*self.row.others, value]) for value in (self.row.value, self.again)))

    @property
    def inside(self) -> bool:
        """Whether the new value lies within the interval around the published one."""
        return abs(self.again - self.row.value) <= self.half_width


def _reach(values: Sequence[float]) -> float:
    spread = estimate(values)
    return spread.half_width * (2 * spread.n) ** 0.5 if spread.n > 1 else 0.0


class Reproduction:
    """Rows of a published `records.csv`, ready to be run again.

    Args:
        path: the `records.csv`.
        data_root: folder of datasets.
        rows: which rows, as `choose` reads them; all test accuracies if there are none.
        sample: only so many of them, drawn at random but always the same.
        suite: name or file of the suite; None means the one the records name.
        plugins: files and modules to load first, here and in every process that runs rows again.

    Raises:
        InputError: no such file or suite, rows that are not there, or the suite no longer defines a row that was asked
            for, or any at all.

    Attributes:
        stale: how many rows were left out because the suite, or what a plug-in computes, is not what it was.
    """

    def __init__(
        self,
        path: Path,
        data_root: Path,
        rows: Sequence[str] = (),
        sample: int | None = None,
        suite: str | None = None,
        plugins: tuple[str, ...] = (),
    ) -> None:
        load_plugins(plugins)
        self.path, self.place = path, (path, data_root, suite, plugins)
        records = read_records(path)
        self.answers = read_answers(path.parent) if path.name == RECORDS_FILE else {}
        chosen = choose(records, rows, path)
        names = sorted(set(chosen["suite"]))
        if len(names) > 1:
            raise InputError(f"{path} holds suites {', '.join(names)}; choose one, e.g. --rows suite={names[0]}")
        self.datasets, cells = _plan(suite or names[0], data_root)
        able = chosen[chosen["cell_id"].isin(cells)]
        self.stale = len(chosen) - len(able)
        if able.empty or (rows and self.stale):
            unknown = next(cell_id for cell_id in chosen["cell_id"] if cell_id not in cells)
            raise InputError(f"{path}: suite {names[0]!r} no longer defines cell {unknown}; publish its records again")
        published = _published(records, drawn(able, sample), cells)
        # Rows of one pretraining stand together: its encoder is trained once.
        self.rows = sorted(published, key=lambda row: (row.cell.pretrain.cell_id, row.number))

    def checks(self, numbers: Sequence[int], device: torch.device) -> list[Check]:
        """Run these rows again, all of one pretraining, which is trained anew.

        On one thread, as the workers of a sweep are: sums split among threads round otherwise, and training amplifies
        that to as much as another seed would change. On the same kind of processor the values then agree to the bit.
        """
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            rows = [row for row in self.rows if row.number in numbers]
            encoder = self._pretrain(rows[0].cell, device)
            features: dict[tuple[str, str], Features] = {}
            checked = []
            for row in rows:
                dataset, key = self.datasets[row.cell.dataset], (row.cell.dataset, row.cell.reading)
                if key not in features and sees_features(row.cell.protocol):
                    features[key] = extract(encoder, dataset, device, (row.cell.reading,))[row.cell.reading]
                checked.append(self._check(row, evaluate(row.cell, dataset, encoder, features.get(key), device)))
            return checked
        finally:
            torch.set_num_threads(threads)

    def _check(self, row: Published, outcome: Outcome) -> Check:
        published = self.answers.get(row.cell.cell_id)
        right = outcome.right.numpy()
        comparable = published is not None and published.images == len(right)
        agreeing = int((published.right == right).sum()) if published is not None and comparable else None
        return Check(row, outcome.accuracy, agreeing, len(right))

    def _pretrain(self, cell: EvaluateCell, device: torch.device) -> Encoder:
        training = Pretraining(cell.pretrain, self.datasets[cell.pretrain.dataset], device)
        for _ in training.reports():
            pass
        return training.pretext.evaluated


def run_again(
    reproductions: Sequence[Reproduction], device: torch.device, workers: int
) -> Iterator[tuple[Path, list[Check]]]:
    """Run the rows of several files again; yields a file and its checks of one pretraining whenever they are done.

    Args:
        workers: processes; what took longest when it was published starts first.
    """
    jobs = [
        (max(row.seconds for row in rows), reproduction.place, [row.number for row in rows])
        for reproduction in reproductions
        for _, grouped in groupby(reproduction.rows, lambda row: row.cell.pretrain.cell_id)
        for rows in [list(grouped)]
    ]
    jobs.sort(key=lambda job: -job[0])
    pool = Parallel(n_jobs=workers, return_as="generator_unordered")
    yield from pool(delayed(_again)(place, numbers, device) for _, place, numbers in jobs)


Place = tuple[Path, Path, str | None, tuple[str, ...]]


def _again(place: Place, numbers: list[int], device: torch.device) -> tuple[Path, list[Check]]:
    return place[0], _opened(*place).checks(numbers, device)


@cache
def _opened(path: Path, data_root: Path, suite: str | None, plugins: tuple[str, ...]) -> Reproduction:
    """All rows of a file, read once by every process."""
    return Reproduction(path, data_root, suite=suite, plugins=plugins)


def choose(records: pd.DataFrame, rows: Sequence[str], path: Path) -> pd.DataFrame:
    """The test accuracies that any of the selections names; all of them without one.

    Args:
        rows: each either numbers of records, `12` or `3-8` or `3-8,12`, counted from 1 in the file; or conditions on
            columns that must all hold, `pretext=simclr,label_fraction=0.01`.

    Raises:
        InputError: a selection cannot be read, names a column or a number that is not there, or holds no test accuracy.
    """
    scores = records.loc[headline(records).index]  # with protocols as the file has them
    if scores.empty:
        raise InputError(f"{path} holds no test accuracies")
    if not rows:
        return scores
    found: set[int] = set()
    for text in rows:
        chosen = _by_condition(scores, text) if "=" in text else _by_number(scores, text, len(records))
        if not chosen:
            raise InputError(f"--rows {text!r} names no test accuracy of {path}")
        found |= chosen
    return scores.loc[sorted(found)]


def drawn(rows: pd.DataFrame, sample: int | None) -> pd.DataFrame:
    """So many of the rows, at random but always the same; all of them if there are no more, or for None."""
    if sample is None or sample >= len(rows):
        return rows
    return rows.loc[sorted(random.Random(0).sample(list(rows.index), sample))]


def _by_condition(scores: pd.DataFrame, text: str) -> set[int]:
    holds = pd.Series(True, index=scores.index)
    for condition in text.split(","):
        column, _, wanted = (part.strip() for part in condition.partition("="))
        if column not in COLUMN_TYPES:
            raise InputError(f"--rows {text!r}: unknown column {column!r}; choose one of {', '.join(COLUMN_TYPES)}")
        kind = COLUMN_TYPES[column]
        try:
            holds &= scores[column] == kind(wanted)
        except ValueError as error:
            raise InputError(f"--rows {text!r}: {column} must be {kind.__name__}, not {wanted!r}") from error
    return set(scores.index[holds])


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _by_number(scores: pd.DataFrame, text: str, count: int) -> set[int]:
    numbers: set[int] = set()
    for part in text.split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        if not _is_number(first) or (dash and not _is_number(last)):
            raise InputError(f"--rows {text!r} is neither numbers such as 3-8,12 nor conditions such as pretext=simclr")
        low, high = int(first), int(last or first)
        if not 1 <= low <= high <= count:
            raise InputError(f"--rows {text!r}: there are records 1 to {count}")
        numbers |= set(range(low - 1, high))
    return numbers & set(scores.index)


def _plan(name: str, data_root: Path) -> tuple[dict[str, Dataset], dict[str, EvaluateCell]]:
    """Datasets by identity, and every evaluation the suite defines by cell."""
    suite = suites.load(name)
    datasets = {asked: load(asked, data_root) for asked in suite.all_datasets}
    inputs = {asked: Source.of(asked, dataset) for asked, dataset in datasets.items()}
    cells = {cell.cell_id: cell for cell in make_plan(suite, inputs).evaluations}
    return {dataset.name: dataset for dataset in datasets.values()}, cells


def _published(records: pd.DataFrame, chosen: pd.DataFrame, cells: dict[str, EvaluateCell]) -> list[Published]:
    together = [runs for row in rows_of(evaluations(records)) for runs in row.runs.values()]
    beside = {run.cell_id: runs for runs in together for run in runs}
    return [
        Published(
            int(index) + 1,
            line["value"],
            tuple(run.value for run in beside[line["cell_id"]] if run.cell_id != line["cell_id"]),
            cells[line["cell_id"]],
            line["pretrain_seconds"] + line["evaluate_seconds"],
        )
        for index, line in zip(chosen.index, chosen.to_dict("records"), strict=True)
    ]
