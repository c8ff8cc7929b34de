"""Records made by hand, and what is made of records: what the tests of the report are written in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sslbench.contract.record import Record
from sslbench.contract.settings import TunedArm
from sslbench.contract.spec import BASELINES
from sslbench.contract.titles import WITHOUT_ENCODER
from sslbench.report.attachments import Answered, Answers
from sslbench.report.scores import lay_out
from sslbench.report.statistics import Analysis
from sslbench.report.statistics.summary import summarise
from sslbench.report.tables import tables_of
from sslbench.report.tables.latex import table_tex
from sslbench.report.tables.markdown import table_markdown


def record(pretext: str, protocol: str, fraction: float, seed: int, value: float, latent_dim: int = 32) -> Record:
    encoder = "raw" if pretext in WITHOUT_ENCODER else "conv"
    return Record(
        suite="made_up",
        cell_id=f"{pretext}-{latent_dim}-{protocol}-{fraction}-{seed}",
        run_id=f"run-{pretext}-{protocol}-{fraction}-{seed}",
        dataset="digits",
        pretrain_dataset="" if pretext in BASELINES else "digits",
        modality="image",
        encoder=encoder,
        pretext=pretext,
        latent_dim=784 if encoder == "raw" else latent_dim,
        seed=seed,
        label_seed=seed,
        label_fraction=fraction,
        num_labels=round(1000 * fraction),
        labels_per_class=0,
        num_classes=0,
        protocol=protocol,
        reading="latent",
        metric="accuracy",
        value=value,
        split="test",
        pretrain_epochs=5.0,
        pretrain_steps=500,
        pretrain_seconds=10.0 + seed,
        pretrain_samples=5000,
        pretrain_flops=2.5e12,
        evaluate_seconds=0.5,
        evaluate_flops=1e10,
        parameters=97088,
        dataset_version=1,
        encoder_version=1,
        pretext_version=1,
        protocol_version=1,
        config_hash="0123456789012345",
        git_commit="",
        sslbench_version="0.1.0",
        device="cpu",
        started_at="2026-01-01T00:00:00Z",
    )


def probes(pretext: str, *values: float, fraction: float = 0.01, protocol: str = "linear_probe") -> list[Record]:
    return [record(pretext, protocol, fraction, seed, value) for seed, value in enumerate(values)]


def supervised(*values: float, fraction: float = 0.01) -> list[Record]:
    return probes("supervised", *values, fraction=fraction, protocol="finetune")


def markdown(records: pd.DataFrame, title: str = "t", notes: Sequence[str] = ()) -> str:
    return table_markdown(tables_of(lay_out(records)), title, notes)


def latex(records: pd.DataFrame, title: str = "t") -> str:
    return table_tex(tables_of(lay_out(records)), title)


def summary(records: pd.DataFrame) -> pd.DataFrame:
    return summarise(lay_out(records).blocks)


def analysed(records: pd.DataFrame, tuning: Sequence[TunedArm] = ()) -> Analysis:
    return Analysis(lay_out(records), tuning)


def tuned_arm(pretext: str, trials: int, seconds: float, flops: float) -> TunedArm:
    found: dict[str, float | int] = {"optimizer.learning_rate": 0.001}
    return TunedArm(found, 0.9, 0.8, 0, trials, trials, 1.0, seconds, 1000, flops, pretext, "budget_cv")


def answered(records: Sequence[Record], images: int = 1000, seed: int = 0) -> Answers:
    """Answers that make the recorded accuracies, to inputs of which some are hard for everybody, some for one row."""
    random = np.random.default_rng(seed)
    difficulty = random.normal(0, 2, images)
    own = {pretext: random.normal(0, 1, images) for pretext in sorted({made.pretext for made in records})}
    found = {}
    for made in records:
        easiest = np.argsort(difficulty + own[made.pretext] + random.normal(0, 0.5, images))[
            : round(made.value * images)
        ]
        right = np.isin(np.arange(images), easiest)
        found[made.cell_id] = Answered(made.dataset, images, np.packbits(right).tobytes())
    return found
