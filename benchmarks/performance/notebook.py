"""Bar 2: the autoencoder 784-128-32-128-784 against the loop of the notebook this project grew from.

That loop: torchvision's dataset object, a DataLoader with `ToTensor`, batches of 64, Adam at 1e-3, the loss read after
every step.
"""

from __future__ import annotations

import time

import torch
from _measure import Row, interleave, publish, row
from _trainings import CORES, CPU, PerImage, cell, fashion_mnist
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader
from torchvision.transforms import ToTensor

from sslbench.engine.pretrain import Pretraining
from sslbench.modalities.image import to_float
from sslbench.pretexts.autoencoder import Autoencoder

EPOCHS, REPEATS = 3, 5

#: Mean squared error over the training images at the end of every training, by contender.
FINAL: dict[str, list[float]] = {"ours": [], "notebook": []}


def notebook() -> float:
    """Seconds per epoch."""
    torch.manual_seed(len(FINAL["notebook"]))
    network = nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 128),
        nn.ReLU(),
        nn.Linear(128, 32),
        nn.Linear(32, 128),
        nn.ReLU(),
        nn.Linear(128, 784),
        nn.Sigmoid(),
    )
    loader = DataLoader(PerImage(ToTensor()), batch_size=64, shuffle=True)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    started = time.perf_counter()
    for _ in range(EPOCHS):
        total = 0.0
        for images, _labels in loader:
            loss = functional.mse_loss(network(images), images.flatten(1))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
    elapsed = time.perf_counter() - started
    with torch.inference_mode():
        images = to_float(fashion_mnist().train_inputs)
        FINAL["notebook"].append(float(functional.mse_loss(network(images), images.flatten(1))))
    return elapsed / EPOCHS


def ours() -> float:
    """Seconds per epoch, reports and the count of FLOPs included."""
    training = Pretraining(cell("autoencoder", "mlp", 32, epochs=EPOCHS, seed=len(FINAL["ours"])), fashion_mnist(), CPU)
    started = time.perf_counter()
    for _ in training.reports():
        pass
    elapsed = time.perf_counter() - started
    task = training.pretext
    assert isinstance(task, Autoencoder)
    with torch.inference_mode():
        images = to_float(fashion_mnist().train_inputs)
        FINAL["ours"].append(float(functional.mse_loss(task.reconstruct(images), images)))
    return elapsed / EPOCHS


def main() -> list[Row]:
    """Measure speed and what was learned."""
    torch.set_num_threads(CORES)
    measured = interleave({"notebook": notebook, "ours": ours}, REPEATS)
    losses = [100 * abs(a / b - 1) for a, b in zip(FINAL["ours"], FINAL["notebook"], strict=True)]
    means = {name: sum(values) / len(values) for name, values in FINAL.items()}
    return [
        row(
            2,
            "autoencoder epoch against the notebook's loop",
            measured.ratios("notebook", "ours"),
            f"{measured.median('ours'):.2f} against {measured.median('notebook'):.2f} s per epoch",
            others=measured.others,
            bound="at least",
            target=5.0,
        ),
        row(
            2,
            f"autoencoder loss after {EPOCHS} epochs, apart from the notebook's",
            losses,
            f"means over seeds {means['ours']:.5f} and {means['notebook']:.5f}",
            others=measured.others,
            bound="at most",
            target=2.0,
            unit="%",
        ),
    ]


if __name__ == "__main__":
    publish(main())
