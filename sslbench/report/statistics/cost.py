"""What the numbers cost: pretraining once per encoder, evaluation once per label budget."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from sslbench.contract.titles import RAW
from sslbench.report.records import pretext_rank


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


def costs(every: pd.DataFrame) -> list[Cost]:
    """One entry per dataset, pretraining dataset, encoder, pretext and latent size, in table order (raw first).

    Args:
        every: all `evaluations`.
    """
    found: list[Cost] = []
    for key, group in every.groupby(["dataset", "pretrain_dataset", "encoder", "pretext", "latent_dim"], sort=True):
        dataset, origin, encoder, pretext, size = key
        pretraining = group.drop_duplicates("seed")
        spent = [
            mean(pretraining[name].tolist()) for name in ("pretrain_seconds", "pretrain_samples", "pretrain_flops")
        ]
        evaluating = {
            str(protocol): mean(part["evaluate_seconds"].tolist()) for protocol, part in group.groupby("protocol")
        }
        place = str(dataset), str(origin), str(encoder), str(pretext), int(str(size))
        found.append(Cost(*place, *(spent[0], spent[1], spent[2]), int(group["parameters"].max()), evaluating))
    return sorted(found, key=_reading_order)


def _reading_order(cost: Cost) -> tuple[str, bool, str, str, tuple[int, str], int]:
    place = cost.dataset, cost.encoder != RAW, cost.encoder, cost.pretrain_dataset
    return *place, pretext_rank(cost.pretext), cost.latent_dim


def mean(values: Sequence[float]) -> float:
    """Mean of what was measured; NaN if nothing was."""
    measured = [value for value in values if not math.isnan(value)]
    return math.fsum(measured) / len(measured) if measured else math.nan
