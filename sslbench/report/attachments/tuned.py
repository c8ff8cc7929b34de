"""What choosing settings cost, kept beside the records, which do not hold it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sslbench.contract.files import replace_file
from sslbench.contract.spec import InputError
from sslbench.report.statistics.compute import Tuning

TUNING_FILE = "tuning.json"


@dataclass(frozen=True)
class Tuned:
    """What tuning found for one pretext, or for `supervised`, and what all its trials cost together.

    Attributes:
        criterion: what the score is, in words.
        default_score: of the settings it started from; None if that trial diverged.
        completed: trials that were neither pruned nor diverged.
        samples: inputs of training, `flops` operations of it.
    """

    pretext: str
    criterion: str
    score: float
    default_score: float | None
    trials: int
    completed: int
    seconds: float
    samples: int
    flops: float
    settings: Mapping[str, float | int] = field(default_factory=dict)

    @property
    def cost(self) -> Tuning:
        """The part of it that the ledger adds to every row of the pretext."""
        return Tuning(self.pretext, self.trials, self.seconds, self.flops)


def tuning_json(tuned: Sequence[Tuned]) -> str:
    """The tuning as a file holds it, by pretext."""
    return json.dumps([asdict(one) for one in sorted(tuned, key=lambda one: one.pretext)], indent=2) + "\n"


def read_tuned(folder: Path) -> tuple[Tuned, ...]:
    """What `write_tuned` left in a results folder, by pretext; nothing if it left nothing.

    Raises:
        InputError: the file is not one that `write_tuned` wrote.
    """
    path = folder / TUNING_FILE
    if not path.is_file():
        return ()
    try:
        return tuple(Tuned(**row) for row in json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise InputError(f"cannot read tuning from {path}: {str(error).splitlines()[0]}") from error


def write_tuned(tuned: Sequence[Tuned], folder: Path) -> list[Path]:
    """Write the tuning, or take an old file away if there was none; returns the files written."""
    path = folder / TUNING_FILE
    if tuned:
        return [replace_file(path, tuning_json(tuned))]
    path.unlink(missing_ok=True)
    return []
