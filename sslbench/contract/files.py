"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from sslbench.contract.errors import InputError


def is_file(path: Path) -> bool:
    """Whether there is such a file; no path is too long or too odd to be asked."""
    return _is(path.is_file)


def is_folder(path: Path) -> bool:
    """Whether there is such a folder; no path is too long or too odd to be asked."""
    return _is(path.is_dir)


def _is(asked: Callable[[], bool]) -> bool:
    try:
        return asked()
    except (OSError, ValueError):
        return False


def write_whole(path: Path, content: bytes) -> None:
    """Write under a temporary name beside `path`, then rename: a reader never sees half a file.

    Raises:
        OSError: whatever the disk says.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def remove_inside(folder: Path, child: Path) -> None:
    """Remove a folder with all it holds, if it is there and lies inside another: no name leads anywhere else.

    Raises:
        InputError: `child` is not below `folder` once links and dots are followed.
    """
    inside = child.resolve()
    if folder.resolve() not in inside.parents:
        raise InputError(f"{child} is not inside {folder}, and nothing else is removed")
    shutil.rmtree(inside, ignore_errors=True)


def replace_file(path: Path, content: bytes | str) -> Path:
    """Write a whole file, or say in one line why not.

    Raises:
        InputError: the folder cannot be written.
    """
    try:
        write_whole(path, content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    return path
