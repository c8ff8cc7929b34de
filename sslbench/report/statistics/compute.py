"""What the numbers cost, accuracy against it, and whether the budgets that are compared were equal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import pandas as pd

from sslbench.contract.settings import TunedArm
from sslbench.contract.spec import BASELINES
from sslbench.contract.titles import RAW
from sslbench.report.records import pretext_rank
from sslbench.report.scores.evaluations import CELL
from sslbench.report.statistics.spread import estimate

#: Budgets within this factor of each other count as equal.
MATCHED_WITHIN = 1.25

#: What names an encoder in the ledger.
ENCODER = ["dataset", "pretrain_dataset", "encoder", "pretext", "latent_dim"]

#: What pretraining it took, once per seed.
PRETRAINING = ["pretrain_seconds", "pretrain_epochs", "pretrain_steps", "pretrain_samples", "pretrain_flops"]

COST_COLUMNS = (*CELL, "accuracy", "low", "high", "seconds", "flops")

BUDGET_COLUMNS = (
    *("dataset", "encoder", "latent_dim", "quantity"),
    *("least", "least_pretext", "most", "most_pretext", "ratio", "matched"),
)

_QUANTITIES = {"pretrain_samples": "samples", "pretrain_flops": "FLOPs", "pretrain_seconds": "seconds"}


def costs(every: pd.DataFrame) -> pd.DataFrame:
    """Mean cost of every encoder, in table order (raw first); NaN for what was not measured.

    Args:
        every: all `evaluations`.

    Returns:
        Columns `ENCODER`, `PRETRAINING` (means over seeds), parameters (the most if records differ), and one per
        protocol: mean seconds of one evaluation, over label fractions and seeds.
    """
    unknown = (every["pretrain_steps"] == 0) & (every["pretrain_samples"] > 0)  # in records of before they were kept
    every = every.assign(pretrain_steps=every["pretrain_steps"].mask(unknown))
    pretraining = every.drop_duplicates([*ENCODER, "seed"]).groupby(ENCODER)[PRETRAINING].mean()
    parameters = every.groupby(ENCODER)[["parameters"]].max()
    evaluating = every.pivot_table("evaluate_seconds", ENCODER, "protocol", dropna=False)
    found = pretraining.join([parameters, evaluating]).reset_index()
    order = [_reading_order(*key) for key in found[ENCODER].itertuples(index=False)]
    return found.iloc[sorted(range(len(found)), key=order.__getitem__)]


def processor_seconds(every: pd.DataFrame) -> float:
    """What all pretrainings, each once, and all evaluations took together."""
    return float(every["evaluate_seconds"].sum() + every.drop_duplicates([*ENCODER, "seed"])["pretrain_seconds"].sum())


def _reading_order(dataset: str, origin: str, encoder: str, pretext: str, latent_dim: int) -> tuple[object, ...]:
    return dataset, encoder != RAW, encoder, origin, pretext_rank(pretext), latent_dim


def compute(evaluated: pd.DataFrame, tuning: Sequence[TunedArm] = ()) -> pd.DataFrame:
    """Mean accuracy of every row at every label fraction, and what having this one number costs.

    `seconds` is the whole bill: tuning, if given, plus pretraining plus one evaluation. `flops` is the same bill in
    floating-point operations of the networks; NaN for records from before evaluations counted theirs.

    Returns:
        Columns `COST_COLUMNS`, the encoder `raw` listed with every encoder it is compared with; `low` and `high` are
        the interval of the accuracy.
    """
    chosen = evaluated[evaluated["pretext"] != "majority_class"]
    tuned_seconds = chosen["pretext"].map({arm.pretext: arm.seconds for arm in tuning}).astype(float).fillna(0)
    tuned_flops = chosen["pretext"].map({arm.pretext: arm.flops for arm in tuning}).astype(float).fillna(0)
    grouped = chosen.assign(
        seconds=chosen["pretrain_seconds"].fillna(0) + tuned_seconds + chosen["evaluate_seconds"],
        flops=chosen["pretrain_flops"].fillna(0) + tuned_flops + chosen["evaluate_flops"],
    ).groupby(CELL, sort=True)
    spreads = [estimate(scores.tolist()) for _, scores in grouped["test"]]
    cells = grouped[["seconds", "flops"]].mean().reset_index()
    cells = cells.assign(
        accuracy=[spread.mean for spread in spreads],
        low=[spread.low for spread in spreads],
        high=[spread.high for spread in spreads],
    )[list(COST_COLUMNS)]
    places = sorted(set(zip(cells["dataset"], cells["encoder"], strict=True)))
    shown = [
        cells[(cells["dataset"] == dataset) & cells["encoder"].isin([encoder, RAW])].assign(encoder=encoder)
        for dataset, encoder in places
        if encoder != RAW
    ]
    return pd.concat(shown, ignore_index=True) if shown else cells.head(0)


def front(costs: Iterable[float], gains: Iterable[float]) -> list[bool]:
    """Which points are on the Pareto front of little cost and much gain, in the given order; NaN costs are not.

    Nothing is as accurate for less, nor more accurate for the same. Points that agree in both, up to rounding, are on
    it together.
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


def budgets(evaluated: pd.DataFrame, tuning: Sequence[TunedArm] = ()) -> pd.DataFrame:
    """Whether pretexts had equal budgets: samples, FLOPs and seconds of pretraining, and trials of tuning if given.

    Returns:
        Columns `BUDGET_COLUMNS`: means over seeds of the pretext with the least and with the most per dataset,
        encoder and latent size; `matched` where the ratio is at most `MATCHED_WITHIN`.
        Absent where fewer than two pretexts were measured.
    """
    trials = {item.pretext: float(item.trials) for item in tuning}
    encoders = evaluated[~evaluated["pretext"].isin(BASELINES)].drop_duplicates([*ENCODER, "seed"])
    lines: list[tuple[object, ...]] = []
    for key, group in encoders.groupby(["dataset", "encoder", "latent_dim"], sort=True):
        means = group.groupby("pretext")[list(_QUANTITIES)].mean().rename(columns=_QUANTITIES)
        means["trials"] = [trials.get(str(pretext), math.nan) for pretext in means.index]
        for quantity, every in means.items():
            spent = every.dropna()
            if len(spent) > 1:
                low, high = float(spent.min()), float(spent.max())
                ratio = high / low if low > 0 else (1.0 if high == 0 else math.inf)
                ends = low, spent.idxmin(), high, spent.idxmax()
                lines.append((*key, quantity, *ends, ratio, ratio <= MATCHED_WITHIN))
    return pd.DataFrame(lines, columns=list(BUDGET_COLUMNS))
