"""Lay test scores out as the table shows them: a block per dataset, pretraining dataset, encoder, protocol and size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import pandas as pd

from sslbench.contract.spec import BASELINES, REFERENCE_PROTOCOLS, InputError
from sslbench.report.records import pretext_rank
from sslbench.report.scores.replicates import Replicate, Scores, independent

PROTOCOL_ORDER = ("linear_probe", "knn", "finetune")

#: Protocols that not every pretext is expected to have run: training the network is what costs most.
OPTIONAL_PROTOCOLS = ("finetune",)

#: The encoder that is none; its rows stand in every block, whatever the latent size.
RAW = "raw"


class Score(NamedTuple):
    """One test accuracy and where it belongs."""

    dataset: str
    pretrain_dataset: str
    encoder: str
    pretext: str
    latent_dim: int
    protocol: str
    label_fraction: float
    seed: int
    label_seed: int
    num_labels: int
    value: float

    @property
    def replicate(self) -> Replicate:
        """Which repetition it is."""
        return Replicate(self.seed, self.label_seed)


@dataclass(frozen=True)
class Block:
    """One table: rows are pretexts, columns label fractions, cells the scores by replicate.

    Attributes:
        pretrain_dataset: what pretexts were trained on; the baselines, which train on none, stand in every block.
        replicates: every independent one the section of this block has seen; a cell with fewer is incomplete.
        crossed: seeds meet several label seeds; scores that share a training or labels with another are left out here.
        num_labels: the label budgets that were used at each fraction, smallest first (one, unless something differs).
    """

    dataset: str
    pretrain_dataset: str
    encoder: str
    protocol: str
    latent_dim: int
    rows: tuple[str, ...]
    fractions: tuple[float, ...]
    replicates: tuple[Replicate, ...]
    crossed: bool
    num_labels: Mapping[float, tuple[int, ...]]
    scores: Mapping[tuple[str, float], Scores]

    def column(self, fraction: float) -> dict[str, Scores]:
        """Scores by row at one label fraction; rows without any are left out."""
        return {row: self.scores[row, fraction] for row in self.rows if (row, fraction) in self.scores}

    @property
    def place(self) -> str:
        """`digits, conv`, or `digits from fashion_mnist, conv` where the encoder was pretrained elsewhere."""
        origin = "" if self.pretrain_dataset == self.dataset else f" from {self.pretrain_dataset}"
        return f"{self.dataset}{origin}, {self.encoder}"

    @property
    def ceiling(self) -> Scores:
        """Training from scratch on every label; empty if that was not run."""
        return self.scores.get(("supervised", 1.0), {})


def headline_scores(records: pd.DataFrame) -> list[Score]:
    """The accuracies on the test split: all that tables and curves show. A NaN is no score.

    Raises:
        InputError: two records claim the same cell and replicate. Averaging them would hide that one is stale.
    """
    chosen = records[(records["metric"] == "accuracy") & (records["split"] == "test") & records["value"].notna()]
    columns = [chosen[name].tolist() for name in Score._fields]
    scores: dict[tuple[object, ...], Score] = {}
    owners: dict[tuple[object, ...], str] = {}
    for row, run_id in zip(zip(*columns, strict=True), chosen["run_id"].tolist(), strict=True):
        score = Score(*row)
        key = score[:-2]
        if key in scores:
            where = f"{score.dataset} {score.encoder} {score.pretext} d={score.latent_dim} {score.protocol}"
            at = f"{100 * score.label_fraction:g}% seed {score.replicate}"
            raise InputError(f"two records for {where} at {at}: runs {owners[key]} and {run_id}; keep one")
        scores[key] = score
        owners[key] = run_id
    return list(scores.values())


def place(records: pd.DataFrame) -> list[Block]:
    """Blocks in reading order: dataset, encoder, pretraining dataset (its own first), protocol, latent size.

    Raises:
        InputError: two records claim the same cell and replicate.
    """
    scores = headline_scores(records)
    blocks: list[Block] = []
    for dataset, encoder in sorted({(score.dataset, score.encoder) for score in scores if score.encoder != RAW}):
        every = [score for score in scores if score.dataset == dataset]
        kept = set(independent(score.replicate for score in every))
        here = [score for score in every if score.encoder in (encoder, RAW) and score.replicate in kept]
        origins = {score.pretrain_dataset for score in here} - {""} or {dataset}
        own = origins & {dataset}
        for origin in [*own, *sorted(origins - own)]:
            section = [score for score in here if score.pretrain_dataset in ("", origin)]
            blocks += _section(section, dataset, origin, encoder, any(score.replicate not in kept for score in every))
    return blocks


def protocol_rank(protocol: str) -> tuple[int, str]:
    """Sort key of protocols: the known ones in their order, then others by name."""
    place = PROTOCOL_ORDER.index(protocol) if protocol in PROTOCOL_ORDER else len(PROTOCOL_ORDER)
    return place, protocol


def _section(section: list[Score], dataset: str, origin: str, encoder: str, crossed: bool) -> list[Block]:
    """Blocks of one dataset and encoder. The reference rows alone make no block unless there is nothing else."""
    latent_dims = sorted({score.latent_dim for score in section if score.encoder != RAW})
    probed = [score for score in section if score.pretext not in REFERENCE_PROTOCOLS]
    blocks: list[Block] = []
    for protocol in sorted({score.protocol for score in probed}, key=protocol_rank):
        ran = {score.latent_dim for score in probed if score.protocol == protocol}
        for latent_dim in latent_dims:
            if protocol not in OPTIONAL_PROTOCOLS or latent_dim in ran:
                blocks.append(_block(section, dataset, origin, encoder, protocol, latent_dim))
    blocks = blocks or [_block(section, dataset, origin, encoder, "finetune", latent_dim) for latent_dim in latent_dims]
    return [replace(block, crossed=crossed) for block in blocks]


def _block(section: list[Score], dataset: str, origin: str, encoder: str, protocol: str, latent_dim: int) -> Block:
    cells: dict[tuple[str, float], dict[Replicate, float]] = {}
    num_labels: dict[float, set[int]] = {}
    for score in section:
        num_labels.setdefault(score.label_fraction, set()).add(score.num_labels)
        wanted = REFERENCE_PROTOCOLS.get(score.pretext, protocol)
        if score.protocol == wanted and (score.encoder == RAW or score.latent_dim == latent_dim):
            cells.setdefault((score.pretext, score.label_fraction), {})[score.replicate] = score.value
    rows = {pretext for pretext, _ in cells}
    if protocol not in OPTIONAL_PROTOCOLS:
        rows |= {score.pretext for score in section if score.pretext not in BASELINES}
    return Block(
        dataset=dataset,
        pretrain_dataset=origin,
        encoder=encoder,
        protocol=protocol,
        latent_dim=latent_dim,
        rows=tuple(sorted(rows, key=pretext_rank)),
        fractions=tuple(sorted(num_labels)),
        replicates=tuple(sorted({score.replicate for score in section})),
        crossed=False,
        num_labels={fraction: tuple(sorted(counts)) for fraction, counts in num_labels.items()},
        scores=cells,
    )
