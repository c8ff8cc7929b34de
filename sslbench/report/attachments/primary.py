"""The protocol that a suite named before anything was run, which records cannot prove; kept beside them."""

from __future__ import annotations

import json
from pathlib import Path

from sslbench.report.attachments.files import read_json, write_or_remove

PRIMARY_FILE = "primary.json"


def read_primary(folder: Path) -> str:
    """What `write_primary` left in a results folder; empty if it left nothing.

    Raises:
        InputError: the file is not one that `write_primary` wrote.
    """
    return read_json(folder / PRIMARY_FILE, "the primary protocol", lambda content: str(content["primary"]), "")


def write_primary(primary: str, folder: Path) -> list[Path]:
    """Write the protocol as tables name it, or take an old file away if none was named; returns the files written."""
    content = json.dumps({"primary": primary}) + "\n"
    return write_or_remove(folder / PRIMARY_FILE, content if primary else "")
