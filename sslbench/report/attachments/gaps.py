"""What of a suite has no record, and why: kept beside the records, which cannot say what they lack."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sslbench.report.attachments.files import read_json, write_or_remove

GAPS_FILE = "gaps.json"


@dataclass(frozen=True)
class Failure:
    """A cell whose last run failed and that has no finished run.

    Attributes:
        label_fraction: None, as are `label_seed` and `protocol`, if it was the pretraining that failed: then every
            evaluation of it is missing.
        reason: the error in one line.
        pretrain_dataset: what its encoder is trained on; empty for baselines, which train on none.
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
    pretrain_dataset: str = ""


@dataclass(frozen=True)
class Gaps:
    """What is not there.

    Attributes:
        planned: evaluations that the suite defines; 0 if nobody said.
        missing: those of them without a record.
        failures: the cells that failed and were not done again.
    """

    planned: int = 0
    missing: int = 0
    failures: tuple[Failure, ...] = ()


def read_gaps(folder: Path) -> Gaps:
    """What `write_gaps` left in a results folder; no gaps if it left nothing.

    Raises:
        InputError: the file is not one that `write_gaps` wrote.
    """
    return read_json(folder / GAPS_FILE, "gaps", _gaps, Gaps())


def write_gaps(gaps: Gaps, folder: Path) -> list[Path]:
    """Write the gaps, or take an old file away if there are none; returns the files written."""
    content = json.dumps(asdict(gaps), indent=2, ensure_ascii=False) + "\n"
    return write_or_remove(folder / GAPS_FILE, content if gaps.missing or gaps.failures else "")


def _gaps(content: Any) -> Gaps:
    return Gaps(content["planned"], content["missing"], tuple(Failure(**row) for row in content["failures"]))
