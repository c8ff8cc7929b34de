"""From texts to a dataset: a tokeniser learned from the unlabelled training texts alone, and numbers of tokens."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch

from sslbench.contract.spec import InputError, InputSpec, ViewPolicy
from sslbench.datasets._base import Dataset, Split, assembled
from sslbench.datasets._kept import keep, read_kept
from sslbench.datasets._split import mixed
from sslbench.modalities.text import END, PAD, tokenizer_of, trained_tokenizer

#: Tokens of every tokeniser at most.
VOCABULARY = 4096

#: Raised when the same texts become other numbers.
TOKENISED = "1"

#: Of the tokeniser that each of our own collections has, the first 16 digits of its file's sha256. Cells are named by
#: their dataset and its version, so that these are part of their identity: another tokeniser is another version.
TOKENISERS = {
    "brown": "c1404739fac421c3",
    "glosses": "5bd121fd60544dde",
    "newsgroups": "810b6d872d010837",
    "sentences_domain": "11999bd234264432",
    "sentences_sentiment": "11999bd234264432",
}


@dataclass(frozen=True)
class Texts:
    """Texts and their classes.

    Attributes:
        texts: each one or several sentences in their order.
        labels: as numbers from 0 on.
    """

    texts: list[tuple[str, ...]]
    labels: list[int]


@dataclass(frozen=True)
class Collection:
    """What a collection of texts holds.

    Attributes:
        unlabelled: what pretexts see, if that is not the training texts: longer stretches of the same documents, say.
    """

    train: Texts
    test: Texts
    unlabelled: list[tuple[str, ...]] | None = None


@dataclass(frozen=True)
class Described:
    """What is said of a collection beside its texts.

    Attributes:
        length: tokens of a text at most; what is longer is cut off.
        ordered: texts hold sentences in their order.
    """

    name: str
    classes: tuple[str, ...]
    length: int
    source: str
    ordered: bool = False


def text_dataset(what: Described, made_of: str, root: Path | None, read: Callable[[], Collection]) -> Dataset:
    """A dataset of texts, from what an earlier load kept or else from the texts themselves.

    The tokeniser learns from the unlabelled training texts, and from nothing else. A text without a word is an error,
    because nothing could be said of it.

    Args:
        made_of: digest of the published files.
        root: the data folder; None to keep nothing.

    Raises:
        InputError: a text without a word, another tokeniser than the one that the collection's cells are of, or the
            data folder cannot be written.
    """
    path = None if root is None else root / what.name / "tokens.safetensors"
    made = {"made of": made_of, "tokenised": TOKENISED, "tokeniser": TOKENISERS.get(what.name, "")}
    kept = None if path is None else read_kept(path, made)
    if kept is None:
        collection = read()
        seen = collection.train.texts if collection.unlabelled is None else collection.unlabelled
        vocabulary = trained_tokenizer([sentence for text in seen for sentence in text], VOCABULARY)
        _check(what.name, vocabulary)
        tensors = {}
        for split, texts in (("train", collection.train), ("test", collection.test)):
            order = mixed(len(texts.labels), f"{what.name} {split}")
            tensors[f"{split}_inputs"] = encoded(texts.texts, vocabulary, what)[order].contiguous()
            tensors[f"{split}_labels"] = torch.tensor(texts.labels)[order]
        if collection.unlabelled is not None:
            more = encoded(collection.unlabelled, vocabulary, what)
            tensors["unlabelled"] = more[mixed(len(more), f"{what.name} unlabelled")].contiguous()
        kept = tensors, {"vocabulary": vocabulary}
        if path is not None:
            keep(path, tensors, {**made, "vocabulary": vocabulary})
    return _assembled(what, *kept)


def _check(name: str, vocabulary: str) -> None:
    """That a collection has the tokeniser that its cells are of."""
    learned = hashlib.sha256(vocabulary.encode()).hexdigest()[:16]
    if TOKENISERS.get(name, learned) != learned:
        raise InputError(
            f"dataset {name!r}: tokenizers {version('tokenizers')} learns another tokeniser from it, {learned}, than "
            f"{TOKENISERS[name]}, which its cells are of; install the version that requirements.lock names"
        )


def _assembled(what: Described, tensors: dict[str, torch.Tensor], said: dict[str, str]) -> Dataset:
    train, test = (Split(tensors[f"{split}_inputs"], tensors[f"{split}_labels"]) for split in ("train", "test"))
    views = ViewPolicy(sentences=what.ordered)
    unlabelled = tensors.get("unlabelled")
    dataset = assembled(what.name, "text", what.classes, views, train, test, what.source, unlabelled)
    spec = InputSpec("text", dataset.input_spec.shape, views, said["vocabulary"])
    return dataclasses.replace(dataset, input_spec=spec, files={"tokenizer.json": said["vocabulary"]})


def encoded(texts: Sequence[tuple[str, ...]], vocabulary: str, what: Described) -> torch.Tensor:
    """Numbers of tokens int32 `(N, length)`; of texts whose sentences stand in order, with a mark after each."""
    tokenizer = tokenizer_of(vocabulary)
    flat = [sentence for text in texts for sentence in text]
    pieces = iter(tokenizer.encode_batch(flat))
    numbers = torch.full((len(texts), what.length), PAD, dtype=torch.int32)
    for place, text in enumerate(texts):
        said: list[int] = []
        for _ in text:
            said += next(pieces).ids
            said += [END] if what.ordered else []
        if not any(token != END for token in said):
            raise InputError(f"dataset {what.name!r} has a text without a word: {' '.join(text)[:60]!r}")
        said = said[: what.length]
        numbers[place, : len(said)] = torch.tensor(said, dtype=torch.int32)
    return numbers


def stretches(documents: Sequence[Sequence[str]], words: int) -> list[tuple[str, ...]]:
    """Consecutive sentences of each document, together of about so many words and no more, and each once."""
    found: list[tuple[str, ...]] = []
    for sentences in documents:
        current: list[str] = []
        count = 0
        for sentence in sentences:
            more = len(sentence.split())
            if current and count + more > words:
                found.append(tuple(current))
                current, count = [], 0
            current.append(sentence)
            count += more
        if current:
            found.append(tuple(current))
    return found
