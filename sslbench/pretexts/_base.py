"""What every pretext promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import nn

from sslbench.contract.spec import InputSpec, PretextConfig
from sslbench.encoders._base import Encoder
from sslbench.modalities._base import Picture

__all__ = ["Picture", "Pretext"]


class Pretext(nn.Module, ABC):
    """A task that maps a batch of inputs `(N, ...)` to a scalar loss. No argument carries a label.

    Heads, teachers and queues live inside; all that must survive a checkpoint is a parameter or a buffer.

    Attributes:
        Config: the frozen dataclass of this task's settings.
        modality: the one its inputs must be of; None for a task that fits any.
        trains: False for baselines, whose encoder stays as it was initialised.
        encoder_name: the encoder this task insists on, whatever the suite says; None for the suite's.
        protocols: the protocols that make sense for it; None for all of the suite's.
        projection_scale: the standard deviation its loss holds every dimension of the projection at; None where any
            scale is as good. A projection far below it has collapsed, which measures of directions cannot see.
        stretch: how long it is trained, as a multiple of what the suite says for all; of a baseline, which is not, the
            multiple of its own steps that a protocol which trains is given.
        perplexed: whether its loss is the cross entropy of words, whose exponential is logged beside it as perplexity.
    """

    Config: ClassVar[type[PretextConfig]] = PretextConfig
    modality: ClassVar[str | None] = None
    trains: ClassVar[bool] = True
    encoder_name: ClassVar[str | None] = None
    protocols: ClassVar[tuple[str, ...] | None] = None
    projection_scale: ClassVar[float | None] = None
    stretch: ClassVar[float] = 1.0
    perplexed: ClassVar[bool] = False

    def __init__(self, encoder: Encoder, config: PretextConfig, input_spec: InputSpec) -> None:
        super().__init__()
        self.encoder = encoder
        self.input_spec = input_spec

    @property
    def evaluated(self) -> Encoder:
        """The network that is evaluated and kept: the trained one, unless a task has a better one, e.g. a teacher."""
        return self.encoder

    @abstractmethod
    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Loss of a batch `(N, ...)`, made by the modality of its inputs, as a scalar tensor."""

    @classmethod
    def unsuitable(cls, encoder_name: str, input_spec: InputSpec) -> str | None:
        """Why this task does not fit such an encoder or such inputs of its modality, for tables; None if it does."""
        return None

    def before_epoch(self, inputs: torch.Tensor) -> None:
        """Prepare an epoch, e.g. cluster `inputs`, all of them as the dataset stores them. Most tasks need nothing."""

    @property
    def stages(self) -> tuple[float, ...]:
        """Shares of the steps done, from 0 on, from which on a step takes another number of operations."""
        return (0.0,)

    def before_step(self, progress: float) -> None:
        """Prepare an optimiser step, e.g. the size of its views. `progress` in [0, 1) is the share of steps done."""

    def after_step(self, progress: float) -> None:
        """Follow an optimiser step, e.g. move a teacher. `progress` in (0, 1] is the share of steps done."""

    def project(self, representations: torch.Tensor) -> torch.Tensor | None:
        """The projector's output for `(N, latent_dim)`, as diagnostics look at it; None for tasks without one."""
        return None

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        """What there is to see on a batch `(N, ...)`; called in evaluation mode without gradients."""
        return []
