"""What the numbers cost: pretraining once per encoder, evaluation once per label budget."""

from __future__ import annotations

import pandas as pd

from sslbench.contract.titles import RAW
from sslbench.report.records import pretext_rank

#: What names an encoder in the ledger.
ENCODER = ["dataset", "pretrain_dataset", "encoder", "pretext", "latent_dim"]

#: What pretraining it took, once per seed.
PRETRAINING = ["pretrain_seconds", "pretrain_samples", "pretrain_flops"]


def costs(every: pd.DataFrame) -> pd.DataFrame:
    """Mean cost of every encoder, in table order (raw first); NaN for what was not measured.

    Args:
        every: all `evaluations`.

    Returns:
        Columns `ENCODER`, `PRETRAINING` (means over seeds), parameters (the most if records differ), and one per
        protocol: mean seconds of one evaluation, over label fractions and seeds.
    """
    pretraining = every.drop_duplicates([*ENCODER, "seed"]).groupby(ENCODER)[PRETRAINING].mean()
    parameters = every.groupby(ENCODER)[["parameters"]].max()
    evaluating = every.pivot_table("evaluate_seconds", ENCODER, "protocol", dropna=False)
    found = pretraining.join([parameters, evaluating]).reset_index()
    order = [_reading_order(*key) for key in found[ENCODER].itertuples(index=False)]
    return found.iloc[sorted(range(len(found)), key=order.__getitem__)]


def _reading_order(dataset: str, origin: str, encoder: str, pretext: str, latent_dim: int) -> tuple[object, ...]:
    return dataset, encoder != RAW, encoder, origin, pretext_rank(pretext), latent_dim
