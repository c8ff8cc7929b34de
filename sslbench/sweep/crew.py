"""Suite -> studies -> workers: runs what is missing and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from sslbench.stores.outage import patiently
from sslbench.stores.urls import hidden
from sslbench.sweep.asked import Request
from sslbench.sweep.engines import engine_of
from sslbench.sweep.engines._base import Engine, Placed, next_look
from sslbench.sweep.news import Failure, Progress
from sslbench.sweep.request import Prepared
from sslbench.sweep.shared import Shared

POLL_SECONDS = 0.2
RESTARTS = 3


def run(
    request: Request, prepared: Prepared, show: Callable[[Progress], None], engine: Engine | None = None
) -> list[Failure]:
    """Run every missing cell; returns what failed. Others may do so at the same time: each cell is done once.

    Ctrl-C stops the workers, closes their runs and raises again; of a training in flight the last minute is lost.

    Args:
        show: called a few times a second.
        engine: where workers run; None for processes of this machine.

    Raises:
        KeyboardInterrupt: after everything was put in order.
        StoreLost: a store does not answer any more.
    """
    return _Sweep(request, prepared, engine or engine_of("local", request, prepared, {})).run(show)


class _Sweep:
    """The side of one run that looks after workers."""

    def __init__(self, request: Request, prepared: Prepared, engine: Engine) -> None:
        self.engine, self.shared = engine, Shared(request, prepared)
        self.next_look = 0.0

    def run(self, show: Callable[[Progress], None]) -> list[Failure]:
        """Start workers, look after them until they end, and put everything in order whatever happens."""
        self.shared.begin()
        workers: dict[int, Placed] = {}
        with self.shared.tidied(), ExitStack() as ending:
            ending.callback(self.engine.close)
            ending.callback(_stop, workers)
            for number in range(self.engine.workers):
                workers[number] = self.engine.start(number)
            return self._look_after(workers, show)

    def _look_after(self, workers: dict[int, Placed], show: Callable[[Progress], None]) -> list[Failure]:
        """Until all have ended; those that died are started again, a few times without a cell being done."""
        failures: list[Failure] = []
        restarts, most = 0, -1
        while workers:
            time.sleep(POLL_SECONDS)
            progress = self._look()
            failures += progress.failed
            show(progress)
            if progress.done is not None and progress.done > most:
                restarts, most = 0, progress.done
            for number, worker in list(workers.items()):
                ended = worker.ended()
                if ended is None:
                    continue
                del workers[number]
                if ended:
                    failures.append(Failure(f"worker {number}", hidden(ended)))
                    self.shared.settle()
                    self.shared.top_up()
                    restarts += 1
                    if restarts <= RESTARTS:
                        workers[number] = self.engine.start(number)
        progress = self._look(last=True)
        failures += progress.failed
        show(progress)
        return failures

    def _look(self, last: bool = False) -> Progress:
        """What the workers say, and from time to time, and at the end, how much is done, by whomever."""
        progress = self.engine.look(self.shared, last)
        began = time.monotonic()
        if last or began > self.next_look:
            progress = replace(progress, done=patiently(self.shared.done))
            self.next_look = next_look(began)
        return progress


def _stop(workers: dict[int, Placed]) -> None:
    """Stop all, whatever becomes of one."""
    with ExitStack() as ending:
        for worker in workers.values():
            ending.callback(worker.stop)
