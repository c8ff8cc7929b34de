"""Reading and writing the small JSON files beside the records."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sslbench.contract.files import replace_file
from sslbench.contract.spec import InputError

Content = TypeVar("Content")


def read_json(path: Path, what: str, parse: Callable[[Any], Content], empty: Content) -> Content:
    """What `parse` makes of a file; `empty` where there is none.

    Raises:
        InputError: the file is no JSON, or not what `parse` expects; the message says of what it should be.
    """
    if not path.is_file():
        return empty
    try:
        return parse(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        raise InputError(f"cannot read {what} from {path}: {reason}") from error


def write_or_remove(path: Path, content: str) -> list[Path]:
    """Write a file, or take an old one away if there is nothing to say; returns the files written."""
    if content:
        return [replace_file(path, content)]
    path.unlink(missing_ok=True)
    return []
