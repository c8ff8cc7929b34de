"""A person's own texts, one folder per class."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch

from sslbench.contract.spec import InputError, InputSpec, ViewPolicy
from sslbench.datasets._base import Dataset, Split, assembled
from sslbench.datasets._files import said
from sslbench.datasets._folders import Kind, apart, folder_dataset
from sslbench.datasets.text._texts import VOCABULARY, Described, encoded
from sslbench.modalities.text import trained_tokenizer

LENGTH = 128


def load_texts(path: Path) -> Dataset:
    """Your own texts: PATH/<class>/*.txt, or PATH/train/<class> and PATH/test/<class>; PATH/unlabeled is optional.

    One text a file, in UTF-8; the first 128 tokens of each. The tokeniser learns from the training and the unlabelled
    texts. Where no test folder is, 20% of each class are held out.

    Raises:
        InputError: as `folder_dataset`, or a file without a word or in another encoding.
    """
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


def _text(path: Path) -> str:
    try:
        return " ".join(path.read_text(encoding="utf-8").split())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {said(error)}") from error
