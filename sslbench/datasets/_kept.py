"""Tensors that were made of published files at some cost, kept in the data folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from sslbench.contract.files import is_file
from sslbench.datasets._files import write_file

Kept = tuple[dict[str, torch.Tensor], dict[str, str]]


def read_kept(path: Path, made_of: Mapping[str, str]) -> Kept | None:
    """Tensors and all that was said of them; None if there are none, they are damaged or made of something else."""
    if not is_file(path):
        return None
    try:
        with safe_open(path, framework="pt") as file:
            said = file.metadata() or {}
            if any(said.get(name) != wanted for name, wanted in made_of.items()):
                return None
            names = file.keys()
            return {name: file.get_tensor(name) for name in names}, said
    except (OSError, SafetensorError):
        return None


def keep(path: Path, tensors: dict[str, torch.Tensor], said: dict[str, str]) -> None:
    """Write them, whole or not at all.

    Raises:
        InputError: the data folder cannot be written.
    """
    write_file(path, save(tensors, said))
