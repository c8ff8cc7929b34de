"""Who works on a cell: one process of one machine, and whether it still lives."""

from __future__ import annotations

import os
import re
import socket

import psutil

#: What a trial and a run call who works on them.
OWNER = "owner"

_OWNER = re.compile(r"(.*):(\d+):(\d+)")


def me() -> str:
    """This process as its runs and trials name it: machine, number, and when it started, for numbers come again."""
    return f"{socket.gethostname()}:{os.getpid()}:{int(psutil.Process().create_time())}"


def gone(owner: str) -> bool:
    """Whether that process has ended, as far as one can know from here: of another machine's it cannot be known."""
    parts = _OWNER.fullmatch(owner)
    if parts is None or parts[1] != socket.gethostname():
        return False
    try:
        process = psutil.Process(int(parts[2]))
        return int(process.create_time()) != int(parts[3]) or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
