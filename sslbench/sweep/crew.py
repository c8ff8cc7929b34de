"""Suite -> studies -> workers: runs what is missing and nothing else."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing import connection, parent_process
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from sslbench.contract.spec import InputError
from sslbench.sweep import suites
from sslbench.sweep.cores import Layout, choose, cores, free_memory
from sslbench.sweep.request import Prepared, Request, prepare_request, resolve_device, tracker_of
from sslbench.sweep.studies import open_queues, queued_evaluation, queued_pretraining
from sslbench.sweep.worker import status_folder

POLL_SECONDS = 0.5
RESTARTS = 3


@dataclass(frozen=True)
class Progress:
    """One look at a running sweep.

    Attributes:
        finished: cells finished since the last look, as workers announced them.
        failed: cells that failed since the last look: title and reason.
        current: what each worker is doing: title, share done in [0, 1], images per second.
    """

    finished: tuple[Mapping[str, Any], ...]
    failed: tuple[Mapping[str, Any], ...]
    current: tuple[Mapping[str, Any], ...]


def layout(request: Request, prepared: Prepared) -> Layout:
    """How many workers with how many threads will run what is missing."""
    plan, done = prepared.plan, prepared.done
    unfinished = sum(any(child.cell_id not in done for child in plan.evaluate[cell.cell_id]) for cell in plan.pretrain)
    return choose(request.workers, resolve_device(request.device), unfinished, cores(), free_memory())


def run(request: Request, prepared: Prepared, show: Callable[[Progress], None]) -> list[Mapping[str, Any]]:
    """Run every missing cell; returns the cells that failed, with their reasons.

    Ctrl-C stops the workers, closes their runs and raises again; a cell in flight is lost, nothing else.

    Args:
        show: called about twice a second.

    Raises:
        InputError: another process is running this suite in the same stores.
        KeyboardInterrupt: after everything was put in order.
    """
    lock = FileLock(request.stores.home / f"{prepared.suite.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(
            f"suite {prepared.suite.name!r} is already running in {request.stores.home}; wait, or use another store"
        ) from error
    try:
        return _Sweep(request, prepared).run(show)
    finally:
        lock.release()


class _Sweep:
    """The parent's side of one run, the lock being held."""

    def __init__(self, request: Request, prepared: Prepared) -> None:
        self.request, self.prepared = request, prepared
        self.folder = status_folder(request.stores, prepared.suite.name)
        self.read: dict[Path, int] = {}
        self.tracker = tracker_of(request, prepared)
        self.pretrain_queue, self.evaluate_queue = open_queues(
            suites.load(request.suite), request.selection, request.stores.storage
        )
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self._settle()  # we hold the lock: whatever claims to be running belongs to a process that died

    def run(self, show: Callable[[Progress], None]) -> list[Mapping[str, Any]]:
        """Start workers, look after them until they end, and put everything in order whatever happens."""
        self._fill()
        chosen = layout(self.request, self.prepared)
        workers = {number: self._start(number, chosen) for number in range(chosen.workers)}
        failures: list[Mapping[str, Any]] = []
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
                        failures += [{"title": f"worker {number}", "reason": f"died, exit code {worker.exitcode}"}]
                        self._bury(worker)
                        restarts += 1
                        if restarts <= RESTARTS:
                            workers[number] = self._start(number, chosen)
            show(self._look())
        finally:
            for worker in workers.values():
                worker.terminate()
            for worker in workers.values():
                worker.join()
            self._settle()
        return failures

    def _start(self, number: int, chosen: Layout) -> SpawnProcess:
        context = multiprocessing.get_context("spawn")
        worker = context.Process(target=_work, args=(self.request, number, chosen.threads), name=f"sslbench-{number}")
        with chosen.in_force():
            worker.start()
        return worker

    def _fill(self) -> None:
        """Enqueue every missing pretraining, and every missing evaluation of those that are done."""
        plan, names, done = self.prepared.plan, self.prepared.datasets, self.tracker.finished()
        missing = {
            cell.cell_id: [child for child in plan.evaluate[cell.cell_id] if child.cell_id not in done]
            for cell in plan.pretrain
        }
        self.pretrain_queue.fill(
            queued_pretraining(cell, names)
            for cell in plan.pretrain
            if cell.cell_id not in done and missing[cell.cell_id]
        )
        self.evaluate_queue.fill(
            queued_evaluation(child, names)
            for cell in plan.pretrain
            if cell.cell_id in done
            for child in missing[cell.cell_id]
        )

    def _bury(self, worker: SpawnProcess) -> None:
        """Put a dead worker's cells back into the queues."""
        for queue in (self.pretrain_queue, self.evaluate_queue):
            queue.release(worker.pid)
        self._fill()

    def _settle(self) -> None:
        """With no worker left: close what is still open, and drop caches nobody needs."""
        for queue in (self.pretrain_queue, self.evaluate_queue):
            queue.release()
        self.tracker.kill_orphans()
        done = self.tracker.finished()
        if all(cell.cell_id in done for cell in self.prepared.plan.evaluations):
            shutil.rmtree(self.request.stores.features / self.prepared.suite.name, ignore_errors=True)

    def _look(self) -> Progress:
        """Read what the workers wrote since the last look."""
        current = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(self.folder.glob("*.json"))]
        return Progress(tuple(self._new_lines("*.results")), tuple(self._new_lines("*.failures")), tuple(current))

    def _new_lines(self, pattern: str) -> list[Mapping[str, Any]]:
        lines: list[Mapping[str, Any]] = []
        for path in sorted(self.folder.glob(pattern)):
            with path.open(encoding="utf-8") as file:
                file.seek(self.read.get(path, 0))
                text = file.read()
            whole = text[: text.rfind("\n") + 1]  # a line may still be half written
            self.read[path] = self.read.get(path, 0) + len(whole.encode())
            lines += [json.loads(line) for line in whole.splitlines()]
        return lines


def _work(request: Request, number: int, threads: int) -> None:
    """A worker process, from start to end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    threading.Thread(target=_die_with_parent, daemon=True).start()
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"  # the display is the parent's
    logging.getLogger("mlflow.system_metrics").setLevel(logging.WARNING)
    import torch

    from sslbench.sweep.worker import Worker

    device = torch.device(resolve_device(request.device))
    torch.set_num_threads(threads)
    prepared = prepare_request(request)
    Worker(
        number,
        prepared.plan,
        open_queues(suites.load(request.suite), request.selection, request.stores.storage),
        tracker_of(request, prepared),
        request.stores,
        prepared.datasets,
        request.data_root,
        device,
    ).run()


def _die_with_parent() -> None:
    """End this process at once when its parent is gone: nobody would look after it."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
