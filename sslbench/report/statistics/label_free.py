"""Can one choose an encoder without labels? Rank correlation of label-free measures with accuracy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from sslbench.contract.spec import BASELINES
from sslbench.report.scores.measures import mean_measures
from sslbench.report.statistics.spread import CONFIDENCE

#: What a representation should have by the measure's own paper: higher, lower, or (a number) close to it.
PREFERENCES: dict[str, str | float] = {
    "rankme": "higher",
    "lidar": "higher",
    "alpha_req": 1.0,
    "uniformity": "lower",
    "alignment": "lower",
    "per_dimension_std": "higher",
}

MIN_ENCODERS = 4

CORRELATION_COLUMNS = (
    *("dataset", "encoder", "protocol", "label_fraction", "measure", "encoders"),
    *("spearman", "spearman_low", "spearman_high", "loss", "reason"),
)

_ENCODER = ["pretrain_dataset", "encoder", "latent_dim", "pretext"]


def correlations(records: pd.DataFrame, evaluated: pd.DataFrame) -> pd.DataFrame:
    """Rank correlation over encoders of each measure of the representation with test accuracy.

    An encoder is a pretext at a latent size; its measure and accuracy are means over seeds. Measures are oriented
    by `PREFERENCES` (alpha-ReQ as minus its distance to 1), so that 1 always means "the better the measure, the
    more accurate". Baselines do not take part: nobody asks whether to choose the untrained encoder, and it would
    lend every measure an easy contrast.

    Spearman's rho with the interval of Bonett & Wright 2000 (Psychometrika 65), through Fisher's z; a perfect
    correlation is moved by half a swap first, because a few encoders in order are not certainty. There is no test:
    encoders of one pretext at several sizes are no independent draws, nor are label fractions of one dataset further
    evidence. `loss` is what choosing by the measure costs: accuracy of the best encoder minus that of the one it
    prefers.

    Returns:
        Columns `CORRELATION_COLUMNS`. NaN with a `reason` below `MIN_ENCODERS`, or where all values are equal.
    """
    measures = _measures(records)
    pretexts = evaluated[~evaluated["pretext"].isin(BASELINES)]
    keys = ["dataset", *_ENCODER, "protocol", "label_fraction"]
    accuracies = pretexts.groupby(keys, as_index=False)["test"].mean()
    joined = accuracies.merge(measures, on=_ENCODER)
    lines: list[tuple[object, ...]] = []
    for key, group in joined.groupby(["dataset", "encoder", "protocol", "label_fraction"], sort=True):
        lines += [(*key, name, *_correlate(part)) for name, part in group.groupby("measure", sort=True)]
    return pd.DataFrame(lines, columns=list(CORRELATION_COLUMNS))


def _measures(records: pd.DataFrame) -> pd.DataFrame:
    """Mean over seeds of each oriented measure: `_ENCODER`, measure, value; their dataset is the pretraining one."""
    means = mean_measures(records).rename(columns={"dataset": "pretrain_dataset"}).drop(columns="seeds")
    means = means[means["measure"].isin(list(PREFERENCES))]
    oriented = [_orient(name, value) for name, value in zip(means["measure"], means["value"], strict=True)]
    return means.assign(value=np.array(oriented, dtype=float))


def _orient(measure: str, value: float) -> float:
    preference = PREFERENCES[measure]
    if isinstance(preference, float):
        return -abs(value - preference)
    return value if preference == "higher" else -value


def _correlate(group: pd.DataFrame) -> tuple[Any, ...]:
    """Encoders, Spearman with interval, loss, reason."""
    values, accuracies = group["value"].to_numpy(float), group["test"].to_numpy(float)
    n = len(values)
    loss = float(accuracies.max() - accuracies[values == values.max()].mean())
    unknown = (math.nan,) * 3
    if n < MIN_ENCODERS:
        return n, *unknown, loss, f"fewer than {MIN_ENCODERS} encoders"
    if np.ptp(values) == 0 or np.ptp(accuracies) == 0:
        return n, *unknown, loss, "all encoders are equal"
    rho = float(stats.spearmanr(values, accuracies).statistic)
    rho_ends = fisher_interval(rho, (1 + rho**2 / 2) / (n - 3), 6 / (n * (n**2 - 1)))
    return n, rho, *rho_ends, loss, ""


def fisher_interval(correlation: float, variance: float, half_swap: float) -> tuple[float, float]:
    """95% interval of a correlation whose Fisher z has this variance; it ends at 1 (or -1) where nothing disagrees."""
    limit = 1 - half_swap
    centre = math.atanh(max(-limit, min(limit, correlation)))
    reach = float(stats.norm.ppf((1 + CONFIDENCE) / 2)) * math.sqrt(variance)
    low, high = math.tanh(centre - reach), math.tanh(centre + reach)
    return (-1.0 if correlation < -limit else low), (1.0 if correlation > limit else high)
