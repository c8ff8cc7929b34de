"""What planning knows of datasets without their data: kept in the data folder when they were loaded, or shipped."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from sslbench import __version__
from sslbench.contract.files import write_whole
from sslbench.datasets import COLLECTIONS, DATASETS, version_of
from sslbench.sweep.cells import Source

SOURCE = TypeAdapter(Source)


def known_source(name: str, root: Path) -> Source | None:
    """Of a dataset by the name it is asked for; None if neither here nor by us this version of it was loaded before.

    Args:
        root: folder of datasets.
    """
    if not _fixed(name):
        return None
    try:
        return SOURCE.validate_json(_place(name, root).read_bytes())
    except (OSError, ValidationError):
        known = shipped().get(name)
        return known if known and known.version == version_of(name) else None


@cache
def shipped() -> Mapping[str, Source]:
    """Of datasets that a first plan would have to download, by the names they are asked for by."""
    return TypeAdapter(dict[str, Source]).validate_json(Path(__file__).with_suffix(".json").read_bytes())


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
