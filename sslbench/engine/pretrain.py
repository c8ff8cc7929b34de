"""The one pretraining loop."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn

from sslbench.contract.cells import PretrainCell, steps_in
from sslbench.contract.identity import named_seed
from sslbench.datasets._base import Dataset
from sslbench.encoders import ENCODERS
from sslbench.engine.checkpoint import Checkpoint, CheckpointRefused, Loop, fits
from sslbench.engine.memory import keep_freed_memory
from sslbench.modalities import modality_of
from sslbench.numerics.flops import counted
from sslbench.numerics.optimization import EndlessBatches, build_optimizer, learning_rate_factor, set_learning_rate
from sslbench.numerics.randomness import island
from sslbench.pretexts import PRETEXTS
from sslbench.pretexts._base import Pretext

REPORTS_PER_EPOCH = 10


class TrainingError(RuntimeError):
    """A training that cannot go on, e.g. because its loss is no longer finite."""


@dataclass(frozen=True)
class Report:
    """Means since the report before, at one point of the loss curve.

    Attributes:
        step, steps: optimiser steps done and in total.
        epoch: passes over the unlabelled inputs done.
        seconds: since training began, evaluation and logging excluded.
        inputs_per_second: inputs through the pretext per second.
        gradient_norm: Euclidean norm over all parameters at this step.
        checkpoints: the epochs of the cell's checkpoints that are due at this step.
    """

    step: int
    steps: int
    epoch: float
    loss: float
    learning_rate: float
    seconds: float
    inputs_per_second: float
    gradient_norm: float
    checkpoints: tuple[float, ...] = ()


def build(cell: PretrainCell, dataset: Dataset, device: torch.device) -> Pretext:
    """The pretext of a cell with its freshly initialised encoder, on `device`; same cell, same weights."""
    torch.manual_seed(
        named_seed("initialisation", cell.dataset, cell.encoder, cell.pretext, cell.latent_dim, cell.seed)
    )
    encoder = ENCODERS.get(cell.encoder)(dataset.input_spec, cell.latent_dim)
    pretext = PRETEXTS.get(cell.pretext)(encoder, cell.config, dataset.input_spec)
    return pretext.to(memory_format=modality_of(dataset.input_spec).memory_format).to(device)


def flops_of(cell: PretrainCell, dataset: Dataset, device: torch.device) -> float:
    """Floating-point operations that a pretraining would take; it is not run."""
    with island(0):  # built on the side: the caller's random numbers are not used up
        return Pretraining(cell, dataset, device).flops


def unlabelled(cell: PretrainCell, dataset: Dataset) -> torch.Tensor:
    """What the cell's pretraining sees, as it is stored; a seeded draw where the suite limits the number of inputs."""
    inputs = dataset.unlabelled_inputs
    if cell.num_unlabelled is None or cell.num_unlabelled >= len(inputs):
        return inputs
    generator = torch.Generator().manual_seed(named_seed("unlabelled subset", cell.dataset, cell.seed))
    return inputs[torch.randperm(len(inputs), generator=generator)[: cell.num_unlabelled]]


