"""What is wrong with a number, so that no table passes over it: collapsed, stale, failed, incomplete or missing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sslbench.report.blocks import RAW, Block
from sslbench.report.files import replace_file
from sslbench.report.measures import Encoder, collapsed_encoders
from sslbench.report.runs import Run, RunIndex
from sslbench.spec import REFERENCE_PROTOCOLS, InputError

#: Mark of a cell with stale seeds.
STALE = "§"

STALE_TEXT = (
    f"{STALE} stale: at least one seed was computed by another version of sslbench, or with other settings, than the "
    "newest record; run the suite again."
)

FAILURES_FILE = "failures.json"


@dataclass(frozen=True)
class Failure:
    """A cell whose last run failed and that has no finished run.

    Attributes:
        label_fraction: None, as are `label_seed` and `protocol`, if it was the pretraining that failed: then every
            evaluation of it is missing.
        reason: the error in one line.
    """

    dataset: str
    encoder: str
    pretext: str
    latent_dim: int
    seed: int
    label_seed: int | None
    label_fraction: float | None
    protocol: str | None
    reason: str
    run_id: str


class Evidence(NamedTuple):
    """What cells are marked with.

    Attributes:
        collapsed: seeds with a collapsed representation, by encoder.
        stale: identities of stale cells.
        failures: cells that failed and were not done again.
        runs: the runs behind every number.
    """

    collapsed: Mapping[Encoder, int]
    stale: set[str]
    failures: Sequence[Failure]
    runs: RunIndex


def evidence_of(records: pd.DataFrame, failures: Sequence[Failure] = ()) -> Evidence:
    """Everything that speaks against numbers of the records."""
    return Evidence(collapsed_encoders(records), stale_cells(records), failures, RunIndex(records))


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


def failures_json(failures: Sequence[Failure]) -> str:
    """The failures as a file holds them, in an order of their own."""
    rows = sorted((asdict(failure) for failure in failures), key=lambda row: json.dumps(row, sort_keys=True))
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def read_failures(folder: Path) -> tuple[Failure, ...]:
    """What `write_failures` left in a results folder; nothing if it left nothing.

    Raises:
        InputError: the file is not one that `write_failures` wrote.
    """
    path = folder / FAILURES_FILE
    if not path.is_file():
        return ()
    try:
        return tuple(Failure(**row) for row in json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise InputError(f"cannot read failures from {path}: {str(error).splitlines()[0]}") from error


def write_failures(failures: Sequence[Failure], folder: Path) -> list[Path]:
    """Write the failures, or take an old file away if there are none; returns the files written."""
    path = folder / FAILURES_FILE
    if failures:
        return [replace_file(path, failures_json(failures))]
    path.unlink(missing_ok=True)
    return []
