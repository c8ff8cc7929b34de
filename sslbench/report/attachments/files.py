"""The small JSON files beside the records: gaps, what tuning cost, the environment, the protocol named beforehand.

What was written is read back equal. A file whose content is empty is taken away, and one that is not there is read as
empty. A file that holds anything else raises an `InputError` that names it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from sslbench.contract.errors import InputError
from sslbench.contract.files import replace_file
from sslbench.contract.settings import TunedArm
from sslbench.report.attachments.gaps import Failure, Gaps

GAPS_FILE, TUNING_FILE, ENVIRONMENT_FILE, PRIMARY_FILE = "gaps.json", "tuning.json", "environment.json", "primary.json"

#: In the environment: how many of the evaluations were taken from results published before, not run on this machine.
TAKEN = "evaluations_published_before"

#: In the environment: which other packages offered plug-ins of the suite.
PLUG_INS = "plug_ins_of"

#: What the file holds of a tuned arm: what the page shows of it.
_KEPT = (
    *("pretext", "criterion", "score", "default_score", "trials", "completed", "seconds", "samples", "flops"),
    *("settings", "serves_from", "serves_to"),
)

Content = TypeVar("Content")


def read_gaps(folder: Path) -> Gaps:
    """What of the suite has no record."""

    def parse(content: Any) -> Gaps:
        return Gaps(content["planned"], content["missing"], tuple(Failure(**row) for row in content["failures"]))

    return _read(folder / GAPS_FILE, "gaps", parse, Gaps())


def write_gaps(gaps: Gaps, folder: Path) -> list[Path]:
    """Write the gaps; returns the files written."""
    content = json.dumps(asdict(gaps), indent=2, ensure_ascii=False) + "\n"
    return write_or_remove(folder / GAPS_FILE, content if gaps.missing or gaps.failures else "")


def read_tuned(folder: Path) -> tuple[TunedArm, ...]:
    """What choosing settings found and cost, by pretext."""

    def parse(content: Any) -> tuple[TunedArm, ...]:
        return tuple(TunedArm(**row, trial=None, epochs=None) for row in content)

    return _read(folder / TUNING_FILE, "tuning", parse, ())


def write_tuned(tuned: Sequence[TunedArm], folder: Path) -> list[Path]:
    """Write the tuning; returns the files written."""
    return write_or_remove(folder / TUNING_FILE, tuning_json(tuned) if tuned else "")


def tuning_json(tuned: Sequence[TunedArm]) -> str:
    """The tuning as a file holds it, by pretext."""
    arms = sorted(tuned, key=lambda arm: arm.pretext)
    return json.dumps([{name: vars(arm)[name] for name in _KEPT} for arm in arms], indent=2) + "\n"


def read_environment(folder: Path) -> Mapping[str, object]:
    """What the records were computed on."""
    return _read(folder / ENVIRONMENT_FILE, "the environment", lambda content: dict(content.items()), {})


def write_environment(environment: Mapping[str, object], folder: Path) -> list[Path]:
    """Write the environment, which is never taken away; returns the files written."""
    content = json.dumps(environment, indent=2, ensure_ascii=False) + "\n"
    return [replace_file(folder / ENVIRONMENT_FILE, content)]


def read_primary(folder: Path) -> str:
    """The protocol that the suite named before anything was run, as tables name it, which records cannot prove."""
    return _read(folder / PRIMARY_FILE, "the primary protocol", lambda content: str(content["primary"]), "")


def write_primary(primary: str, folder: Path) -> list[Path]:
    """Write the protocol; returns the files written."""
    return write_or_remove(folder / PRIMARY_FILE, json.dumps({"primary": primary}) + "\n" if primary else "")


def _read(path: Path, what: str, parse: Callable[[Any], Content], empty: Content) -> Content:
    if not path.is_file():
        return empty
    try:
        return parse(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        raise InputError(f"cannot read {what} from {path}: {reason}") from error


def write_or_remove(path: Path, content: str | bytes) -> list[Path]:
    """Write a file, or take an old one away if there is nothing to say; returns the files written."""
    if content:
        return [replace_file(path, content)]
    path.unlink(missing_ok=True)
    return []
