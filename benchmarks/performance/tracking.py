"""Bar 6: what MLflow and Optuna cost in the quick suite, and how fast the command line answers.

One worker runs the quick suite's cells of one latent size and seed in this process, on one thread as it would beside
others; every call into the tracker and every look into a queue is timed.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from _measure import Others, Row, interleave, publish, row, seconds, wait_until_quiet

from sslbench.datasets import default_root
from sslbench.stores.addresses import locate
from sslbench.stores.queue import CellQueue
from sslbench.stores.tracker import Tracker
from sslbench.sweep import suites
from sslbench.sweep.plan import Selection
from sslbench.sweep.request import Request, prepare_request
from sslbench.sweep.studies import open_queues, queued_evaluation, queued_pretraining
from sslbench.sweep.worker import Worker

SELECTION = Selection(
    pretexts=("random_init", "supervised", "autoencoder", "rotation", "simclr"), latent_dims=(128,), seeds=(0,)
)
TRACKER_CALLS = (
    "start_pretrain",
    "start_evaluate",
    "log_points",
    "log_files",
    "finish",
    "fail",
    "monitor",
    "finished",
    "pretrained",
    "artifact",
)
QUEUE_CALLS = ("waiting", "running", "fill")
REPEATS = 11


@dataclasses.dataclass
class Clock:
    """Seconds spent inside, nested calls counted once."""

    seconds: float = 0.0
    depth: int = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time in this context."""
        self.depth += 1
        started = time.perf_counter()
        try:
            yield
        finally:
            self.depth -= 1
            if not self.depth:
                self.seconds += time.perf_counter() - started

    def around(self, function: Callable[..., object]) -> Callable[..., object]:
        """The same function, its time counted."""

        def timed(*arguments: object, **named: object) -> object:
            with self.running():
                return function(*arguments, **named)

        return timed

    def outside(self, function: Callable[..., object]) -> Callable[..., object]:
        """The same function, its time left out of what is being counted around it."""

        def excluded(*arguments: object, **named: object) -> object:
            started, depth, self.depth = time.perf_counter(), self.depth, 0
            try:
                return function(*arguments, **named)
            finally:
                self.depth = depth
                self.seconds -= time.perf_counter() - started

        return excluded


def timed_calls(clock: Clock) -> None:
    """Have the clock run in every call of the tracker and of the queues, but not in the cells they hand out."""
    for name in TRACKER_CALLS:
        setattr(Tracker, name, clock.around(getattr(Tracker, name)))
    for name in QUEUE_CALLS:
        setattr(CellQueue, name, clock.around(getattr(CellQueue, name)))
    work = CellQueue.work
    CellQueue.work = clock.around(lambda queue, worker, handle: work(queue, worker, clock.outside(handle)))


def suite_part(folder: Path, clock: Clock) -> tuple[float, int]:
    """Seconds of the cells, and how many there were."""
    stores = locate(folder, f"sqlite:///{folder / 'mlflow.db'}", f"sqlite:///{folder / 'optuna.db'}")
    request = Request("quick", SELECTION, stores, default_root())
    prepared = prepare_request(request)
    queues = open_queues(suites.load("quick"), SELECTION, stores.storage)
    queues[0].fill(queued_pretraining(each, prepared.datasets) for each in prepared.plan.pretrain)
    queues[1].fill(queued_evaluation(each, prepared.datasets) for each in ())
    tracker = Tracker(stores.tracking_uri, "quick", stores.artifact_root)
    worker = Worker(0, prepared.plan, queues, tracker, stores, prepared.datasets, default_root(), torch.device("cpu"))
    clock.seconds = 0.0
    elapsed = seconds(worker.run)
    return elapsed, len(prepared.plan.pretrain) + len(prepared.plan.evaluations)


def main() -> list[Row]:
    """Measure the share and the answers."""
    torch.set_num_threads(1)
    commands = {
        "imports": [sys.executable, "-c", "import typer, rich"],
        "--help": [sys.executable, "-m", "sslbench", "--help"],
        "list": [sys.executable, "-m", "sslbench", "list"],
    }
    answers = interleave(
        {
            name: partial(seconds, partial(subprocess.run, command, capture_output=True, check=True))
            for name, command in commands.items()
        },
        REPEATS,
    )
    rows = [
        row(
            6,
            f"sslbench {name} against importing typer and rich",
            answers.ratios(name, "imports"),
            f"{1000 * answers.median(name):.0f} against {1000 * answers.median('imports'):.0f} ms",
            others=answers.others,
            bound="at most",
            target=2.0,
        )
        for name in ("--help", "list")
    ]
    clock = Clock()
    timed_calls(clock)
    wait_until_quiet()
    watch = Others()
    with tempfile.TemporaryDirectory() as folder:
        elapsed, cells = suite_part(Path(folder), clock)
    return [
        row(
            6,
            "MLflow and Optuna in the quick suite",
            [100 * clock.seconds / elapsed],
            f"{clock.seconds:.1f} of {elapsed:.0f} s over {cells} cells of one latent size and seed",
            others=watch.share(),
            bound="at most",
            target=3.0,
            unit="%",
        ),
        *rows,
    ]


if __name__ == "__main__":
    publish(main())
