"""Bar 6: what MLflow and Optuna cost in the quick suite, and how fast the command line answers.

One worker runs the quick suite's cells of one latent size and seed in this process, on one thread as it would beside
others; every call into the tracker and every look into a queue is timed, and, once more apart, what it takes to keep an
encoder as a model of MLflow, files included, beside the pretrainings that it is a part of. The suite as it is published
is then finished, and asked for again.
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
from sslbench.sweep import trainer
from sslbench.sweep.asked import Request, Selection
from sslbench.sweep.news import NewsWriter, status_folder
from sslbench.sweep.request import prepare_request
from sslbench.sweep.shared import Shared
from sslbench.sweep.worker import Worker

SELECTION = Selection(
    pretexts=("random_init", "supervised", "autoencoder", "rotation", "simclr"), latent_dims=(128,), seeds=(0,)
)
TRACKER_CALLS = (
    "start_pretrain",
    "start_evaluate",
    "log_points",
    "log_files",
    "log_model",
    "log_checkpoint",
    "checkpoints",
    "drop_checkpoints",
    "go_on",
    "finish",
    "fail",
    "monitor",
    "finished",
    "pretrained",
    "artifact",
)
QUEUE_CALLS = ("waiting", "running", "held", "fill")
REPEATS, FEW = 11, 5


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


def suite_part(folder: Path, clock: Clock, models: Clock, pretraining: Clock) -> tuple[float, int, int]:
    """Seconds of the cells, how many there were, and how many of them pretrained; the clocks start with the first."""
    stores = locate(folder, f"sqlite:///{folder / 'mlflow.db'}", f"sqlite:///{folder / 'optuna.db'}")
    request = Request("quick", SELECTION, stores, default_root(), device="cpu")
    prepared = prepare_request(request)
    shared = Shared(request, prepared)
    shared.begin()
    worker = shared.worker(NewsWriter(status_folder(stores, "quick"), 0))
    for each in (clock, models, pretraining):
        each.seconds = 0.0
    elapsed = seconds(worker.run)
    return elapsed, len(prepared.cells), len(prepared.plan.pretrain)


def finished_suite() -> list[Row]:
    """How long the quick suite takes when everything is done, told and shown again, and to say so in a dry run.

    In a checkout with changes that are not committed it takes longer: its tables may be others by now, and are written.
    """
    run = [sys.executable, "-m", "sslbench", "run", "quick"]
    with tempfile.TemporaryDirectory() as home:
        at = ["--home", home]
        subprocess.run([*run, *at, "--from-published"], capture_output=True, check=True)
        asked = {"with nothing to do": [*run, *at], "of what is done, a dry run": [*run, *at, "--dry-run"]}
        answers = interleave(
            {
                name: partial(seconds, partial(subprocess.run, command, capture_output=True, check=True))
                for name, command in asked.items()
            },
            FEW,
        )
    return [
        row(
            6,
            f"sslbench run quick {name}",
            answers.values[name],
            "all of it, processes started and ended",
            others=answers.others,
            bound="at most",
            target=5.0,
            unit="s",
        )
        for name in asked
    ]


def first_words() -> list[Row]:
    """How long the command line takes to say what there is."""
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
    return [
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


def main() -> list[Row]:
    """Measure the share and the answers."""
    torch.set_num_threads(1)
    rows = first_words()
    clock = Clock()
    timed_calls(clock)
    models, pretraining = Clock(), Clock()
    trainer.log_model = models.around(trainer.log_model)
    Worker._pretrain = pretraining.around(Worker._pretrain)
    wait_until_quiet()
    watch = Others()
    with tempfile.TemporaryDirectory() as folder:
        elapsed, cells, pretrained = suite_part(Path(folder), clock, models, pretraining)
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
        row(
            6,
            "encoders as models of MLflow, of their pretraining",
            [100 * models.seconds / pretraining.seconds],
            f"{1000 * models.seconds / pretrained:.0f} ms for each of {pretrained}, which took "
            f"{pretraining.seconds:.0f} s together",
            others=watch.share(),
            bound="at most",
            target=3.0,
            unit="%",
        ),
        *rows,
        *finished_suite(),
    ]


if __name__ == "__main__":
    publish(main())
