"""The MLflow runs behind every number of the tables."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from sslbench.contract.spec import REFERENCE_PROTOCOLS
from sslbench.report.scores.blocks import RAW, Block
from sslbench.report.scores.replicates import Replicate


class Run(NamedTuple):
    """One test accuracy in [0, 1] and the MLflow run that measured it."""

    seed: int
    label_seed: int
    value: float
    run_id: str
    cell_id: str


class RunIndex:
    """The runs of all test accuracies, found by the cell of a block."""

    def __init__(self, records: pd.DataFrame) -> None:
        chosen = records[(records["metric"] == "accuracy") & (records["split"] == "test") & records["value"].notna()]
        axes = ["dataset", "pretrain_dataset", "encoder", "pretext", "protocol", "label_fraction", "latent_dim"]
        columns = [chosen[name].tolist() for name in (*axes, *Run._fields)]
        self._runs: dict[tuple[object, ...], list[Run]] = {}
        for *place, latent_dim, seed, label_seed, value, run_id, cell_id in zip(*columns, strict=True):
            size = 0 if RAW in place else latent_dim  # what has no encoder stands in blocks of every latent size
            self._runs.setdefault((*place, size), []).append(Run(seed, label_seed, value, run_id, cell_id))

    def behind(self, block: Block, row: str, fraction: float) -> list[Run]:
        """The runs a cell is the mean of: its pretext's, or a baseline's, trained on no dataset, maybe no encoder."""
        rest = (row, REFERENCE_PROTOCOLS.get(row, block.protocol), fraction)
        places = {
            (block.dataset, origin, block.encoder, *rest, block.latent_dim) for origin in ("", block.pretrain_dataset)
        }
        places.add((block.dataset, "", RAW, *rest, 0))
        counted = block.scores.get((row, fraction), {})
        found = [run for place in places for run in self._runs.get(place, [])]
        return sorted(run for run in found if Replicate(run.seed, run.label_seed) in counted)
