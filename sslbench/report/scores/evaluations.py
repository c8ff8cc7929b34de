"""The test accuracies among records, one line each: what every table, figure and statistic starts from."""

from __future__ import annotations

import pandas as pd

from sslbench.contract.spec import InputError, table_protocol
from sslbench.report.scores.replicates import Replicate, independent

#: What names a row of the tables, in every frame of the analysis.
ROW_KEY = ("dataset", "encoder", "latent_dim", "protocol", "pretrain_dataset", "pretext")

#: What names one evaluation.
CELL = [*ROW_KEY, "label_fraction"]

REPLICATE = ["seed", "label_seed"]


def headline(records: pd.DataFrame) -> pd.DataFrame:
    """The records of accuracy on the test split, all that tables and curves show. A NaN is no score.

    From here on `protocol` is what tables call it: with its reading, where that is not the latent.

    Raises:
        InputError: two records claim the same cell and replicate. Averaging them would hide that one is stale.
    """
    accuracies = (records["metric"] == "accuracy") & records["value"].notna()
    chosen = _named(records[accuracies & (records["split"] == "test")])
    line = [*CELL, *REPLICATE]
    repeated = chosen[chosen.duplicated(line, keep=False)].sort_values([*line, "run_id"])
    if len(repeated):
        first, second = repeated.iloc[0], repeated.iloc[1]
        where = f"{first['dataset']} {first['encoder']} {first['pretext']} d={first['latent_dim']} {first['protocol']}"
        at = f"{100 * first['label_fraction']:g}% seed {Replicate(first['seed'], first['label_seed'])}"
        raise InputError(f"two records for {where} at {at}: runs {first['run_id']} and {second['run_id']}; keep one")
    return chosen


def evaluations(records: pd.DataFrame) -> pd.DataFrame:
    """One line per evaluation and replicate, sorted, so that no order of records shows in a sum.

    The columns of a record, costs included, but for `test` and `budget` instead of metric, split and value: accuracy
    in [0, 1] on the test split and inside the label budget, NaN if not recorded.

    Raises:
        InputError: as `headline`.
    """
    line = [*CELL, *REPLICATE]
    inside = _named(records[(records["metric"] == "accuracy") & (records["split"] == "budget")])
    budget = inside.drop_duplicates(line).set_index(line)["value"].rename("budget")
    frame = headline(records).drop(columns=["metric", "split"]).rename(columns={"value": "test"})
    return frame.join(budget, on=line).sort_values(line, ignore_index=True)


def _named(records: pd.DataFrame) -> pd.DataFrame:
    """With protocols as tables name them."""
    pairs = records[["protocol", "reading"]].itertuples(index=False)
    return records.assign(protocol=[table_protocol(*pair) for pair in pairs])


def keep_independent(frame: pd.DataFrame) -> pd.DataFrame:
    """The lines of `frame` (dataset, seed, label_seed, …) whose replicates are `independent` within their dataset."""
    kept = [
        group[pd.MultiIndex.from_frame(group[REPLICATE]).isin(independent(replicates_of(group)))]
        for _, group in frame.groupby("dataset", sort=True)
    ]
    return pd.concat(kept, ignore_index=True) if kept else frame


def replicates_of(frame: pd.DataFrame) -> list[Replicate]:
    """The replicate of every line."""
    return [Replicate(*pair) for pair in frame[REPLICATE].itertuples(index=False)]
