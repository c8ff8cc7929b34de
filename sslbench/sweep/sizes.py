"""What planning knows of datasets that were loaded once, kept in the data folder: a plan needs sizes, not data."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from sslbench import __version__
from sslbench.contract.files import write_whole
from sslbench.datasets import COLLECTIONS, DATASETS, version_of
from sslbench.sweep.cells import Source


def known_source(name: str, root: Path) -> Source | None:
    """Of a dataset by the name it is asked for; None if this version of its loader was not seen to load it.

    Args:
        root: folder of datasets.
    """
    if not _fixed(name):
        return None
    try:
        return TypeAdapter(Source).validate_json(_place(name, root).read_bytes())
    except (OSError, ValidationError):
        return None


def keep_source(name: str, root: Path, source: Source) -> Source:
    """Keep it for the next plan, if the folder can be written, and return it; a person's own files may change."""
    if _fixed(name):
        with suppress(OSError):
            write_whole(_place(name, root), to_json(asdict(source)))
    return source


def _fixed(name: str) -> bool:
    """Whether a dataset is always the same: one of ours, or one of a collection."""
    prefix, colon, _ = name.partition(":")
    return prefix in COLLECTIONS if colon else name in DATASETS


def _place(name: str, root: Path) -> Path:
    return root / "sizes" / f"{name.replace(':', '-')}-{version_of(name)}-{__version__}.json"
