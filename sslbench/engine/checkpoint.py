"""A pretraining between two steps as one safetensors file, from which it goes on elsewhere as if it had not stopped.

The file's header says in JSON whose training it is and how far it came, with a digest over that and every tensor, so
that one which was cut off or damaged is not taken for whole. Nothing in it is pickled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import nn
from torch.optim import Optimizer

from sslbench.numerics.optimization import EndlessBatches

PRETEXT, OPTIMIZER, LEFT = "pretext.", "optimizer.", "batches.left"
RANDOM, RANDOM_CUDA = "random.cpu", "random.cuda"


class CheckpointRefused(Exception):
    """A file from which a training does not go on; the message says why."""


@dataclass(frozen=True)
class Checkpoint:
    """A training after `step` optimiser steps.

    Attributes:
        identity: of the training; one goes on from its own checkpoints only.
        step: optimiser steps done.
        seconds: of training so far.
        notes: numbers that whoever runs the training wants back.
        tensors: what `Loop.tensors` returned.
    """

    identity: Mapping[str, str]
    step: int
    seconds: float
    notes: Mapping[str, float]
    tensors: Mapping[str, torch.Tensor]

    def to_bytes(self) -> bytes:
        """The file."""
        about = {"identity": self.identity, "step": self.step, "seconds": self.seconds, "notes": self.notes}
        said = json.dumps(about)
        header = json.dumps({"about": said, "digest": _digest(said, self.tensors)})
        return save_tensors(dict(self.tensors), {"sslbench": header})

    @classmethod
    def from_bytes(cls, content: bytes) -> Checkpoint:
        """What `to_bytes` wrote.

        Raises:
            CheckpointRefused: it is no such file, or not as it was written.
        """
        try:
            tensors = load_tensors(content)
            length = int.from_bytes(content[:8], "little")  # of the header, as the format has it
            header = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["sslbench"])
            whole = header["digest"] == _digest(header["about"], tensors)
            about = json.loads(header["about"]) if whole else {}
        except (SafetensorError, ValueError, KeyError, TypeError) as error:
            raise CheckpointRefused(f"it is no checkpoint: {type(error).__name__}: {error}") from error
        if not whole:
            raise CheckpointRefused("it is damaged: its digest is another")
        return cls(about["identity"], about["step"], about["seconds"], about["notes"], tensors)


@dataclass(frozen=True)
class Loop:
    """All that a step of a pretraining changes."""

    pretext: nn.Module
    optimizer: Optimizer
    batches: EndlessBatches
    device: torch.device

    def tensors(self) -> dict[str, torch.Tensor]:
        """A copy of it on the processor: weights, buffers, moments, the rest of the shuffle, random generators."""
        found = {PRETEXT + name: value for name, value in self.pretext.state_dict().items()}
        for number, state in self.optimizer.state_dict()["state"].items():
            found |= {f"{OPTIMIZER}{number}.{name}": value for name, value in state.items()}
        found |= {LEFT: self.batches.left, RANDOM: torch.get_rng_state()}
        if self.device.type == "cuda":
            found[RANDOM_CUDA] = torch.cuda.get_rng_state(self.device)
        # Copied one by one: weights that are tied share their memory, which the format does not take.
        return {
            name: value.detach().cpu().clone(memory_format=torch.contiguous_format) for name, value in found.items()
        }

    def restore(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Make it what it was when `tensors` returned this."""
        prefix = len(PRETEXT)
        weights = {name[prefix:]: value for name, value in tensors.items() if name.startswith(PRETEXT)}
        self.pretext.load_state_dict(weights)
        parameters = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        state: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith(OPTIMIZER):
                number, key = name.removeprefix(OPTIMIZER).split(".")
                state.setdefault(int(number), {})[key] = _laid_out(value, parameters[int(number)])
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": state})
        self.batches.left = tensors[LEFT].to(self.device)
        torch.set_rng_state(tensors[RANDOM])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(tensors[RANDOM_CUDA], self.device)


def fits(checkpoint: Checkpoint, pretext: nn.Module) -> bool:
    """Whether it has just the weights and buffers of this task."""
    own = {PRETEXT + name: (value.shape, value.dtype) for name, value in pretext.state_dict().items()}
    saved = {name: (value.shape, value.dtype) for name, value in checkpoint.tensors.items() if name.startswith(PRETEXT)}
    return own == saved


def _laid_out(value: torch.Tensor, parameter: torch.Tensor) -> torch.Tensor:
    """A copy in the memory order of its parameter, which fused optimisers walk through without asking for strides."""
    if value.shape != parameter.shape:
        return value.to(parameter.device, copy=True)
    return torch.empty_like(parameter, dtype=value.dtype, requires_grad=False).copy_(value)


def _digest(about: str, tensors: Mapping[str, torch.Tensor]) -> str:
    digest = hashlib.sha256(about.encode())
    digest.update(save_tensors(dict(tensors)))
    return digest.hexdigest()
