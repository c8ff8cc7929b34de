"""What choosing settings found and cost, kept beside the records, which do not hold it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from sslbench.contract.settings import TunedArm
from sslbench.report.attachments.files import read_json, write_or_remove

TUNING_FILE = "tuning.json"

#: What the file holds of an arm: what the page shows of it.
_KEPT = (
    *("pretext", "criterion", "score", "default_score", "trials", "completed", "seconds", "samples", "flops"),
    *("settings", "serves_from", "serves_to"),
)


def tuning_json(tuned: Sequence[TunedArm]) -> str:
    """The tuning as a file holds it, by pretext."""
    arms = sorted(tuned, key=lambda arm: arm.pretext)
    return json.dumps([{name: vars(arm)[name] for name in _KEPT} for arm in arms], indent=2) + "\n"


def read_tuned(folder: Path) -> tuple[TunedArm, ...]:
    """What `write_tuned` left in a results folder, by pretext; nothing if it left nothing.

    Raises:
        InputError: the file is not one that `write_tuned` wrote.
    """
    return read_json(
        folder / TUNING_FILE,
        "tuning",
        lambda content: tuple(TunedArm(**row, trial=None, epochs=None) for row in content),
        (),
    )


def write_tuned(tuned: Sequence[TunedArm], folder: Path) -> list[Path]:
    """Write the tuning, or take an old file away if there was none; returns the files written."""
    return write_or_remove(folder / TUNING_FILE, tuning_json(tuned) if tuned else "")
