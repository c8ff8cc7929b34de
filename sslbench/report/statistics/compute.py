"""Accuracy against what it cost, and whether the budgets that are compared were equal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd

from sslbench.contract.settings import TunedArm
from sslbench.contract.spec import BASELINES
from sslbench.contract.titles import RAW
from sslbench.report.scores.evaluations import ROW_KEY
from sslbench.report.statistics.spread import estimate

#: Budgets within this factor of each other count as equal.
MATCHED_WITHIN = 1.25

COST_COLUMNS = (
    *ROW_KEY,
    "label_fraction",
    "accuracy",
    "low",
    "high",
    "flops",
    "pretrain_seconds",
    "evaluate_seconds",
    "tuning_seconds",
    "seconds",
    "amortised_seconds",
    "seconds_front",
    "flops_front",
)

BUDGET_COLUMNS = (
    "dataset",
    "encoder",
    "latent_dim",
    "quantity",
    "least",
    "least_pretext",
    "most",
    "most_pretext",
    "ratio",
    "matched",
)

_QUANTITIES = {"pretrain_samples": "samples", "pretrain_flops": "FLOPs", "pretrain_seconds": "seconds"}


def compute(evaluated: pd.DataFrame, tuning: Iterable[TunedArm] = ()) -> pd.DataFrame:
    """Mean accuracy and cost of every row at every label fraction, and who is on the Pareto front.

    `seconds` is the whole bill of having this one number: tuning, if given, plus pretraining plus one evaluation.
    `amortised_seconds` shares tuning and pretraining, paid once per encoder, among all evaluations that the records
    hold of that encoder. `flops` is the same bill in floating-point operations of the networks; it is NaN for records
    from before evaluations counted theirs.

    On a front (Pareto) no other row of the same dataset, encoder and fraction is at least as accurate for less, nor
    more accurate for the same. Means are compared as they are: a row may be off the front by less than its interval.

    Returns:
        Columns `COST_COLUMNS`, the encoder `raw` listed with every encoder it is compared with; `low` and `high` are
        the interval of the accuracy.
    """
    cells = _cells(evaluated, {item.pretext: item for item in tuning})
    lines: list[pd.DataFrame] = []
    for dataset, encoder in sorted(set(zip(cells["dataset"], cells["encoder"], strict=True))):
        if encoder == RAW:
            continue
        here = cells[(cells["dataset"] == dataset) & cells["encoder"].isin([encoder, RAW])].assign(encoder=encoder)
        lines += [_with_fronts(part) for _, part in here.groupby("label_fraction", sort=True)]
    empty = pd.DataFrame(columns=list(COST_COLUMNS))
    return pd.concat(lines, ignore_index=True)[list(COST_COLUMNS)] if lines else empty


def front(costs: Iterable[float], gains: Iterable[float]) -> list[bool]:
    """Which points are on the Pareto front of little cost and much gain, in the given order; NaN costs are not.

    Points that agree in both, up to rounding, are on it together.
    """
    points = [(float(f"{cost:.12g}"), round(gain, 12)) for cost, gain in zip(costs, gains, strict=True)]
    best: set[tuple[float, float]] = set()
    reached = -math.inf
    measured = {point for point in points if not math.isnan(point[0])}
    for cost, gain in sorted(measured, key=lambda point: (point[0], -point[1])):
        if gain > reached:
            best.add((cost, gain))
            reached = gain
    return [point in best for point in points]


def budgets(evaluated: pd.DataFrame, tuning: Iterable[TunedArm] = ()) -> pd.DataFrame:
    """Whether pretexts had equal budgets: samples, FLOPs and seconds of pretraining, and trials of tuning if given.

    Returns:
        Columns `BUDGET_COLUMNS`: means over seeds of the pretext with the least and with the most per dataset,
        encoder and latent size; `matched` where the ratio is at most `MATCHED_WITHIN`.
        Absent where fewer than two pretexts were measured.
    """
    trials = {item.pretext: float(item.trials) for item in tuning}
    encoders = evaluated[~evaluated["pretext"].isin(BASELINES)].drop_duplicates(
        ["dataset", "pretrain_dataset", "encoder", "latent_dim", "pretext", "seed"]
    )
    lines: list[tuple[object, ...]] = []
    for key, group in encoders.groupby(["dataset", "encoder", "latent_dim"], sort=True):
        means = group.groupby("pretext")[list(_QUANTITIES)].mean()
        spent = {
            name: {str(pretext): float(value) for pretext, value in means[column].dropna().items()}
            for column, name in _QUANTITIES.items()
        }
        spent["trials"] = {pretext: trials[pretext] for pretext in map(str, means.index) if pretext in trials}
        for quantity, by_pretext in spent.items():
            lines += [(*key, *line) for line in _budget(quantity, by_pretext)]
    return pd.DataFrame(lines, columns=list(BUDGET_COLUMNS))


def _cells(evaluated: pd.DataFrame, spent: Mapping[str, TunedArm]) -> pd.DataFrame:
    """Means over replicates of accuracy and cost per row and label fraction."""
    chosen = evaluated[evaluated["pretext"] != "majority_class"]
    uses = chosen.groupby(["pretrain_dataset", "encoder", "latent_dim", "pretext", "seed"])["test"].transform("size")
    tuning = np.array([_tuning(spent.get(name)) for name in chosen["pretext"]]).reshape(-1, 2)
    shared = chosen["pretrain_seconds"].fillna(0) + tuning[:, 0]
    chosen = chosen.assign(
        tuning_seconds=tuning[:, 0],
        seconds=shared + chosen["evaluate_seconds"],
        amortised_seconds=shared / uses + chosen["evaluate_seconds"],
        flops=chosen["pretrain_flops"].fillna(0) + tuning[:, 1] + chosen["evaluate_flops"],
    )
    keys = [*ROW_KEY, "label_fraction"]
    columns = ["flops", "pretrain_seconds", "evaluate_seconds", "tuning_seconds", "seconds", "amortised_seconds"]
    grouped = chosen.groupby(keys, sort=True)
    found = grouped[columns].mean().reset_index()
    spreads = [estimate(scores.tolist()) for _, scores in grouped["test"]]
    return found.assign(
        accuracy=[spread.mean for spread in spreads],
        low=[spread.low for spread in spreads],
        high=[spread.high for spread in spreads],
    )


def _tuning(arm: TunedArm | None) -> tuple[float, float]:
    """Seconds and operations of choosing settings; nothing for what was not tuned."""
    return (0.0, 0.0) if arm is None else (arm.seconds, arm.flops)


def _with_fronts(part: pd.DataFrame) -> pd.DataFrame:
    return part.assign(
        seconds_front=front(part["seconds"].tolist(), part["accuracy"].tolist()),
        flops_front=front(part["flops"].tolist(), part["accuracy"].tolist()),
    )


def _budget(quantity: str, by_pretext: dict[str, float]) -> Iterator[tuple[object, ...]]:
    if len(by_pretext) < 2:
        return
    least, most = (min(by_pretext, key=by_pretext.__getitem__), max(by_pretext, key=by_pretext.__getitem__))
    low, high = by_pretext[least], by_pretext[most]
    ratio = high / low if low > 0 else (1.0 if high == 0 else math.inf)
    yield quantity, low, least, high, most, ratio, ratio <= MATCHED_WITHIN
