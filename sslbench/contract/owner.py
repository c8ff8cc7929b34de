"""Who works on a cell: one process of one machine, whether it still lives, and files that are only its own."""

from __future__ import annotations

import math
import os
import re
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from sslbench.contract.files import remove_inside
from sslbench.contract.identity import digest

#: What a trial and a run call who works on them.
OWNER = "owner"

#: Seconds after which what nobody touched is nobody's.
UNUSED = 7 * 24 * 3600

_OWNER = re.compile(r"(.*):(\d+):(\d+)")


def me() -> str:
    """This process as its runs and trials name it: machine, number, and when it started, for numbers come again."""
    return f"{machine()}:{os.getpid()}:{_started(os.getpid())}"


def machine() -> str:
    """The machine's name and what tells it from others of that name: copies of it, and containers on it, which count
    processes of their own."""
    return f"{socket.gethostname()}{_told_apart()}"


@cache
def _told_apart() -> str:
    parts = []
    with suppress(OSError):  # Linux says so, others do not
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return f".{digest(parts)[:4]}" if parts else ""


def _started(number: int) -> int:
    """When a process started: on Linux in ticks since the machine did, which no setting of its clock moves.

    Raises:
        psutil.NoSuchProcess: it has ended.
    """
    with suppress(OSError):
        return int(Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
    import psutil  # a tenth of what `--help` takes

    return int(psutil.Process(number).create_time())


def gone(owner: str) -> bool:
    """Whether that process has ended, as far as one can know from here: of another machine's it cannot be known."""
    parts = _OWNER.fullmatch(owner)
    if parts is None or parts[1] != machine():
        return False
    import psutil

    number = int(parts[2])
    try:
        return _started(number) != int(parts[3]) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def folder_of_own(folder: Path) -> Path:
    """The place of this process in a folder that several share; what dead ones left there is removed."""
    remove_left(folder, unused=math.inf)
    return folder / me()


def remove_left(folder: Path, prefix: str = "", unused: float = UNUSED) -> None:
    """Remove the folders in a folder that are named after processes that have ended, as far as one can know from here.

    Args:
        prefix: what their names begin with; behind the process, after a `~`, may be more.
        unused: seconds for which nothing was put into those of another machine, of containers that are gone and of
            before this machine was started anew, when they go too.
    """
    for left in folder.glob(f"{prefix}*"):
        owner = left.name.removeprefix(prefix).partition("~")[0]
        if gone(owner) or (owner != me() and _OWNER.fullmatch(owner) and _untouched(left) > unused):
            remove_inside(folder, left)


def _untouched(folder: Path) -> float:
    """Seconds since something was put into it; 0 if it has just gone."""
    try:
        return time.time() - folder.stat().st_mtime
    except OSError:
        return 0.0


@contextmanager
def temporary_files_in(folder: Path) -> Iterator[None]:
    """Have Python put the temporary files of this process where whoever comes later finds those of one that died."""
    remove_left(folder)
    own, usual = folder / me(), tempfile.tempdir
    own.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = str(own)
    try:
        yield
    finally:
        tempfile.tempdir = usual
        remove_inside(folder, own)
