"""Bar 9: time to accuracy on one thread against the plain loops people write, all in one run.

`supervised`: all labels and the recipe of `finetune`, of whose steps a quarter are enough for this accuracy (the row
`supervised_quarter`), against a DataLoader with torchvision's transforms image by image (shift and mirror as ours) and
Adam at its default rate, for the same network.

`simclr`: our `simclr_progressive`, batches of 64 and views of half the side for half of the steps, against lightly's
documented loop as `pipeline.py` has it: the same encoder, head and temperature, batches of 256, AdamW at our suites'
rate, which stays constant there. Trials of one seed: with eight epochs of batches of 64, views all of full size, 79.2%,
of 128 78.9% and of 256 78.4%; with 11 epochs and views of half the side for 60 and 80% of the steps 79.6 and 78.0%.

Our lengths are fixed beforehand, because our rate falls to zero over them, and end above the accuracy. The plain loops,
whose rate never changes, are scored after every epoch and stop at the first that reaches it, which favours them; one
that has not after the epochs it is given makes its row a lower bound, and the row says how far it came. Times are CPU
seconds of training and of making batches; scoring between epochs is counted on neither side.

An hour at most, nearly all of it the plain loops'.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from _measure import Others, Row, publish, row, wait_until_quiet
from _trainings import CPU, PerImage, cell, fashion_mnist, pretext
from lightly.loss import NTXentLoss
from pipeline import LATENT_DIM, loader
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader
from torchvision.transforms import Compose, RandomCrop, RandomHorizontalFlip, ToTensor

from sslbench.contract.cells import EvaluateCell
from sslbench.encoders._base import INFERENCE_BATCH, Encoder
from sslbench.engine.evaluate import evaluate, extract
from sslbench.engine.pretrain import Pretraining
from sslbench.modalities.image import to_float
from sslbench.protocols import PROTOCOLS
from sslbench.protocols.finetune import FinetuneConfig

SCRATCH_ACCURACY, PROBE_ACCURACY = 0.915, 0.79

#: Of `simclr_progressive`; and what the plain loops are given to reach the same.
EPOCHS, PLAIN_EPOCHS, LIGHTLY_EPOCHS = 11, 40, 24

#: CPU seconds that ours may take; SimCLR's has no bound of its own.
LONGEST = {"supervised": 120.0, "simclr": None}

#: Labelled subsets of 1% over which a probe is averaged: one alone says its accuracy to a point.
LABEL_SEEDS = range(5)

REPEATS = 3  # of ours, each another seed; the plain loops take too long for more than one


@dataclass(frozen=True)
class Run:
    """One training: its CPU seconds, the accuracy in [0, 1] it ended with, its passes over the images."""

    seconds: float
    accuracy: float
    epochs: float


def our_scratch(seed: int) -> Run:
    """`supervised_quarter` as the suites run it."""
    untrained = cell("supervised_quarter", "conv", LATENT_DIM, epochs=0.0, seed=seed)
    config = FinetuneConfig()
    wanted = EvaluateCell(untrained, untrained.dataset, 1.0, seed, "finetune", config)
    encoder = Pretraining(untrained, fashion_mnist(), CPU).pretext.encoder
    started = time.process_time()
    outcome = evaluate(wanted, fashion_mnist(), encoder, None, CPU)
    elapsed = time.process_time() - started
    epochs = outcome.details["steps"] * config.optimizer.batch_size / len(fashion_mnist().train_inputs)
    return Run(elapsed, outcome.accuracy, epochs)


def plain_scratch() -> Run:
    """The loop of any tutorial."""
    torch.manual_seed(0)
    encoder = pretext("supervised", "conv", LATENT_DIM).encoder
    network = nn.Sequential(encoder, nn.ReLU(), nn.Linear(LATENT_DIM, len(fashion_mnist().classes)))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    views = Compose([RandomCrop(28, padding=1), RandomHorizontalFlip(), ToTensor()])
    batches = DataLoader(PerImage(views), batch_size=FinetuneConfig().optimizer.batch_size, shuffle=True)

    def epoch() -> None:
        for images, labels in batches:
            optimizer.zero_grad()
            loss = functional.cross_entropy(network(images), labels)
            loss.backward()
            optimizer.step()

    def accuracy() -> float:
        with torch.inference_mode():
            parts = fashion_mnist().test_inputs.split(INFERENCE_BATCH)
            answers = torch.cat([network(to_float(part)).argmax(dim=1) for part in parts])
        return float((answers == fashion_mnist().test_labels).double().mean())

    return until(SCRATCH_ACCURACY, epoch, accuracy, network, PLAIN_EPOCHS)


def our_simclr(seed: int) -> Run:
    """`simclr_progressive` with its own settings."""
    training = Pretraining(cell("simclr_progressive", "conv", LATENT_DIM, EPOCHS, seed), fashion_mnist(), CPU)
    started = time.process_time()
    for _ in training.reports():
        pass
    elapsed = time.process_time() - started
    return Run(elapsed, probed(training.pretext.encoder), EPOCHS)


def lightly_simclr() -> Run:
    """The documented training loop."""
    torch.manual_seed(0)
    task = pretext("simclr", "conv", LATENT_DIM)
    network = nn.Sequential(task.encoder, task.projector)
    criterion, optimizer = NTXentLoss(temperature=0.2), torch.optim.AdamW(network.parameters(), lr=2e-3)
    batches = loader(workers=0)

    def epoch() -> None:
        for (first, second), _ in batches:
            loss = criterion(network(first), network(second))
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()

    return until(PROBE_ACCURACY, epoch, lambda: probed(task.encoder), network, LIGHTLY_EPOCHS)


def until(
    wanted: float, epoch: Callable[[], None], accuracy: Callable[[], float], network: nn.Module, most: int
) -> Run:
    """Train epoch by epoch until the accuracy is reached, `most` epochs at most; only the epochs' time counts."""
    elapsed, found, number = 0.0, 0.0, 0
    while found < wanted and number < most:
        network.train()
        started = time.process_time()
        epoch()
        elapsed += time.process_time() - started
        network.eval()
        found, number = accuracy(), number + 1
        said("plain", Run(elapsed, found, number))
    return Run(elapsed, found, number)


