"""Commands in copies of the process of the tests, which has everything imported: a new one takes seconds to start."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Timer

import torch
from threadpoolctl import threadpool_limits

from sslbench.__main__ import start

_CONTEXT = multiprocessing.get_context("fork")


class Forked:
    """A copy of this process that does something on one thread, in the background.

    Args:
        work: what it does; a command, see `command`.
        group: whether it leads a group of processes of its own, which a signal can reach as a whole.
    """

    def __init__(self, work: Callable[[], object], *, group: bool = False) -> None:
        read, write = os.pipe()
        self._process = _CONTEXT.Process(target=_alone, args=(work, read, write, group))
        self._process.start()
        os.close(write)
        self.stdout = os.fdopen(read, encoding="utf-8")  # closed by `ends`
        assert self._process.pid is not None
        self.pid = self._process.pid

    def wait_for(self, text: str, times: int = 1) -> None:
        """Read what it prints, as far as a line that contains a text for the given time."""
        for line in self.stdout:
            times -= text in line
            if not times:
                return
        raise AssertionError(f"it ended before it said {text!r}")

    def lasts(self, seconds: float) -> bool:
        """Whether it is still at work after so many seconds."""
        self._process.join(seconds)
        return self._process.exitcode is None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, and its group if it leads one."""
        (os.killpg if os.getpgid(self.pid) == self.pid else os.kill)(self.pid, number)

    def ends(self, *statuses: int, timeout: float = 300.0) -> str:
        """What it printed since it was last asked; it must end with one of these exit statuses, else 0, and in time."""
        timer = Timer(timeout, self._process.kill)
        timer.start()
        with self.stdout:
            printed = self.stdout.read()
        self._process.join()
        timer.cancel()
        assert self._process.exitcode in (statuses or (0,)), f"{self._process.exitcode}: {printed}"
        return printed


def command(
    *arguments: str,
    place: Path = Path(),
    before: Callable[[], None] | None = None,
    group: bool = False,
) -> Forked:
    """`sslbench` with arguments, in a folder; its workers are copies too.

    Args:
        before: what is done in the copy first.
    """

    def work() -> None:
        os.chdir(place)
        sys.argv = ["sslbench", *arguments]
        if before is not None:
            before()
        start()

    return Forked(work, group=group)


def _alone(work: Callable[[], object], read: int, write: int, group: bool) -> None:
    os.close(read)
    if group:
        os.setsid()
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(write, number)
        setattr(sys, name, os.fdopen(number, "w", encoding="utf-8", closefd=False))
    os.close(write)
    multiprocessing.get_context = lambda method=None: _CONTEXT
    # For workers, which are copies too: threads that are gone are waited for for ever.
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    with threadpool_limits(1):
        work()
