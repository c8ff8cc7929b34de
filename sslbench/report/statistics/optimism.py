"""How much better results would look had choices been made on the test split: why they are not."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from sslbench.report.scores.evaluations import REPLICATE, keep_independent
from sslbench.report.statistics.selection import CANDIDATE, Primary, able_to_choose
from sslbench.report.statistics.spread import estimate

CHECKPOINT_METRIC = r"accuracy_after_(?P<epoch>.+)_epochs"

CHOICE_COLUMNS = (
    *("dataset", "encoder", "pretrain_dataset", "pretext", "label_fraction", "over", "candidates"),
    *("chosen_on_test", "chosen_on_budget", "optimism", "low", "high", "n"),
)
EPOCH_COLUMNS = (
    *("dataset", "encoder", "pretrain_dataset", "pretext", "latent_dim", "protocol", "label_fraction"),
    *("checkpoints", "best_on_test", "over_last", "over_last_low", "over_last_high"),
    *("over_budget", "over_budget_low", "over_budget_high", "n"),
)

SIZE = "latent size"
EVERYTHING = "pretext and latent size"

_ENCODER = list(EPOCH_COLUMNS[:7])
_GAINS = ["best", "over_last", "over_budget"]
_SPLITS = ("test", "budget")


def choice_optimism(evaluated: pd.DataFrame, primary: Primary | None) -> pd.DataFrame:
    """Test accuracy of what the test split would have chosen, minus that of what the label budget chose.

    Per replicate, as a single run would report it, by the primary protocol: the latent size of each pretext at each
    label fraction, and (a line with an empty `pretext`) the pretext as well. It cannot be negative; it grows with the
    number of candidates and the noise of the test score (Cawley & Talbot 2010, JMLR 11). Budget scores that are equal
    choose together, by the mean of their tests. Interval: Student t over replicates, cut at 0.

    Returns:
        Columns `CHOICE_COLUMNS`, accuracies as shares; no line where budget scores are missing, as with one label a
        class, or there is no second candidate.
    """
    able = able_to_choose(evaluated, primary)
    lines: list[tuple[object, ...]] = []
    for key, group in able.groupby(["dataset", "encoder", "pretrain_dataset", "pretext", "label_fraction"], sort=True):
        lines += [(*key, SIZE, *found) for found in _choose(group)]
    for (dataset, encoder, fraction), group in able.groupby(["dataset", "encoder", "label_fraction"], sort=True):
        lines += [(dataset, encoder, "", "", fraction, EVERYTHING, *found) for found in _choose(group)]
    return pd.DataFrame(lines, columns=list(CHOICE_COLUMNS))


def epoch_optimism(records: pd.DataFrame) -> pd.DataFrame:
    """What reporting the best epoch on the test split would have added: "peer-style best epoch".

    From the checkpoints that were scored during pretraining: the best test score of all epochs, minus that of the last
    epoch, and minus that of the epoch with the best budget score (ties: the earliest). Means over replicates with
    Student t intervals, cut at 0 where the difference cannot be negative.

    Returns:
        Columns `EPOCH_COLUMNS`: a line per encoder, and one with an empty `pretext` and latent size 0 for their mean at
        each dataset, encoder family, protocol and fraction, averaged within replicates first. Empty if no checkpoint
        was scored. Replicates lacking an epoch or a split that others of the encoder have are left out.
    """
    gains = _gains(records)
    lines = [(*key, *_epochs(group)) for key, group in gains.groupby(_ENCODER, sort=True)]
    family = ["dataset", "encoder", "protocol", "label_fraction"]
    averaged = gains.groupby([*family, *REPLICATE], as_index=False)[["checkpoints", *_GAINS]].mean()
    for (dataset, encoder, protocol, fraction), group in averaged.groupby(family, sort=True):
        lines.append((dataset, encoder, "", "", 0, protocol, fraction, *_epochs(group)))
    return pd.DataFrame(lines, columns=list(EPOCH_COLUMNS))


def _gains(records: pd.DataFrame) -> pd.DataFrame:
    """By encoder and replicate: number of checkpoints, best test score, and its lead over last and budget's choice."""
    named = records["metric"].str.extract(f"^{CHECKPOINT_METRIC}$")["epoch"]
    scored = records[named.notna()].assign(epoch=named.dropna().astype(float)).pipe(keep_independent)
    keys = [*_ENCODER, *REPLICATE]
    both = scored.pivot(index=[*keys, "epoch"], columns="split", values="value").reindex(columns=list(_SPLITS)).dropna()
    epochs = both.reset_index()
    by_replicate = epochs.groupby(keys)
    gains = by_replicate["test"].agg(checkpoints="size", best="max", last="last")
    chosen = epochs.loc[by_replicate["budget"].idxmax(), "test"].to_numpy()
    gains = gains.assign(over_last=gains["best"] - gains["last"], over_budget=gains["best"] - chosen).reset_index()
    most = gains.groupby(_ENCODER)["checkpoints"].transform("max")
    return gains[(gains["checkpoints"] == most) & (most > 1)]


def _choose(group: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    """Candidates, the two accuracies, their difference with interval, replicates; nothing with a single candidate."""
    tables = [group.pivot(index=REPLICATE, columns=CANDIDATE, values=split) for split in _SPLITS]
    complete = ~(tables[0].isna() | tables[1].isna()).any(axis=1)
    test, budget = (table[complete].to_numpy(float) for table in tables)
    if not len(test) or test.shape[1] < 2:
        return
    by_test = test.max(axis=1)
    best = np.round(budget, 12) == np.round(budget, 12).max(axis=1, keepdims=True)
    by_budget = (test * best).sum(axis=1) / best.sum(axis=1)
    spread = estimate((by_test - by_budget).tolist())
    means = float(by_test.mean()), float(by_budget.mean())
    yield test.shape[1], *means, spread.mean, _not_negative(spread.low), spread.high, spread.n


def _epochs(gains: pd.DataFrame) -> tuple[float, ...]:
    """Checkpoints, best on test, and both leads with intervals; replicates."""
    last, chosen = estimate(gains["over_last"].tolist()), estimate(gains["over_budget"].tolist())
    return (
        *(int(gains["checkpoints"].max()), float(gains["best"].mean())),
        *(last.mean, _not_negative(last.low), last.high),
        *(chosen.mean, _not_negative(chosen.low), chosen.high),
        last.n,
    )


def _not_negative(low: float) -> float:
    return low if math.isnan(low) else max(0.0, low)
