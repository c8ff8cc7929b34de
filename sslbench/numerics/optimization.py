"""Optimisers and learning-rate schedules, shared by pretraining and fine-tuning."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from sslbench.contract.spec import InputError, OptimizerConfig

OPTIMIZERS = ("adam", "adam_gan", "adamw", "sgd")
SCHEDULES = ("cosine", "constant")


def check(config: OptimizerConfig) -> None:
    """Raise an error unless the optimiser and its schedule are known and the numbers are possible.

    Raises:
        InputError: naming the culprit and the choices.
    """
    if config.name not in OPTIMIZERS:
        raise InputError(f"unknown optimizer {config.name!r}; choose one of {', '.join(OPTIMIZERS)}")
    if config.schedule not in SCHEDULES:
        raise InputError(f"unknown schedule {config.schedule!r}; choose one of {', '.join(SCHEDULES)}")
    if config.batch_size < 2 or config.learning_rate <= 0 or not 0 <= config.warmup < 1:
        raise InputError(f"{config} is impossible; batch_size >= 2, learning_rate > 0 and warmup in [0, 1) are needed")


@dataclass(frozen=True)
class Group:
    """Parameters decayed alike, each beside the running means of its gradient and of its square (SGD: its velocity)."""

    parameters: list[nn.Parameter]
    weight_decay: float
    first: list[torch.Tensor]
    second: list[torch.Tensor]

    @classmethod
    def of(cls, parameters: list[nn.Parameter], weight_decay: float) -> Group:
        """A group whose means are still zero."""
        first, second = ([torch.zeros_like(each) for each in parameters] for _ in range(2))
        return cls(parameters, weight_decay, first, second)


class Optimizer:
    """Adam, AdamW or SGD with Nesterov momentum, on torch's fused kernels.

    The numbers are those of `torch.optim` with `fused=True`, bit for bit. What surrounds the kernels there (a record
    for the profiler, looks for compilers and graph capture, a count of steps per parameter) takes as long as they do
    on a small network, and loads torch's compiler, 75 MB of memory.

    Kingma & Ba 2015, arXiv:1412.6980; decoupled decay: Loshchilov & Hutter 2019, arXiv:1711.05101. `adam_gan` is Adam
    with a first momentum of 0.5, which keeps adversaries from overshooting each other (Radford et al. 2015,
    arXiv:1511.06434).

    Attributes:
        groups: every trained parameter in one of them.
        learning_rate: of the next step.
        steps: updates done; a tensor, as the kernels ask for.
    """

    def __init__(self, name: str, groups: list[Group], learning_rate: float) -> None:
        self.name, self.groups, self.learning_rate = name, groups, learning_rate
        self.steps = torch.zeros((), device=groups[0].parameters[0].device)

    @torch.no_grad()
    def step(self) -> None:
        """Update every parameter that has a gradient."""
        self.steps += 1
        for group in self.groups:
            rows = zip(group.parameters, group.first, group.second, strict=True)
            having = [(each, each.grad, first, second) for each, first, second in rows if each.grad is not None]
            if having:
                self._update(group.weight_decay, *map(list, zip(*having, strict=True)))

    def _update(
        self,
        weight_decay: float,
        parameters: list[torch.Tensor],
        gradients: list[torch.Tensor],
        first: list[torch.Tensor],
        second: list[torch.Tensor],
    ) -> None:
        if self.name == "sgd":
            torch._fused_sgd_(
                parameters,
                gradients,
                first,
                weight_decay=weight_decay,
                momentum=0.9,
                lr=self.learning_rate,
                dampening=0.0,
                nesterov=True,
                maximize=False,
                is_first_step=False,  # the velocities are zero, which without dampening comes to the same
            )
            return
        kernel = torch._fused_adamw_ if self.name == "adamw" else torch._fused_adam_
        kernel(
            parameters,
            gradients,
            first,
            second,
            [],
            [self.steps] * len(parameters),
            lr=self.learning_rate,
            beta1=0.5 if self.name == "adam_gan" else 0.9,
            beta2=0.999,
            weight_decay=weight_decay,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for group in self.groups:
            for parameter in group.parameters:
                parameter.grad = None


def build_optimizer(network: nn.Module, config: OptimizerConfig) -> Optimizer:
    """The optimiser of a network; biases and normalisation weights are not decayed (one-dimensional parameters)."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    if config.weight_decay == 0:  # one group, one kernel
        groups = [Group.of(trained, 0.0)]
    else:
        decayed = [parameter for parameter in trained if parameter.ndim > 1]
        spared = [parameter for parameter in trained if parameter.ndim <= 1]
        groups = [Group.of(decayed, config.weight_decay), Group.of(spared, 0.0)]
    return Optimizer(config.name, groups, config.learning_rate)


def learning_rate_factor(config: OptimizerConfig, step: int, steps: int) -> float:
    """Share of the peak learning rate at `step` of `steps`: linear warm-up, then cosine to zero or constant."""
    warmup = int(config.warmup * steps)
    if step < warmup:
        return (step + 1) / (warmup + 1)
    if config.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def endless_batches(count: int, batch_size: int, device: torch.device) -> Iterator[torch.Tensor]:
    """Positions of batch after batch, reshuffling whenever all `count` have been seen.

    Every batch is full where `count` allows; an incomplete rest is left for the next shuffle, as `drop_last` does.
    """
    size = min(batch_size, count)
    while True:
        order = torch.randperm(count).to(device)
        yield from order[: count - count % size].split(size)
