"""Bar 3: what `pretrain` adds to the bare forward, backward and optimiser step on a resident batch.

The bare step takes one float batch that lies in memory, turned or seen twice beforehand: what is left is the network,
the loss and the update. Beside the loop alone stands everything the issue counts to it, for the reference length of
20 epochs: curves logged after every epoch, one checkpoint scored, diagnostics, the encoder kept. These come a fixed
number of times however long the training is, so each is timed once and added.
"""

from __future__ import annotations

import copy
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from _measure import Row, interleave, publish, row, seconds
from _trainings import CORES, CPU, cell, fashion_mnist, images_per_second, pretext
from safetensors.torch import save_file

from sslbench.contract.cells import EvaluateCell
from sslbench.engine.evaluate import evaluate, extract_budget
from sslbench.engine.examine import measure
from sslbench.engine.pretrain import REPORTS_PER_EPOCH, Pretraining
from sslbench.modalities.image import to_float
from sslbench.numerics.optimization import build_optimizer
from sslbench.pretexts._base import Pretext
from sslbench.pretexts._views import TwoViewPretext
from sslbench.pretexts.images.rotation import Rotation
from sslbench.protocols import PROTOCOLS
from sslbench.stores.addresses import locate, prepare
from sslbench.stores.inputs import describe
from sslbench.stores.tracker import Tracker

LATENT_DIM, REPEATS, STEPS = 128, 11, 40
REFERENCE_EPOCHS = 20
CURVES = ("loss", "learning_rate", "images_per_second", "gradient_norm", "epoch")
BOUNDS = {"autoencoder": 1.08, "rotation": 1.08, "simclr": 1.25, "byol": 1.25}


def ready(task: Pretext, batch: torch.Tensor) -> Callable[[], torch.Tensor]:
    """The loss of a task on inputs it need not change any more."""
    if isinstance(task, TwoViewPretext):
        views = task.views(batch)
        task.views = lambda _: views
        return partial(task, batch)
    if isinstance(task, Rotation):
        turns = torch.arange(len(batch)) % 4
        return lambda: torch.nn.functional.cross_entropy(task.head(task.encoder(batch)), turns)
    return partial(task, batch)


def bare(name: str) -> float:
    """Images per second of the bare step."""
    task = pretext(name, "conv", LATENT_DIM).to(memory_format=torch.channels_last)
    config = cell(name, "conv", LATENT_DIM, 1.0).config.optimizer
    optimizer = build_optimizer(task, config)
    loss = ready(task.train(), to_float(fashion_mnist().train_inputs[: config.batch_size]))

    def steps(count: int) -> None:
        for number in range(count):
            loss().backward()
            optimizer.step()
            optimizer.zero_grad()
            task.after_step((number + 1) / count)

    steps(5)
    started = time.perf_counter()
    steps(STEPS)
    return STEPS * config.batch_size / (time.perf_counter() - started)


def loop(name: str) -> float:
    """Images per second of `pretrain` over as many steps, its reports included."""
    wanted = cell(name, "conv", LATENT_DIM, 1.0)
    size = wanted.config.optimizer.batch_size
    steps_per_report = len(fashion_mnist().train_inputs) // size // REPORTS_PER_EPOCH
    reports = 1 + -(-STEPS // steps_per_report)
    epochs = reports * steps_per_report * size / len(fashion_mnist().train_inputs)
    return images_per_second(cell(name, "conv", LATENT_DIM, epochs))


def extras(name: str, home: Path) -> dict[str, float]:
    """Seconds of each thing that comes beside the loop in a pretraining of the reference length."""
    dataset, wanted = fashion_mnist(), cell(name, "conv", LATENT_DIM, 0.01)
    stores = locate(home, f"sqlite:///{home / 'mlflow.db'}", f"sqlite:///{home / 'optuna.db'}")
    prepare(stores)
    tracker = Tracker(stores.tracking_uri, "overhead", stores.artifact_root)
    run = tracker.start_pretrain(wanted, describe(dataset), "cpu")
    training = Pretraining(wanted, dataset, CPU)
    for _ in training.reports():
        pass
    points = [(step, dict.fromkeys(CURVES, 0.5)) for step in range(REPORTS_PER_EPOCH)]
    scored = EvaluateCell(wanted, wanted.dataset, 0.01, 0, "knn", PROTOCOLS.get("knn").Config())

    def checkpoint() -> None:
        encoder = copy.deepcopy(training.pretext.encoder)
        evaluate(scored, dataset, encoder, extract_budget(scored, encoder, dataset, CPU), CPU)

    def keep() -> None:
        with tempfile.TemporaryDirectory() as folder:
            weights = {key: value.contiguous() for key, value in training.pretext.encoder.state_dict().items()}
            save_file(weights, Path(folder) / "encoder.safetensors")
            tracker.log_files(run, Path(folder))

    timed: dict[str, tuple[Callable[[], object], int]] = {
        "curves": (lambda: tracker.log_points(run, points), REFERENCE_EPOCHS),
        "checkpoint": (checkpoint, 1),
        "diagnostics": (lambda: measure(training, dataset), 1),
        "encoder file": (keep, 1),
    }
    found = {}
    for what, (work, times) in timed.items():
        work()
        found[what] = times * min(seconds(work) for _ in range(2))
    tracker.finish(run, {}, {})
    return found


def main() -> list[Row]:
    """Measure the loop and the whole of every task."""
    torch.set_num_threads(CORES)
    rows = []
    for name, bound in BOUNDS.items():
        measured = interleave({"bare": partial(bare, name), "pretrain": partial(loop, name)}, REPEATS)
        with tempfile.TemporaryDirectory() as home:
            beside = extras(name, Path(home))
        ratios = measured.ratios("bare", "pretrain")
        bare_seconds = REFERENCE_EPOCHS * len(fashion_mnist().train_inputs) / measured.median("bare")
        whole = [ratio + sum(beside.values()) / bare_seconds for ratio in ratios]
        speeds = f"{measured.median('pretrain'):,.0f} against {measured.median('bare'):,.0f} images/s"
        named = ", ".join(f"{what} {value:.2f} s" for what, value in beside.items())
        rows += [
            row(3, f"{name} loop against the bare step", ratios, speeds, others=measured.others),
            row(
                3,
                f"{name} pretraining of {REFERENCE_EPOCHS} epochs against the bare steps",
                whole,
                f"bare {bare_seconds:.0f} s; beside the loop: {named}",
                others=measured.others,
                bound="at most",
                target=bound,
            ),
        ]
    return rows


if __name__ == "__main__":
    publish(main())
