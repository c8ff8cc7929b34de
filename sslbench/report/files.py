"""Write a file whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from sslbench.spec import InputError


def replace_file(path: Path, content: bytes | str) -> Path:
    """Write under a temporary name beside `path`, then rename: a reader never sees half a file.

    Raises:
        InputError: the folder cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(data)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
    return path