class Pretraining:
    """One pretraining: iterate over `reports()` to run it.

    At every report its `state` can be kept. Another one of the same cell, told to `resume` it, goes on to the same
    weights and the same reports; on a CPU they are the same to the bit.

    Attributes:
        pretext: the task, its encoder inside.
        steps: optimiser steps in all; 0 for baselines.
        epochs: passes over the unlabelled inputs in all.
        checkpoints: steps after which the cell asks for a score, to the epochs it calls them by.
        samples: inputs drawn in all; each counts once however many views a task makes of it.
        step: optimiser steps done at the last report.
        seconds: training time so far.
        flops: floating-point operations of all steps, forward and backward, measured on one of each stage.
        parameters: of the encoder.
    """

    def __init__(self, cell: PretrainCell, dataset: Dataset, device: torch.device) -> None:
        self.cell, self.device = cell, device
        self.pretext = build(cell, dataset, device)
        self.modality = modality_of(dataset.input_spec)
        self.inputs = unlabelled(cell, dataset)
        self.batch_size = min(cell.config.optimizer.batch_size, len(self.inputs))
        flops_per_step = self._flops_per_step() if self.pretext.trains else 0.0
        self.steps = self._all_steps(flops_per_step) if self.pretext.trains else 0
        self.flops = self.steps * flops_per_step
        self.samples = self.steps * self.batch_size
        self.epochs = self.samples / len(self.inputs)
        self.checkpoints: dict[int, tuple[float, ...]] = {}
        for epochs in cell.checkpoints:
            step = min(self.steps, steps_in(epochs, len(self.inputs), self.batch_size))
            self.checkpoints[step] = (*self.checkpoints.get(step, ()), epochs)
        self.step, self.seconds = 0, 0.0
        self.identity = {"cell_id": cell.cell_id, "dataset": dataset.digest, "device": device.type}
        self.identity["steps"] = str(self.steps)  # of a length in operations another version may make other steps
        self._loop: Loop | None = None
        self._resumed: Checkpoint | None = None
        self.parameters = sum(parameter.numel() for parameter in self.pretext.encoder.parameters())

    def _all_steps(self, flops_per_step: float) -> int:
        """Optimiser steps of the whole training, in whatever its length was given."""
        if self.cell.flops is not None:
            return max(1, round(self.cell.flops / flops_per_step))
        return self.cell.steps_over(len(self.inputs))

    def _flops_per_step(self) -> float:
        """Operations of the mean step, counted once a stage on a copy: nothing of the training changes by it."""
        task = copy.deepcopy(self.pretext).train()
        operations = 0.0
        with island(0):
            batch = self.modality.batch(self.inputs[: self.batch_size].to(self.device))
            for start, end in pairwise((*task.stages, 1.0)):
                task.before_step(start)
                operations += (end - start) * counted(lambda: self._loss_and_gradient(task, batch))[1]
        return operations

    def state(self, notes: Mapping[str, float] | None = None) -> bytes:
        """The training as it is at the report that `reports` has just given, as a safetensors file.

        Args:
            notes: numbers to keep with it.

        Raises:
            RuntimeError: it has not begun.
        """
        if self._loop is None:
            raise RuntimeError("a pretraining that has not begun has no state to keep")
        return Checkpoint(self.identity, self.step, self.seconds, notes or {}, self._loop.tensors()).to_bytes()

    def resume(self, content: bytes) -> Checkpoint:
        """Let `reports` go on behind a `state`; of several that are given, behind the one that came furthest.

        Raises:
            CheckpointRefused: it is damaged, of another training, or no further than one that was given before. Nothing
                has changed.
        """
        checkpoint = Checkpoint.from_bytes(content)
        if checkpoint.identity != self.identity or not fits(checkpoint, self.pretext):
            raise CheckpointRefused(f"it is not of {self.cell.title} on this data and kind of device, as it is now")
        if self._resumed is not None and checkpoint.step <= self._resumed.step:
            raise CheckpointRefused(f"another one is at step {self._resumed.step}")
        self._resumed = checkpoint
        return checkpoint

    def reports(self) -> Iterator[Report]:
        """Train, yielding about ten reports per epoch and one at each checkpoint; the device is not waited for between.

        Raises:
            TrainingError: the loss became infinite or not a number.
        """
        if not self.pretext.trains:
            return
        cell, pretext, config = self.cell, self.pretext, self.cell.config.optimizer
        torch.manual_seed(named_seed("training", cell.dataset, cell.encoder, cell.pretext, cell.latent_dim, cell.seed))
        keep_freed_memory()
        inputs = self.inputs.to(self.device)
        optimizer = build_optimizer(pretext, config)
        batches = EndlessBatches(len(inputs), self.batch_size, self.device)
        self._loop = Loop(pretext, optimizer, batches, self.device)
        steps_per_epoch = max(1, len(inputs) // self.batch_size)
        interval = max(1, steps_per_epoch // REPORTS_PER_EPOCH)
        if self._resumed is not None:
            self._loop.restore(self._resumed.tensors)
            self.step, self.seconds, self._resumed = self._resumed.step, self._resumed.seconds, None
        total = torch.zeros((), device=self.device)
        pretext.train()
        started = time.perf_counter()
        for step in range(self.step + 1, self.steps + 1):
            if (step - 1) % steps_per_epoch == 0:
                pretext.before_epoch(inputs)
            learning_rate = config.learning_rate * learning_rate_factor(config, step - 1, self.steps)
            set_learning_rate(optimizer, learning_rate)
            batch = self.modality.batch(inputs.index_select(0, next(batches)))
            pretext.before_step((step - 1) / self.steps)
            total += self._loss_and_gradient(pretext, batch)
            due = step % interval == 0 or step == self.steps or step in self.checkpoints
            norm = _gradient_norm(pretext) if due else 0.0
            optimizer.step()
            optimizer.zero_grad()
            pretext.after_step(step / self.steps)
            if due:
                loss = float(total) / (step - self.step)
                if loss != loss or loss in (float("inf"), float("-inf")):
                    raise TrainingError(f"{cell.title}: the loss became {loss} at step {step} of {self.steps}")
                elapsed = time.perf_counter() - started
                rate = (step - self.step) * self.batch_size / elapsed
                self.seconds += elapsed
                epoch, scored = step / steps_per_epoch, self.checkpoints.get(step, ())
                total.zero_()
                self.step = step
                yield Report(step, self.steps, epoch, loss, learning_rate, self.seconds, rate, norm, scored)
                started = time.perf_counter()

    def _loss_and_gradient(self, pretext: Pretext, batch: torch.Tensor) -> torch.Tensor:
        """Loss of one batch, detached, its gradients left on the parameters."""
        # On a GPU, bfloat16 halves memory traffic; of processors few have it, and all are to find the same numbers.
        with torch.autocast("cuda", torch.bfloat16, enabled=self.device.type == "cuda"):
            loss = pretext(batch)
        loss.backward()
        return loss.detach()


def _gradient_norm(network: nn.Module) -> float:
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    return float(torch.nn.utils.get_total_norm(gradients))
