"""What is wrong with a number, so that no table passes over it: collapsed, stale, failed, incomplete or missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from sslbench.contract.spec import REFERENCE_PROTOCOLS
from sslbench.report.attachments.gaps import Failure, Gaps
from sslbench.report.scores.blocks import RAW, Block
from sslbench.report.scores.evidence import Run, RunIndex
from sslbench.report.scores.measures import Encoder, collapsed_encoders

#: Mark of a cell with stale seeds.
STALE = "§"

STALE_TEXT = (
    f"{STALE} stale: at least one seed was computed by another version of sslbench, or with other settings, than the "
    "newest record; run the suite again."
)


class Evidence(NamedTuple):
    """What cells are marked with.

    Attributes:
        collapsed: seeds with a collapsed representation, by encoder.
        stale: identities of stale cells.
        gaps: what of the suite has no record.
        runs: the runs behind every number.
    """

    collapsed: Mapping[Encoder, int]
    stale: set[str]
    gaps: Gaps
    runs: RunIndex


def evidence_of(records: pd.DataFrame, gaps: Gaps | None = None) -> Evidence:
    """Everything that speaks against numbers of the records."""
    return Evidence(collapsed_encoders(records), stale_cells(records), gaps or Gaps(), RunIndex(records))


def stale_cells(records: pd.DataFrame) -> set[str]:
    """Identities of cells that another version of sslbench, or other settings of the same pretext, computed.

    The newest record says which version and, for every encoder of a pretext and latent size, which settings hold.
    """
    if records.empty:
        return set()
    ordered = records.sort_values(["started_at", "run_id"], kind="stable")
    old = ordered["sslbench_version"] != ordered["sslbench_version"].iloc[-1]
    axes = ["dataset", "encoder", "pretext", "latent_dim"]
    settled = ordered.groupby(axes)["config_hash"].transform("last")
    stale = ordered.loc[old | (ordered["config_hash"] != settled), "cell_id"]
    return {str(cell_id) for cell_id in stale}


def is_stale(runs: Sequence[Run], stale: set[str]) -> bool:
    """Whether any of the runs behind a number is of a stale cell."""
    return any(run.cell_id in stale for run in runs)


def failures_at(failures: Sequence[Failure], block: Block, row: str, fraction: float) -> list[Failure]:
    """The failures that explain why a cell of the block lacks seeds."""
    protocol = REFERENCE_PROTOCOLS.get(row, block.protocol)
    present = block.scores.get((row, fraction), {})
    return [
        failure
        for failure in failures
        if (failure.dataset, failure.pretext) == (block.dataset, row)
        and (failure.encoder == RAW or (failure.encoder, failure.latent_dim) == (block.encoder, block.latent_dim))
        and failure.label_fraction in (None, fraction)
        and failure.protocol in (None, protocol)
        and not any(
            failure.seed == replicate.seed and failure.label_seed in (None, replicate.label_seed)
            for replicate in present
        )
    ]


def is_collapsed(block: Block, row: str, flagged: Mapping[Encoder, int]) -> bool:
    """Whether the representation behind a row is collapsed in at least one seed."""
    return (block.pretrain_dataset, block.encoder, row, block.latent_dim) in flagged
