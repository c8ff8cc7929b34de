"""Text collections on the Hugging Face hub, read by its own library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sslbench.contract.errors import InputError
from sslbench.datasets._base import Dataset
from sslbench.datasets._files import said
from sslbench.datasets.text._texts import Collection, Described, Texts, text_dataset

#: Branch of a collection on the hub that its machines made of a script, which its library runs no more since version 4.
CONVERTED = "refs/convert/parquet"


def load_ag_news(root: Path) -> Dataset:
    """AG News: 120,000 + 7,600 headlines with a sentence or two in four classes; from the Hugging Face hub.

    Zhang et al. 2015, arXiv:1509.01626. Needs the package `datasets` and, once, a network.

    Raises:
        InputError: the package is missing, or the collection is not to be had.
    """
    return _loaded("ag_news", "fancyzhx/ag_news", 64, root)


def load_imdb(root: Path) -> Dataset:
    """IMDB: 25,000 + 25,000 film reviews, good or bad, and 50,000 without labels; from the Hugging Face hub.

    Maas et al. 2011, "Learning word vectors for sentiment analysis". The first 128 tokens of each.

    Raises:
        InputError: as `load_ag_news`.
    """
    return _loaded("imdb", "stanfordnlp/imdb", 128, root)


def load_trec(root: Path) -> Dataset:
    """TREC: 5,452 + 500 questions in six classes of what they ask for; from the Hugging Face hub.

    Li and Roth 2002, "Learning question classifiers".

    Raises:
        InputError: as `load_ag_news`.
    """
    return _loaded("trec", "CogComp/trec", 24, root, "coarse_label", CONVERTED)


def _loaded(
    name: str, place: str, length: int, root: Path, label: str = "label", revision: str | None = None
) -> Dataset:
    splits = fetch(name, place, root, revision)
    classes = tuple(splits["train"].features[label].names)

    def read() -> Collection:
        train, test = (
            Texts([(text,) for text in splits[split]["text"]], [int(one) for one in splits[split][label]])
            for split in ("train", "test")
        )
        extra = splits.get("unsupervised")
        return Collection(train, test, None if extra is None else [*train.texts, *((one,) for one in extra["text"])])

    what = Described(name, classes, length, f"https://huggingface.co/datasets/{place}")
    return text_dataset(what, f"{place} {splits['train'].info.version}", root, read)


def fetch(name: str, place: str, root: Path, revision: str | None = None) -> Any:
    """The splits, downloaded into the data folder if they are not there; of a branch if not of the usual one.

    Raises:
        InputError: the package is missing, or the collection is not to be had.
    """
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise InputError(
            f"dataset {name!r} needs the package 'datasets'; install it with: pip install datasets"
        ) from error
    try:
        return datasets.load_dataset(place, revision=revision, cache_dir=str(root / "huggingface"))
    except Exception as error:  # whatever its many layers raise offline
        raise InputError(
            f"cannot get dataset {name!r}; tried: data folder ({root / 'huggingface'}); "
            f"https://huggingface.co/datasets/{place} ({said(error)})"
        ) from error
