"""Suite -> studies -> workers: runs what is missing and nothing else."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import connection, parent_process
from multiprocessing.context import SpawnProcess
from pathlib import Path

from sslbench.contract.files import remove_inside
from sslbench.sweep.cores import Layout
from sslbench.sweep.news import Failure, NewsReader, NewsWriter, Progress, status_folder
from sslbench.sweep.request import Prepared, Request, layout, plan_request
from sslbench.sweep.shared import Shared

POLL_SECONDS, LOOK_SECONDS = 0.5, 5.0
RESTARTS = 3


def run(request: Request, prepared: Prepared, show: Callable[[Progress], None]) -> list[Failure]:
    """Run every missing cell; returns what failed. Others may do so at the same time: each cell is done once.

    Ctrl-C stops the workers, closes their runs and raises again; of a training in flight the last minute is lost.

    Args:
        show: called about twice a second.

    Raises:
        KeyboardInterrupt: after everything was put in order.
    """
    return _Sweep(request, prepared).run(show)


class _Sweep:
    """The parent's side of one run."""

    def __init__(self, request: Request, prepared: Prepared) -> None:
        self.request, self.prepared, self.shared = request, prepared, Shared(request, prepared)
        self.folder = status_folder(request.stores, prepared.suite.name)
        self.news, self.looked = NewsReader(self.folder), time.monotonic()

    def run(self, show: Callable[[Progress], None]) -> list[Failure]:
        """Start workers, look after them until they end, and put everything in order whatever happens."""
        self.shared.begin()
        chosen = layout(self.request, self.prepared)
        workers = {number: self._start(number, chosen) for number in range(chosen.workers)}
        failures: list[Failure] = []
        restarts = 0
        try:
            while workers:
                connection.wait([worker.sentinel for worker in workers.values()], POLL_SECONDS)
                progress = self._look()
                failures += progress.failed
                show(progress)
                for number, worker in list(workers.items()):
                    if worker.is_alive():
                        continue
                    del workers[number]
                    if worker.exitcode:
                        failures.append(Failure(f"worker {number}", f"died, exit code {worker.exitcode}"))
                        self.shared.settle()
                        self.shared.fill()
                        restarts += 1
                        if restarts <= RESTARTS:
                            workers[number] = self._start(number, chosen)
            self.looked = 0.0
            progress = self._look()
            failures += progress.failed
            show(progress)
        finally:
            for worker in workers.values():
                worker.terminate()
            for worker in workers.values():
                worker.join()
            self.shared.settle()
            remove_inside(self.folder.parent, self.folder)
        return failures

    def _look(self) -> Progress:
        """What our workers say, and from time to time how much is done, by whomever."""
        progress = self.news.look()
        if time.monotonic() - self.looked > LOOK_SECONDS:
            self.looked = time.monotonic()
            progress = replace(progress, done=self.shared.done())
        return progress

    def _start(self, number: int, chosen: Layout) -> SpawnProcess:
        context = multiprocessing.get_context("spawn")
        worker = context.Process(
            target=_work, args=(self.request, self.folder, number, chosen.threads), name=f"sslbench-{number}"
        )
        with chosen.in_force():
            worker.start()
        return worker


def _work(request: Request, folder: Path, number: int, threads: int) -> None:
    """A worker process, from start to end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    threading.Thread(target=_die_with_parent, daemon=True).start()
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"  # the display is the parent's
    logging.getLogger("mlflow.system_metrics").setLevel(logging.WARNING)
    import torch

    torch.set_num_threads(threads)
    Shared(request, plan_request(request, stores=False)).worker(NewsWriter(folder, number)).run()


def _die_with_parent() -> None:
    """End this process at once when its parent is gone: nobody would look after it."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
