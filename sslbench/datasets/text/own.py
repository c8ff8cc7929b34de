"""A person's own texts, one folder per class."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd
import torch

from sslbench.contract.files import is_file
from sslbench.contract.spec import InputError, InputSpec, ViewPolicy
from sslbench.datasets._base import Dataset, Split, assembled
from sslbench.datasets._files import said
from sslbench.datasets._folders import TEST_SHARE, Kind, apart, folder_dataset, own_name
from sslbench.datasets._split import hold_out
from sslbench.datasets.text._texts import VOCABULARY, Collection, Described, Texts, encoded, text_dataset
from sslbench.modalities.text import trained_tokenizer

LENGTH = 128


def load_texts(path: Path) -> Dataset:
    """Your own texts: PATH/<class>/*.txt, or PATH/train.csv with columns text and label; unlabeled ones are optional.

    One text a file, in UTF-8, in class folders as images are, `train/`, `test/` and `unlabeled/` among them if you
    like; or tables `train.csv`, and if you like `test.csv` and `unlabeled.csv`. The first 128 tokens of each. The
    tokeniser learns from the training and the unlabelled texts. Without a test folder or table 20% of each class are
    held out.

    Raises:
        InputError: as `folder_dataset`, a file without a word or in another encoding, or a table without those columns.
    """
    if is_file(path / "train.csv"):
        return _from_tables(path)
    vocabulary: list[str] = []

    def read(
        train: list[Path], test: list[Path], extra: list[Path]
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        texts = [(_text(file),) for file in (*train, *test, *extra)]
        seen = [text for (text,) in (*texts[: len(train)], *texts[len(train) + len(test) :])]
        vocabulary.append(trained_tokenizer(seen, VOCABULARY))
        what = Described(f"texts:{path.name}", (), LENGTH, "")
        return apart(encoded(texts, vocabulary[0], what), train, test, extra)

    def assemble(
        name: str, classes: tuple[str, ...], train: Split, test: Split, unlabelled: torch.Tensor | None
    ) -> Dataset:
        dataset = assembled(name, "text", classes, ViewPolicy(), train, test, "a folder of texts", unlabelled)
        spec = InputSpec("text", dataset.input_spec.shape, ViewPolicy(), vocabulary[0])
        return dataclasses.replace(dataset, input_spec=spec, files={"tokenizer.json": vocabulary[0]})

    return folder_dataset(path, Kind("texts", "texts", (".txt",)), read, assemble)


def _from_tables(folder: Path) -> Dataset:
    """Of CSV files; named after the folder and its content."""
    texts, labels = _table(folder / "train.csv")
    classes = tuple(sorted(set(labels)))
    whole = torch.tensor([classes.index(label) for label in labels])
    if len(classes) < 2 or int(whole.bincount().min()) < 2:
        raise InputError(f"{folder / 'train.csv'} must hold two classes or more, each of two texts or more")
    if is_file(folder / "test.csv"):
        asked, answers = _table(folder / "test.csv")
        strangers = sorted(set(answers) - set(classes))
        if strangers:
            raise InputError(f"{folder / 'test.csv'} has classes that train.csv has not: {', '.join(strangers)}")
        train, test = Texts(texts, whole.tolist()), Texts(asked, [classes.index(answer) for answer in answers])
    else:
        train, test = (
            Texts([texts[place] for place in chosen.tolist()], whole[chosen].tolist())
            for chosen in hold_out(whole, TEST_SHARE, "folder")
        )
    extra = _table(folder / "unlabeled.csv", labelled=False)[0] if is_file(folder / "unlabeled.csv") else []
    unlabelled = [*train.texts, *extra] if extra else None
    what = Described(own_name("texts", folder), classes, LENGTH, "a folder of tables of texts")
    dataset = text_dataset(what, "", None, lambda: Collection(train, test, unlabelled))
    return dataclasses.replace(dataset, name=f"{dataset.name}@{dataset.digest[:8]}")


def _table(path: Path, labelled: bool = True) -> tuple[list[tuple[str, ...]], list[str]]:
    """Texts and labels of a table."""
    wanted = ["text", "label"] if labelled else ["text"]
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {said(error)}") from error
    missing = [column for column in wanted if column not in table]
    if missing:
        raise InputError(f"{path} has no column {missing[0]!r}; it has {', '.join(map(str, table.columns))}")
    if labelled and "" in table["label"].tolist():
        raise InputError(f"{path}, row {table['label'].tolist().index('') + 1}: no label")
    if labelled and table.empty:
        raise InputError(f"{path} holds no texts")
    texts: list[tuple[str, ...]] = [(" ".join(text.split()),) for text in table["text"].tolist()]
    return texts, table["label"].tolist() if labelled else []


def _text(path: Path) -> str:
    try:
        return " ".join(path.read_text(encoding="utf-8").split())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {said(error)}") from error
