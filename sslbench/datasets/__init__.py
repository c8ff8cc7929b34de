"""Labelled inputs of one modality, loaded whole. One line here adds one.

What a loader of your own returns, and what makes it, is handed on from here, torch being loaded with it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sslbench.contract.errors import InputError
from sslbench.contract.files import is_folder
from sslbench.contract.lazy import lazily
from sslbench.contract.registry import At, Registry

if TYPE_CHECKING:
    from sslbench.datasets._base import Dataset as Dataset
    from sslbench.datasets._base import Split as Split
    from sslbench.datasets._base import assembled as assembled
    from sslbench.datasets._base import image_dataset as image_dataset
    from sslbench.datasets._split import hold_out as hold_out
    from sslbench.datasets._split import mixed as mixed

DATASETS: Registry[Callable[[Path], Dataset]] = Registry(
    "dataset",
    {
        "fashion_mnist": "sslbench.datasets.images.fashion_mnist:load_fashion_mnist",
        "mnist": "sslbench.datasets.images.mnist:load_mnist",
        "kmnist": "sslbench.datasets.images.kmnist:load_kmnist",
        "cifar10": "sslbench.datasets.images.cifar10:load_cifar10",
        "cifar10_jpeg": "sslbench.datasets.images.cifar10_jpeg:load_cifar10_jpeg",
        "cifar100": "sslbench.datasets.images.cifar100:load_cifar100",
        "svhn": "sslbench.datasets.images.svhn:load_svhn",
        "stl10": "sslbench.datasets.images.stl10:load_stl10",
        "digits": "sslbench.datasets.images.digits:load_digits",
        "photographs": "sslbench.datasets.images.photographs:load_photographs",
        "spoken_digits": At("sslbench.datasets.series.spoken_digits:load_spoken_digits", version=2),
        "spoken_digits_speakers": At("sslbench.datasets.series.spoken_digits:load_spoken_digits_speakers", version=2),
        "spoken_digits_waveform": "sslbench.datasets.series.spoken_digits:load_spoken_digits_waveform",
        "prompts": At("sslbench.datasets.series.prompts:load_prompts", version=2),
        "newsgroups": "sslbench.datasets.text.newsgroups:load_newsgroups",
        "newsgroups_raw": "sslbench.datasets.text.newsgroups:load_newsgroups_raw",
        "glosses": "sslbench.datasets.text.glosses:load_glosses",
        "ag_news": "sslbench.datasets.text.huggingface:load_ag_news",
        "imdb": "sslbench.datasets.text.huggingface:load_imdb",
        "trec": "sslbench.datasets.text.huggingface:load_trec",
        "brown": "sslbench.datasets.text.brown:load_brown",
        "sentences_sentiment": "sslbench.datasets.text.sentences:load_sentences_sentiment",
        "sentences_domain": "sslbench.datasets.text.sentences:load_sentences_domain",
    },
    "sslbench.datasets",
)

#: A person's own files, by what stands before the colon of `folder:PATH`; the path of a folder is all they need.
_FOLDERS: dict[str, str | At] = {
    "folder": "sslbench.datasets.images.folder:load_folder",
    "series": "sslbench.datasets.series.own:load_own",
    "sounds": At("sslbench.datasets.series.sounds:load_sounds", version=2),
    "texts": "sslbench.datasets.text.own:load_texts",
}
OWN: Registry[Callable[[Path], Dataset]] = Registry("kind of folder", _FOLDERS)

#: What such a folder holds, for errors.
HOLDS = {
    "folder": "class folders with images",
    "series": "a TRAIN and a TEST file, both .ts or both .tsv",
    "sounds": "class folders with recordings",
    "texts": "class folders with .txt files, or of a train.csv",
}

#: Collections of many sets, by what stands before the colon of `ucr:ECG5000`.
COLLECTIONS: Registry[Callable[[str, Path], Dataset]] = Registry(
    "collection of datasets", {"ucr": "sslbench.datasets.series.ucr:load_ucr"}
)

__getattr__, __dir__ = lazily(
    __name__,
    {
        "Dataset": "sslbench.datasets._base",
        "Split": "sslbench.datasets._base",
        "assembled": "sslbench.datasets._base",
        "image_dataset": "sslbench.datasets._base",
        "hold_out": "sslbench.datasets._split",
        "mixed": "sslbench.datasets._split",
    },
)


def _path(text: str) -> Path:
    path = Path(text)
    try:
        return path.expanduser()
    except RuntimeError:  # nobody of that name has a home
        return path


def default_root() -> Path:
    """Folder of datasets: `$SSLBENCH_DATA`, else `~/.cache/sslbench/data`, shared by all checkouts."""
    return Path(os.environ.get("SSLBENCH_DATA") or Path.home() / ".cache" / "sslbench" / "data")


def check(name: str) -> None:
    """Raise an error unless `name` is a known dataset, one of a collection, or a kind of folder and the path of one.

    Reads no data.

    Raises:
        InputError: naming the culprit and the choices.
    """
    prefix, colon, rest = name.partition(":")
    if colon and prefix in OWN:
        if not rest or not is_folder(_path(rest)):
            raise InputError(f"dataset {name!r}: {_path(rest)} is not a folder; give {prefix}:PATH of {HOLDS[prefix]}")
    elif colon and prefix in COLLECTIONS:
        from sslbench.datasets.series.ucr import check_ucr

        check_ucr(rest)
    elif name not in DATASETS:
        others = ", ".join([*(f"{kind}:NAME" for kind in COLLECTIONS), *(f"{kind}:PATH" for kind in OWN)])
        raise InputError(f"unknown dataset {name!r}; choose one of {', '.join(DATASETS)}, or {others}")
    else:
        DATASETS.check(name)


def is_own(name: str) -> bool:
    """Whether a dataset, by the name it is asked for or by its identity, is made of a person's own files."""
    prefix, colon, _ = name.partition(":")
    return bool(colon) and prefix in OWN


def version_of(name: str) -> int:
    """Of the loader of a dataset, by the name it is asked for or by its identity, which for a set of UCR is a name."""
    prefix, colon, _ = name.partition(":")
    if not colon and name not in DATASETS:
        check(f"ucr:{name}")
        return COLLECTIONS.version("ucr")
    if not colon:
        return DATASETS.version(name)
    return (OWN if prefix in OWN else COLLECTIONS).version(prefix)


def load(name: str, root: Path) -> Dataset:
    """Load a dataset by name, one of a collection (`ucr:ECG5000`), or a person's own files (`folder:PATH`).

    Args:
        root: where files are kept; what is missing is acquired into it.

    Raises:
        InputError: unknown name, files that cannot be had or are damaged, a folder that cannot be written.
    """
    check(name)
    prefix, colon, rest = name.partition(":")
    if colon and prefix in OWN:
        return OWN.get(prefix)(_path(rest))
    dataset = COLLECTIONS.get(prefix)(rest, root) if colon else DATASETS.get(name)(root)
    DATASETS.check_spelling(dataset.name)
    return dataset
