"""Workers as processes of this machine, its cores shared among them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Mapping
from multiprocessing import connection, parent_process
from multiprocessing.context import SpawnProcess
from pathlib import Path

from sslbench.contract.environment import hush
from sslbench.contract.errors import StoreLost
from sslbench.contract.files import remove_inside
from sslbench.stores.outage import patiently
from sslbench.sweep.asked import Request
from sslbench.sweep.engines._base import known
from sslbench.sweep.news import NewsReader, NewsWriter, Progress, status_folder
from sslbench.sweep.request import Prepared, layout, plan_request
from sslbench.sweep.shared import Shared


class Process:
    """A worker process."""

    def __init__(self, process: SpawnProcess) -> None:
        self.process = process

    def ended(self) -> str | None:
        """How it ended."""
        if self.process.is_alive():
            return None
        return f"died, exit code {self.process.exitcode}" if self.process.exitcode else ""

    def stop(self) -> None:
        """End it now."""
        self.process.terminate()
        self.process.join()


class Local:
    """Starts processes here, which tell their news by files: more of it than the stores could take."""

    def __init__(self, request: Request, prepared: Prepared, options: Mapping[str, str]) -> None:
        known("local", options, {})
        self.request, self.layout = request, layout(request, prepared)
        self.workers, self.title = self.layout.workers, self.layout.title
        self.folder = status_folder(request.stores, prepared.suite.name)
        self.news = NewsReader(self.folder)

    def start(self, number: int) -> Process:
        """Start a process."""
        context = multiprocessing.get_context("spawn")
        arguments = (self.request, self.folder, number, self.layout.threads)
        process = context.Process(target=_work, args=arguments, name=f"sslbench-{number}")
        with self.layout.in_force():
            process.start()
        return Process(process)

    def look(self, shared: Shared, last: bool = False) -> Progress:
        """What the processes say."""
        return self.news.look()

    def close(self) -> None:
        """Remove their files."""
        remove_inside(self.folder.parent, self.folder)


ENGINE = Local


def _work(request: Request, folder: Path, number: int, threads: int) -> None:
    """A worker process, from start to end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # by which the parent ends it
    threading.Thread(target=_die_with_parent, daemon=True).start()
    hush()
    import torch

    torch.set_num_threads(threads)
    try:
        patiently(Shared, request, plan_request(request, stores=False)).work(NewsWriter(folder, number))
    except StoreLost as error:  # the parent finds out, and says so
        raise SystemExit(1) from error


def _die_with_parent() -> None:
    """End this process at once when its parent is gone: nobody would look after it."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