def said(whose: str, run: Run) -> Run:
    """The run, printed: an hour is long."""
    print(f"{whose}: {run.accuracy:.2%} after {run.epochs:.1f} epochs, {run.seconds:.0f} s", flush=True)
    return run


def probed(encoder: Encoder) -> float:
    """Accuracy of the linear probe at 1% of the labels, the mean over labelled subsets."""
    untrained = cell("random_init", "conv", LATENT_DIM, epochs=0.0)
    features = extract(encoder, fashion_mnist(), CPU)["latent"]
    config = PROTOCOLS.get("linear_probe").Config()
    cells = (EvaluateCell(untrained, untrained.dataset, 0.01, seed, "linear_probe", config) for seed in LABEL_SEEDS)
    return statistics.mean(evaluate(each, fashion_mnist(), encoder, features, CPU).accuracy for each in cells)


def rows(name: str, accuracy: float, faster: float, ours: list[Run], plain: Run, watch: Others) -> list[Row]:
    """How many times faster we are, and what ours took and reached."""
    others, seconds = watch.share(), [run.seconds for run in ours]
    mean = statistics.mean(run.accuracy for run in ours)
    gone = f"{plain.seconds:,.0f} s for {plain.epochs:.0f} epochs of the plain loop, to {plain.accuracy:.2%}"
    short = "" if plain.accuracy >= accuracy else " (short of it: a lower bound)"
    detail = f"{statistics.mean(seconds):,.0f} s for {ours[0].epochs:.1f} epochs of ours, to {mean:.2%}; {gone}{short}"
    ratios = [plain.seconds / each for each in seconds]
    reached = [100 * run.accuracy for run in ours]
    what, most = f"{name} to {accuracy:.1%}", "at most" if LONGEST[name] else ""
    return [
        row(9, f"{what} against the plain loop", ratios, detail, others=others, bound="at least", target=faster),
        row(9, f"{what}, accuracy", reached, "", others=others, bound="at least", target=100 * accuracy, unit="%"),
        row(9, f"{what}, CPU seconds", seconds, "", others=others, bound=most, target=LONGEST[name], unit="s"),
    ]


def measured(
    name: str, accuracy: float, faster: float, ours: Callable[[int], Run], plain: Callable[[], Run]
) -> list[Row]:
    """One task, ours first."""
    torch.set_num_threads(1)
    wait_until_quiet()
    watch = Others()
    found = [said(f"ours, seed {seed}", ours(seed)) for seed in range(REPEATS)]
    return rows(name, accuracy, faster, found, plain(), watch)


def main() -> list[Row]:
    """Measure both."""
    return [
        *measured("simclr", PROBE_ACCURACY, 5.0, our_simclr, lightly_simclr),
        *measured("supervised", SCRATCH_ACCURACY, 3.0, our_scratch, plain_scratch),
    ]


if __name__ == "__main__":
    publish(main())
