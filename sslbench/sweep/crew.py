"""Suite -> studies -> workers: runs what is missing and nothing else."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing import connection, parent_process
from multiprocessing.context import SpawnProcess

from sslbench.contract.files import remove_inside
from sslbench.sweep import suites
from sslbench.sweep.cores import Layout
from sslbench.sweep.features import features_folder
from sslbench.sweep.news import Failure, NewsReader, Progress, status_folder
from sslbench.sweep.request import Prepared, Request, alone, layout, plan_request, resolve_device, tracker_of
from sslbench.sweep.studies import open_queues, queued_evaluation, queued_pretraining

POLL_SECONDS = 0.5
RESTARTS = 3


def run(request: Request, prepared: Prepared, show: Callable[[Progress], None]) -> list[Failure]:
    """Run every missing cell; returns what failed.

    Ctrl-C stops the workers, closes their runs and raises again; a cell in flight is lost, nothing else.

    Args:
        show: called about twice a second.

    Raises:
        InputError: another process is running this suite in the same stores.
        KeyboardInterrupt: after everything was put in order.
    """
    name = prepared.suite.name
    with alone(request.stores, name, f"suite {name!r} is already running"):
        return _Sweep(request, prepared).run(show)


class _Sweep:
    """The parent's side of one run, the lock being held."""

    def __init__(self, request: Request, prepared: Prepared) -> None:
        self.request, self.prepared = request, prepared
        self.tracker = tracker_of(request.stores, prepared.suite.name)
        self.pretrain_queue, self.evaluate_queue = open_queues(
            suites.load(request.suite), request.selection, request.stores.storage
        )
        status = status_folder(request.stores, prepared.suite.name)
        remove_inside(request.stores.home / "status", status)
        self.news = NewsReader(status)
        self._settle()  # we hold the lock: whatever claims to be running belongs to a process that died

    def run(self, show: Callable[[Progress], None]) -> list[Failure]:
        """Start workers, look after them until they end, and put everything in order whatever happens."""
        told = suites.description(self.request.suite).replace("\n", "  \n")  # two spaces keep the line in Markdown
        self.tracker.describe("  \n".join([f"`sslbench run {self.request.suite}`", told, *self.prepared.suite.notes]))
        self._forget_published()
        self._fill()
        chosen = layout(self.request, self.prepared)
        workers = {number: self._start(number, chosen) for number in range(chosen.workers)}
        failures: list[Failure] = []
        restarts = 0
        try:
            while workers:
                connection.wait([worker.sentinel for worker in workers.values()], POLL_SECONDS)
                progress = self.news.look()
                failures += progress.failed
                show(progress)
                for number, worker in list(workers.items()):
                    if worker.is_alive():
                        continue
                    del workers[number]
                    if worker.exitcode:
                        failures.append(Failure(f"worker {number}", f"died, exit code {worker.exitcode}"))
                        self._bury(worker)
                        restarts += 1
                        if restarts <= RESTARTS:
                            workers[number] = self._start(number, chosen)
            progress = self.news.look()
            failures += progress.failed
            show(progress)
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

    def _forget_published(self) -> None:
        """Have pretrainings run that were taken from published results without encoder, and now lack evaluations."""
        plan, done = self.prepared.plan, self.tracker.finished()
        lacking = {cell.pretrain.cell_id for cell in plan.evaluations if cell.cell_id not in done}
        self.tracker.forget_published(lacking & done.keys())

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
            stores = self.request.stores
            remove_inside(stores.features, features_folder(stores, self.prepared.suite.name))


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
    prepared = plan_request(request, stores=False)
    Worker(
        number,
        prepared.plan,
        open_queues(suites.load(request.suite), request.selection, request.stores.storage),
        tracker_of(request.stores, prepared.suite.name),
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
