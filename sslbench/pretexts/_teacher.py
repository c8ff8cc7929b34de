"""Teachers: copies of trained modules that follow them slowly and never see a gradient.

A task keeps one copy per trained module, e.g. `self.teacher_encoder = frozen_copy(encoder)`, and one `HalfLife`. It
runs the copies under `torch.no_grad()` and moves them in `after_step`:

    momentum = self.half_life(progress)
    follow(self.teacher_encoder, self.encoder, momentum)
"""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def frozen_copy(student: Network) -> Network:
    """A copy with the same weights and buffers, of which nothing requires a gradient.

    It switches between training and evaluation mode together with the task that holds it: a teacher in training
    mode normalises by its own batch, as the papers' teachers do, and keeps running statistics of its own, which are
    the ones that fit its weights when it is evaluated.
    """
    return copy.deepcopy(student).requires_grad_(False)


class HalfLife(nn.Module):
    """Momentum of every step from the share of a run after which a teacher is half made of what came since.

    A momentum per step, as papers give it, means another teacher for every length of a run: 0.999 keeps 79% of its
    random weights through 234 steps and nothing through 100,000. Given as a share of the run, exactly
    `0.5 ** (progress / half_life)` of a teacher's first weights is left at any point, whatever the number of steps:
    0.1% at the end where the half-life is a tenth.

    The papers let their momentum rise to 1, so that the last teacher is an average over many students. Here it stays
    the same: the learning rate falls to zero over the same steps, so the student comes to rest by itself and its
    teacher arrives where it does.

    Args:
        share: of the run, in (0, 1).
    """

    done: torch.Tensor

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        # In the state, so that a resumed run goes on as it would have; 64 bits, so that steps add up to the run.
        self.register_buffer("done", torch.zeros((), dtype=torch.float64))

    @torch.no_grad()
    def forward(self, progress: float) -> torch.Tensor:
        """Momentum, a scalar in (0, 1], of the step after which the share `progress` of the run is done."""
        momentum = torch.exp2((self.done - progress) / self.share)
        self.done.fill_(progress)
        return momentum


@torch.no_grad()
def follow(teacher: nn.Module, student: nn.Module, momentum: torch.Tensor) -> None:
    """Move every weight of a teacher towards its student's, in place: xi <- m xi + (1 - m) theta.

    Buffers stay: batch norm's running statistics come from the teacher's own forward passes.
    """
    for xi, theta in zip(teacher.parameters(), student.parameters(), strict=True):
        xi.lerp_(theta, (1 - momentum).to(xi.dtype))
