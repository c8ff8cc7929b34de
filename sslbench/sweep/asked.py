"""What a person asks for, in their own words; nothing of it is checked or loaded yet, and torch is not needed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sslbench.stores.addresses import Stores


@dataclass(frozen=True)
class Selection:
    """Which part of a suite to run; an empty axis means all of it."""

    datasets: tuple[str, ...] = ()
    pretexts: tuple[str, ...] = ()
    latent_dims: tuple[int, ...] = ()
    label_fractions: tuple[float, ...] = ()
    seeds: tuple[int, ...] = ()
    encoders: tuple[str, ...] = ()

    @property
    def everything(self) -> bool:
        """Whether nothing of the suite is left out."""
        return self == Selection()


@dataclass(frozen=True)
class Request:
    """What a person asked to run; travels to every worker.

    Attributes:
        suite: name or file of the suite.
        device: `auto`, `cpu` or `cuda`.
        workers: how many at most; None for as many as do most together.
        plugins: files and modules to load first, as `load_plugins` takes them.
    """

    suite: str
    selection: Selection
    stores: Stores
    data_root: Path
    device: str = "auto"
    workers: int | None = 1
    plugins: tuple[str, ...] = ()
