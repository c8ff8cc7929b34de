"""What every modality promises: all that the engine, protocols and tasks for any input need to know of an input."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch.nn import functional

from sslbench.contract.spec import InputSpec, ViewPolicy


@dataclass(frozen=True)
class Picture:
    """Something to look at: rows of inputs that belong together column by column.

    Attributes:
        name: file name without ending, e.g. `reconstructions`.
        rows: one batch per row, as `Modality.batch` makes them; a row's inputs may be smaller than another's.
        labels: what each row shows.
        captions: text under each column; empty for none.
    """

    name: str
    rows: tuple[torch.Tensor, ...]
    labels: tuple[str, ...]
    captions: tuple[str, ...] = ()


class Modality(ABC):
    """One kind of input. Stateless: whatever is random draws from torch's global generator.

    A stored input is what a dataset holds; a batch `(N, ...)` is what encoders and tasks are given.

    Attributes:
        stored: type of the values that datasets hold.
        memory_format: in which order networks for such inputs keep their weights.
        measured: whether a batch holds measured values, which networks of no modality can take; numbers of tokens are
            names.
        blank: the value of a batch that says nothing, shown where something is hidden.
        noises: what a batch can be spoilt by, each called with it and a level; none where noise makes no sense.
        examples: specifications that contract tests try plug-ins on, several that `fits` tells apart.
    """

    stored: ClassVar[torch.dtype]
    memory_format: ClassVar[torch.memory_format] = torch.contiguous_format
    measured: ClassVar[bool] = True
    blank: ClassVar[float] = 0.5
    noises: ClassVar[Mapping[str, Callable[[torch.Tensor, float], torch.Tensor]]] = {}
    examples: ClassVar[tuple[InputSpec, ...]]

    @abstractmethod
    def batch(self, stored: torch.Tensor) -> torch.Tensor:
        """Stored inputs `(N, *shape)` as encoders take them: a new tensor, in [0, 1] where values are measured."""

    @abstractmethod
    def mild_view(self, batch: torch.Tensor, policy: ViewPolicy) -> torch.Tensor:
        """A view that is hardly changed: the augmentation of supervised training and of fine-tuning."""

    @abstractmethod
    def contrastive_view(self, batch: torch.Tensor, policy: ViewPolicy, strength: float = 0.5) -> torch.Tensor:
        """A view that shows the same thing and looks as different as the policy allows.

        Args:
            strength: how different, in [0, 1].
        """

    def shown(self, decoded: torch.Tensor) -> torch.Tensor:
        """What an encoder's mirror says, `(N, ...)`, as a batch: through a sigmoid, unless a batch has no bounds."""
        return torch.sigmoid(decoded)

    def reconstruction_error(self, decoded: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
        """How far what a mirror says is from the batch it should show, as a scalar: the mean square."""
        return functional.mse_loss(self.shown(decoded), batch)

    def crops(
        self,
        batch: torch.Tensor,
        policy: ViewPolicy,
        strength: float,
        small_crops: int,
        border: float,
        any_size: bool,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Two views of most of each input and several of a small part of it, view after view.

        A modality whose inputs have no parts, as here, gives whole views in place of the small ones.

        Args:
            border: share of an input between small and large crops, in (0, 1).
            any_size: whether small crops may come as smaller inputs; else all have the size of the batch.

        Returns:
            `(2 N, ...)` and `(small_crops N, ...)`, the latter empty for none.
        """
        views = self.contrastive_view(repeated(batch, 2 + small_crops), policy, strength)
        return views[: 2 * len(batch)], views[2 * len(batch) :]

    def fits(self, seen: InputSpec, shown: InputSpec, any_size: bool) -> bool:
        """Whether an encoder built for inputs `seen` can represent inputs `shown` of the same modality.

        Args:
            any_size: whether the encoder takes inputs of other sizes than its own.
        """
        return seen.shape == shown.shape

    @abstractmethod
    def images(self, batch: torch.Tensor) -> torch.Tensor:
        """How a person sees a batch: an image per input, float `(N, 1 or 3, H, W)`, cut to [0, 1] where it is drawn."""

    def draw(self, picture: Picture, path: Path, spec: InputSpec) -> None:
        """Write a picture of such inputs as PNG: a row of images per batch, labels at the left, captions below.

        At most 12 columns are drawn.
        """
        from sslbench.modalities._sheet import draw_rows  # matplotlib, which a training has no use for

        draw_rows([self.images(row) for row in picture.rows], picture.labels, picture.captions, path)

    @abstractmethod
    def made_up(self, spec: InputSpec, count: int, seed: int) -> torch.Tensor:
        """Stored inputs `(count, *spec.shape)` for tests: no two alike, the same for the same seed, in any process."""


def repeated(batch: torch.Tensor, times: int) -> torch.Tensor:
    """A batch `(N, ...)` so many times, one after the other: `(times N, ...)`."""
    return batch.repeat(times, *[1] * (batch.ndim - 1))
