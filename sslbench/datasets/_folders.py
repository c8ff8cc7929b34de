"""A person's own files, one folder per class, whatever the files hold."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import torch

from sslbench.contract.errors import InputError
from sslbench.datasets._base import Dataset, Split
from sslbench.datasets._split import hold_out, mixed

#: Share of each class that is tested where there is no test folder.
TEST_SHARE = 0.2

#: Folders that are never a class, in both spellings.
UNLABELLED = ("unlabeled", "unlabelled")


@dataclasses.dataclass(frozen=True)
class Kind:
    """What files are looked for.

    Attributes:
        prefix: that names such a dataset, as `folder` in `folder:PATH`.
        noun: what the files hold, in the plural.
        suffixes: theirs, in lower case.
    """

    prefix: str
    noun: str
    suffixes: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class _Files:
    """Files and their labels, int64 `(N,)`."""

    paths: list[Path]
    labels: torch.Tensor


def folder_dataset(
    path: Path,
    kind: Kind,
    read: Callable[[list[Path], list[Path], list[Path]], tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]],
    assemble: Callable[[str, tuple[str, ...], Split, Split, torch.Tensor | None], Dataset],
) -> Dataset:
    """PATH/<class>/*, or PATH/train/<class> and PATH/test/<class>; PATH/unlabeled is optional.

    A class's files may lie at any depth below it; hidden files are left out. `train` and `test` hold classes if they
    have folders inside, else they are classes themselves. Without a test folder 20% of each class, at least one file,
    is held out, the same ones whenever the files have the same names. The dataset is named after the folder and its
    content, so two folders of one name keep their records apart.

    Args:
        read: from training, test and unlabelled files to inputs `(N, ...)` of each as their modality stores them, None
            for no files.
        assemble: from name, classes, training and test split and unlabelled inputs (None for those of the training
            split) to the dataset.

    Raises:
        InputError: fewer than two classes, fewer than two files of a class, a test folder of other classes, or a file
            that cannot be read.
    """
    folder = path.expanduser()
    train_files, test_files, extra = _find(folder, kind)
    if test_files is None:
        train_files, test_files = _held_out(train_files)
    train_inputs, test_inputs, extra_inputs = read(train_files.paths, test_files.paths, extra)
    train = _mixed(Split(train_inputs, train_files.labels), "train")
    test = _mixed(Split(test_inputs, test_files.labels), "test")
    more = None if extra_inputs is None else torch.cat([train.inputs, extra_inputs])
    unlabelled = None if more is None else more[mixed(len(more), "folder unlabelled")]
    name = own_name(kind.prefix, folder)
    dataset = assemble(name, _classes(_training(folder)), train, test, unlabelled)
    return dataclasses.replace(dataset, name=f"{name}@{dataset.digest[:8]}")


def own_name(prefix: str, folder: Path) -> str:
    """`folder:photos`: the folder's own name without anything that means something in paths, tables or terminals."""
    name = re.sub(r"[^\w.-]+", "-", folder.resolve().name) or "root"
    return f"{prefix}:{name}"


def _held_out(whole: _Files) -> tuple[_Files, _Files]:
    """Train and test part of what came without a test folder."""
    train, test = (
        _Files([whole.paths[place] for place in chosen.tolist()], whole.labels[chosen])
        for chosen in hold_out(whole.labels, TEST_SHARE, "folder")
    )
    return train, test


def _mixed(split: Split, part: str) -> Split:
    order = mixed(len(split.labels), f"folder {part}")
    return Split(split.inputs[order], split.labels[order])


def _find(folder: Path, kind: Kind) -> tuple[_Files, _Files | None, list[Path]]:
    """Labelled training files, labelled test files if there is a test folder, and unlabelled files.

    Raises:
        InputError: the folder cannot be read, or does not hold what it should.
    """
    try:
        training = _training(folder)
        classes = _classes(training)
        if len(classes) < 2:
            found = f"only the class folder {classes[0]}" if classes else "no class folders"
            raise InputError(f"{training} has {found}; give a folder of at least two class folders with {kind.noun}")
        train = _labelled(training, classes, kind, at_least=2)
        test = None
        if _holds_classes(folder / "test"):
            tested = _classes(folder / "test")
            if tested != classes:
                wanted, given = ", ".join(classes), ", ".join(tested)
                raise InputError(f"{folder / 'test'} has the classes {given}; it must have {wanted}")
            test = _labelled(folder / "test", classes, kind, at_least=1)
        return train, test, [file for name in UNLABELLED for file in _inside(folder / name, kind)]
    except OSError as error:
        raise InputError(f"cannot read folder {error.filename or folder}: {error.strerror or error}") from error


def _training(folder: Path) -> Path:
    return folder / "train" if _holds_classes(folder / "train") else folder


def _holds_classes(folder: Path) -> bool:
    """Whether there are folders inside; a `train` or `test` without any is a class of that name."""
    return folder.is_dir() and any(child.is_dir() and not child.name.startswith(".") for child in folder.iterdir())


def _classes(folder: Path) -> tuple[str, ...]:
    names = sorted(child.name for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))
    return tuple(
        name for name in names if name not in UNLABELLED and not (name == "test" and _holds_classes(folder / name))
    )


def _labelled(folder: Path, classes: tuple[str, ...], kind: Kind, at_least: int) -> _Files:
    paths: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        found = _inside(folder / name, kind)
        if len(found) < at_least:
            raise InputError(
                f"class folder {folder / name} has {len(found)} {kind.noun}; put at least {at_least} into it "
                f"({' '.join(kind.suffixes)}) or remove it"
            )
        paths += found
        labels += [label] * len(found)
    return _Files(paths, torch.tensor(labels))


def _inside(folder: Path, kind: Kind) -> list[Path]:
    """Such files in and below a folder, in an order that depends on nothing but their names."""
    found = [path for path in folder.rglob("*") if path.suffix.lower() in kind.suffixes and path.is_file()]
    shown = [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    return sorted(shown, key=lambda path: path.relative_to(folder).parts)


def apart(inputs: torch.Tensor, *files: list[Path]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """Inputs of training, test and unlabelled files that were read one after the other; None for no unlabelled ones."""
    train, test, extra = inputs.split([len(part) for part in files])
    return train, test, extra if len(extra) else None
