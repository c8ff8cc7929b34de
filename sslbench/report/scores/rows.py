"""Records as arrays: every row of a table as a matrix of scores, seeds by label fractions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sslbench.contract.spec import InputError
from sslbench.report.records import pretext_rank
from sslbench.report.scores.blocks import RAW, protocol_rank
from sslbench.report.scores.replicates import Replicate, independent

Floats = NDArray[np.float64]

#: What names a row of the tables, in every frame of the analysis.
ROW_KEY = ("dataset", "encoder", "latent_dim", "protocol", "pretrain_dataset", "pretext")

_REPLICATE = ["seed", "label_seed"]
_CELL = [*ROW_KEY, "label_fraction", *_REPLICATE]
_COSTS = [
    *("num_labels", "run_id", "pretrain_seconds", "pretrain_samples", "pretrain_flops"),
    *("evaluate_seconds", "evaluate_flops"),
]


@dataclass(frozen=True)
class Row:
    """The scores of one row of a table.

    Attributes:
        fractions: label fractions, increasing, as is `num_labels`.
        num_labels: `(fractions,)` labels at each.
        replicates: what the rows of `test` are, in order.
        test: `(replicates, fractions)` test accuracy in [0, 1]; NaN where there is no record.
    """

    dataset: str
    encoder: str
    latent_dim: int
    protocol: str
    pretrain_dataset: str
    pretext: str
    fractions: tuple[float, ...]
    num_labels: Floats
    replicates: tuple[Replicate, ...]
    test: Floats

    @property
    def key(self) -> tuple[object, ...]:
        """The values of `ROW_KEY`."""
        return (self.dataset, self.encoder, self.latent_dim, self.protocol, self.pretrain_dataset, self.pretext)

    def scores(self, fraction: float) -> dict[Replicate, float]:
        """Test accuracy by replicate at one label fraction; replicates without a record are left out."""
        if fraction not in self.fractions:
            return {}
        column = self.test[:, self.fractions.index(fraction)]
        return {
            replicate: float(value)
            for replicate, value in zip(self.replicates, column, strict=True)
            if not np.isnan(value)
        }


@dataclass(frozen=True)
class Section:
    """Everything that is compared with one `supervised`: same dataset, encoder and latent size.

    Attributes:
        supervised: None if it was not run.
        rows: all others but the majority class, in table order; `raw_pixels` stands in every section of its dataset.
    """

    dataset: str
    encoder: str
    latent_dim: int
    supervised: Row | None
    rows: tuple[Row, ...]


def evaluations(records: pd.DataFrame) -> pd.DataFrame:
    """One row per evaluation and replicate: `ROW_KEY`, label_fraction, seed, label_seed, num_labels, run_id, costs,
    `test` and `budget` (accuracy in [0, 1] on the test split and inside the label budget; NaN if not recorded).

    Every statistic takes replicates as independent. Where seeds are crossed with label seeds the evaluations of one
    encoder are not, so only the `independent` ones enter; the variance split alone reads the rest.

    Raises:
        InputError: two records claim the same cell and seed. Averaging them would hide that one is stale.
    """
    return keep_independent(all_evaluations(records))


def all_evaluations(records: pd.DataFrame) -> pd.DataFrame:
    """As `evaluations`, with every combination of seed and label seed, sorted: no order of records shows in a sum.

    Raises:
        InputError: as `evaluations`.
    """
    accuracies = records[(records["metric"] == "accuracy") & records["value"].notna()]
    test = accuracies[accuracies["split"] == "test"]
    _check_unique(test)
    budget = accuracies[accuracies["split"] == "budget"].drop_duplicates(_CELL).set_index(_CELL)["value"]
    frame = test[[*_CELL, *_COSTS, "value"]].rename(columns={"value": "test"})
    return frame.join(budget.rename("budget"), on=_CELL).sort_values(_CELL, ignore_index=True)


def keep_independent(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of `frame` (dataset, seed, label_seed, …) whose replicates are `independent` within their dataset."""
    kept = [
        group[pd.MultiIndex.from_frame(group[_REPLICATE]).isin(independent(_replicates(group)))]
        for _, group in frame.groupby("dataset", sort=True)
    ]
    return pd.concat(kept, ignore_index=True) if kept else frame


def sections(evaluated: pd.DataFrame) -> tuple[Section, ...]:
    """The rows of `evaluations` laid out for comparison, in table order."""
    rows = _rows(evaluated[evaluated["pretext"] != "majority_class"])
    found = []
    for dataset, encoder, latent_dim in sorted(
        {(row.dataset, row.encoder, row.latent_dim) for row in rows if row.encoder != RAW}
    ):
        members = [row for row in rows if (row.dataset, row.encoder, row.latent_dim) == (dataset, encoder, latent_dim)]
        members += [row for row in rows if (row.dataset, row.encoder) == (dataset, RAW)]
        supervised = next((row for row in members if row.pretext == "supervised"), None)
        others = sorted((row for row in members if row.pretext != "supervised"), key=_table_order)
        found.append(Section(dataset, encoder, latent_dim, supervised, tuple(others)))
    return tuple(found)


def _table_order(row: Row) -> tuple[object, ...]:
    return protocol_rank(row.protocol), pretext_rank(row.pretext), row.pretrain_dataset


def _rows(evaluated: pd.DataFrame) -> list[Row]:
    return [_row(key, group) for key, group in evaluated.groupby(list(ROW_KEY), sort=True)]


def _row(key: Iterable[object], group: pd.DataFrame) -> Row:
    dataset, encoder, latent_dim, protocol, pretrain_dataset, pretext = key
    fractions, columns = np.unique(group["label_fraction"].to_numpy(float), return_inverse=True)
    found = _replicates(group)
    replicates = tuple(sorted(set(found)))
    lines = {replicate: line for line, replicate in enumerate(replicates)}
    test = np.full((len(replicates), len(fractions)), np.nan)
    test[[lines[replicate] for replicate in found], columns] = group["test"].to_numpy(float)
    num_labels = np.zeros(len(fractions))
    np.maximum.at(num_labels, columns, group["num_labels"].to_numpy(float))
    return Row(
        *(str(dataset), str(encoder), int(str(latent_dim)), str(protocol), str(pretrain_dataset), str(pretext)),
        fractions=tuple(float(fraction) for fraction in fractions),
        num_labels=num_labels,
        replicates=replicates,
        test=test,
    )


def _replicates(evaluated: pd.DataFrame) -> list[Replicate]:
    return [
        Replicate(int(seed), int(label)) for seed, label in zip(*(evaluated[name] for name in _REPLICATE), strict=True)
    ]


def _check_unique(test: pd.DataFrame) -> None:
    repeated = test[test.duplicated(_CELL, keep=False)].sort_values([*_CELL, "run_id"])
    if len(repeated):
        first, second = repeated.iloc[0], repeated.iloc[1]
        where = " ".join(str(first[name]) for name in ("dataset", "encoder", "pretext", "protocol"))
        at = f"d={first['latent_dim']} {100 * first['label_fraction']:g}% seed {first['seed']}"
        raise InputError(f"two records for {where} {at}: runs {first['run_id']} and {second['run_id']}; keep one")
