"""Files of datasets: whole-or-nothing writes, and errors that name the folder and say what to do."""

from __future__ import annotations

import errno
from pathlib import Path

from sslbench.contract.errors import InputError, one_line
from sslbench.contract.files import write_whole

#: What the disk itself refuses, as opposed to the network or the content.
_DISK = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR)


def said(error: BaseException) -> str:
    """An exception's message squeezed into one line; its type where it has none."""
    return one_line(str(error)) or type(error).__name__


def from_disk(error: OSError) -> bool:
    """Whether the disk refused: read-only, full, or not a folder."""
    return error.errno in _DISK


class Unwritable(InputError):
    """A data folder that cannot be written: no other source of the files would help."""


def unwritable(folder: Path, error: OSError) -> Unwritable:
    """The error for a data folder that cannot be written."""
    return Unwritable(
        f"data folder {folder} cannot be written: {error.strerror or said(error)}; "
        "choose another with --data-root or $SSLBENCH_DATA"
    )


def make_folder(folder: Path) -> None:
    """Create a folder that can be written to.

    Raises:
        InputError: it cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error


def write_file(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all.

    Raises:
        InputError: its folder cannot be written.
    """
    try:
        write_whole(path, content)
    except OSError as error:
        raise unwritable(path.parent, error) from error
