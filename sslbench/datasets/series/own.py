"""A person's own time series, in files of the two formats that archives use."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from sslbench.contract.errors import InputError
from sslbench.datasets._base import Dataset
from sslbench.datasets._files import said
from sslbench.datasets._folders import own_name
from sslbench.datasets.series._values import Written, read_ts, read_tsv, series_dataset

READERS = {".ts": read_ts, ".tsv": read_tsv}


def load_own(path: Path) -> Dataset:
    """Your own time series: PATH holds one file whose name ends in TRAIN and one in TEST, both .ts or both .tsv.

    `.tsv` as in the UCR archive: a series a line, its class first, tabs between. `.ts` as in aeon and sktime: any
    number of channels. The dataset is named after the folder and its content.

    Raises:
        InputError: no such pair of files, more than one, or files that cannot be read.
    """
    folder = path.expanduser()
    found = {
        (split, suffix): sorted(folder.glob(f"*{split}{suffix}")) for split in ("TRAIN", "TEST") for suffix in READERS
    }
    suffixes = [suffix for suffix in READERS if found["TRAIN", suffix] and found["TEST", suffix]]
    if len(suffixes) != 1 or any(len(found[split, suffixes[0]]) > 1 for split in ("TRAIN", "TEST")):
        raise InputError(
            f"{folder} must hold one file *TRAIN and one *TEST, both {' or both '.join(READERS)}; it holds "
            f"{', '.join(sorted(file.name for files in found.values() for file in files)) or 'none of either'}"
        )
    train, test = (_read(found[split, suffixes[0]][0]) for split in ("TRAIN", "TEST"))
    dataset = series_dataset(own_name("series", folder), train, test, "a folder of time series")
    return dataclasses.replace(dataset, name=f"{dataset.name}@{dataset.digest[:8]}")


def _read(path: Path) -> Written:
    try:
        return READERS[path.suffix](path.read_bytes(), str(path))
    except OSError as error:
        raise InputError(f"cannot read {path}: {said(error)}") from error
