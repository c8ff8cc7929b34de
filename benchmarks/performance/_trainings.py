"""The trainings that several bars measure, on Fashion-MNIST."""

from __future__ import annotations

import time
from functools import cache

import torch
from torchvision.datasets import FashionMNIST

from sslbench.contract.cells import PretrainCell
from sslbench.datasets import default_root, load
from sslbench.datasets._base import Dataset
from sslbench.encoders import ENCODERS
from sslbench.engine.pretrain import Pretraining
from sslbench.pretexts import PRETEXTS
from sslbench.pretexts._base import Pretext

CPU = torch.device("cpu")
CORES = 2


@cache
def fashion_mnist() -> Dataset:
    """The dataset, loaded once."""
    return load("fashion_mnist", default_root())


def cell(pretext: str, encoder: str, latent_dim: int, epochs: float, seed: int = 0) -> PretrainCell:
    """A pretraining with its pretext's own settings."""
    return PretrainCell(
        fashion_mnist().name, encoder, pretext, latent_dim, seed, epochs, None, PRETEXTS.get(pretext).Config()
    )


def pretext(name: str, encoder: str, latent_dim: int) -> Pretext:
    """A freshly initialised task in plain memory order, for pipelines that are not ours."""
    spec = fashion_mnist().input_spec
    task = PRETEXTS.get(name)
    return task(ENCODERS.get(encoder)(spec, latent_dim), task.Config(), spec)


def images_per_second(wanted: PretrainCell, device: torch.device = CPU) -> float:
    """Of `pretrain`, from its first report to its last: the first step measures FLOPs and warms up."""
    training = Pretraining(wanted, fashion_mnist(), device)
    started, first = 0.0, 0
    for report in training.reports():
        if not first:
            started, first = time.perf_counter(), report.step
    return (training.steps - first) * training.batch_size / (time.perf_counter() - started)


class PerImage(FashionMNIST):
    """torchvision's dataset object over the arrays at hand: a PIL image, then the transform, image by image."""

    def __init__(self, transform: object) -> None:
        data = fashion_mnist()
        self.data, self.targets = data.train_inputs[:, 0], data.train_labels
        self.transform, self.target_transform = transform, None
