"""Teachers: copies of trained modules that follow them slowly and never see a gradient.

A task keeps one copy per trained module, e.g. `self.teacher_encoder = frozen_copy(encoder)`, runs it under
`torch.no_grad()` and moves it in `after_step` with `follow`.
"""

from __future__ import annotations

import copy
import math
from typing import TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def frozen_copy(student: Network) -> Network:
    """A copy with the same weights and buffers, of which nothing requires a gradient.

    It switches between training and evaluation mode together with the task that holds it: a teacher in training
    mode normalises by its own batch, as the papers' teachers do, and keeps running statistics of its own.
    """
    return copy.deepcopy(student).requires_grad_(False)


@torch.no_grad()
def follow(teacher: nn.Module, student: nn.Module, momentum: float) -> None:
    """Move every weight of a teacher towards its student's, in place: xi <- m xi + (1 - m) theta.

    Buffers stay: batch norm's running statistics come from the teacher's own forward passes.
    """
    for xi, theta in zip(teacher.parameters(), student.parameters(), strict=True):
        xi.lerp_(theta, 1 - momentum)


def cosine_momentum(start: float, progress: float, end: float = 1.0) -> float:
    """Momentum that rises from `start` to `end` along half a cosine (arXiv:2006.07733, section 3.3).

    Args:
        progress: share of the training done, in [0, 1].
    """
    return end - (end - start) * (1 + math.cos(math.pi * progress)) / 2
