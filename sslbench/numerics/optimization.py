"""Optimisers and learning-rate schedules, shared by pretraining and fine-tuning."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from sslbench.contract.spec import OptimizerConfig

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "adam": Adam,
    "adam_gan": partial(Adam, betas=(0.5, 0.999)),
    "adamw": AdamW,
    "sgd": partial(SGD, momentum=0.9, nesterov=True),
}


def build_optimizer(network: nn.Module, config: OptimizerConfig) -> Optimizer:
    """The optimiser of a network; biases and normalisation weights are not decayed (one-dimensional parameters).

    Kingma & Ba 2015, arXiv:1412.6980; decoupled decay: Loshchilov & Hutter 2019, arXiv:1711.05101. `adam_gan` is Adam
    with a first momentum of 0.5, which keeps adversaries from overshooting each other (Radford et al. 2015,
    arXiv:1511.06434); `sgd` has Nesterov momentum.
    """
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    decayed = [parameter for parameter in trained if parameter.ndim > 1 or config.weight_decay == 0]
    spared = [parameter for parameter in trained if parameter.ndim <= 1 and config.weight_decay != 0]
    groups = [{"params": decayed, "weight_decay": config.weight_decay}]
    if spared:
        groups.append({"params": spared, "weight_decay": 0.0})
    return OPTIMIZERS[config.name](groups, lr=config.learning_rate, fused=True)


def set_learning_rate(optimizer: Optimizer, learning_rate: float) -> None:
    """Let the next step of all parameters be of this size."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate


def learning_rate_factor(config: OptimizerConfig, step: int, steps: int) -> float:
    """Share of the peak learning rate at `step` of `steps`: linear warm-up, then cosine to zero or constant."""
    warmup = int(config.warmup * steps)
    if step < warmup:
        return (step + 1) / (warmup + 1)
    if config.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


class EndlessBatches(Iterator[torch.Tensor]):
    """Positions of batch after batch, reshuffling whenever all `count` have been seen.

    Every batch is full where `count` allows; an incomplete rest is left for the next shuffle, as `drop_last` does.

    Attributes:
        left: positions of this shuffle that are still to come; with torch's generator, all that decides the rest.
    """

    def __init__(self, count: int, batch_size: int, device: torch.device) -> None:
        self.count, self.size, self.device = count, min(batch_size, count), device
        self.left = torch.empty(0, dtype=torch.long, device=device)

    def __next__(self) -> torch.Tensor:
        if len(self.left) < self.size:
            self.left = torch.randperm(self.count).to(self.device)
        batch, self.left = self.left[: self.size], self.left[self.size :]
        return batch
