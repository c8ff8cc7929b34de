"""What a suite said before anything was run, which records cannot prove; kept beside them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from sslbench.report.attachments.files import read_json, write_or_remove

PLAN_FILE = "plan.json"


@dataclass(frozen=True)
class Plan:
    """What was settled beforehand.

    Attributes:
        primary: the protocol, as tables name it, that headlines are read by; None if nobody named one.
        converged: whether training from scratch was shown to gain nothing from more steps; None if nobody looked.
    """

    primary: str | None = None
    converged: bool | None = None


def read_plan(folder: Path) -> Plan:
    """What `write_plan` left in a results folder; a plan that says nothing if it left nothing.

    Raises:
        InputError: the file is not one that `write_plan` wrote.
    """
    return read_json(folder / PLAN_FILE, "the plan", lambda content: Plan(**content), Plan())


def write_plan(plan: Plan, folder: Path) -> list[Path]:
    """Write the plan, or take an old file away if it says nothing; returns the files written."""
    content = json.dumps(asdict(plan), indent=2) + "\n"
    return write_or_remove(folder / PLAN_FILE, content if plan != Plan() else "")
