"""What the numbers cost: pretraining once per encoder, evaluation once per label budget."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from sslbench.report.records import pretext_rank
from sslbench.report.scores.blocks import RAW, protocol_rank

_UNITS = ((1e15, "PFLOPs"), (1e12, "TFLOPs"), (1e9, "GFLOPs"), (1e6, "MFLOPs"))


@dataclass(frozen=True)
class Cost:
    """Mean cost of one encoder of a pretext and latent size; NaN for what was not measured.

    Attributes:
        pretrain_seconds: mean over seeds, as are samples and FLOPs.
        parameters: of the encoder; the largest if records differ.
        evaluate_seconds: protocol to mean seconds of one evaluation, over label fractions and seeds.
    """

    dataset: str
    pretrain_dataset: str
    encoder: str
    pretext: str
    latent_dim: int
    pretrain_seconds: float
    pretrain_samples: float
    pretrain_flops: float
    parameters: int
    evaluate_seconds: dict[str, float]


def costs(records: pd.DataFrame) -> list[Cost]:
    """One entry per dataset, pretraining dataset, encoder, pretext and latent size, in table order (raw first)."""
    chosen = records[(records["metric"] == "accuracy") & (records["split"] == "test")]
    found: list[Cost] = []
    for _, group in chosen.groupby(["dataset", "pretrain_dataset", "encoder", "pretext", "latent_dim"], sort=True):
        first = group.iloc[0]
        pretraining = group.drop_duplicates("seed")
        evaluating = {
            protocol: mean(group.loc[group["protocol"] == protocol, "evaluate_seconds"].tolist())
            for protocol in sorted(group["protocol"].unique(), key=protocol_rank)
        }
        found.append(
            Cost(
                dataset=str(first["dataset"]),
                pretrain_dataset=str(first["pretrain_dataset"]),
                encoder=str(first["encoder"]),
                pretext=str(first["pretext"]),
                latent_dim=int(first["latent_dim"]),
                pretrain_seconds=mean(pretraining["pretrain_seconds"].tolist()),
                pretrain_samples=mean(pretraining["pretrain_samples"].tolist()),
                pretrain_flops=mean(pretraining["pretrain_flops"].tolist()),
                parameters=int(group["parameters"].max()),
                evaluate_seconds=evaluating,
            )
        )
    return sorted(found, key=_reading_order)


def _reading_order(cost: Cost) -> tuple[str, bool, str, str, tuple[int, str], int]:
    place = cost.dataset, cost.encoder != RAW, cost.encoder, cost.pretrain_dataset
    return *place, pretext_rank(cost.pretext), cost.latent_dim


def mean(values: Sequence[float]) -> float:
    """Mean of what was measured; NaN if nothing was."""
    measured = [value for value in values if not math.isnan(value)]
    return math.fsum(measured) / len(measured) if measured else math.nan


def format_seconds(seconds: float) -> str:
    """Seconds with three digits; `–` if not measured."""
    if math.isnan(seconds):
        return "–"
    return f"{seconds:,.0f}" if seconds >= 100 else f"{seconds:.3g}"


def format_count(number: float) -> str:
    """A whole number with thousands separated; `–` if not measured."""
    return "–" if math.isnan(number) else f"{number:,.0f}"


def format_flops(flops: float) -> str:
    """Floating point operations in the unit that leaves one to three digits; `–` if not measured."""
    if math.isnan(flops):
        return "–"
    for size, unit in _UNITS:
        if flops >= size:
            return f"{flops / size:.3g} {unit}"
    return f"{flops:,.0f}"
