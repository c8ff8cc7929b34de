"""Which test inputs every evaluation answered rightly: what the noise of the test set is told from.

Kept beside the records as `right.npz`: one bit per evaluation and test input, by dataset. For the k-th of `datasets` it
holds `images.k`, how many test inputs that has; `cells.k`, identities of cells in order; and `right.k`, a row per test
input with a bit per cell as `numpy.packbits` packs them. That way round an input that everybody answers is a row of
ones, which compresses best. Equal content is equal bytes.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sslbench.contract.errors import InputError
from sslbench.report.attachments.files import write_or_remove

RIGHT_FILE = "right.npz"


@dataclass(frozen=True)
class Answered:
    """The answers of one evaluation to the test inputs of a dataset, in its order.

    Attributes:
        images: how many there are.
        packed: a bit each, 1 where the answer is right.
    """

    dataset: str
    images: int
    packed: bytes

    @property
    def right(self) -> NDArray[np.bool_]:
        """`(images,)`."""
        return np.unpackbits(np.frombuffer(self.packed, np.uint8), count=self.images).astype(np.bool_)

    @property
    def count(self) -> int:
        """How many answers are right."""
        return int.from_bytes(self.packed).bit_count()

    @property
    def accuracy(self) -> float:
        """Share of the answers that are right, in [0, 1]."""
        return self.count / self.images


#: By identity of the evaluation's cell; those of before answers were stored are not among them.
Answers = Mapping[str, Answered]


def check_answers(answers: Answers, records: pd.DataFrame, source: str) -> None:
    """Hold what was answered against what is recorded of it, to the last digit.

    Args:
        source: of the answers, as the error begins.

    Raises:
        InputError: an evaluation has another accuracy or dataset there, or not as many test inputs as others of its
            dataset; the message names its cell.
    """
    images = {one.dataset: one.images for one in answers.values()}
    scores = records[(records["metric"] == "accuracy") & (records["split"] == "test")]
    for cell_id, dataset, value in scores[["cell_id", "dataset", "value"]].itertuples(index=False):
        found = answers.get(cell_id)
        if found is not None and found.images != images[found.dataset]:
            raise InputError(
                f"{source}: cell {cell_id} has answers to {found.images} test inputs of {found.dataset}, others to "
                f"{images[found.dataset]}"
            )
        if found is not None and (found.dataset, found.accuracy) != (dataset, value):
            raise InputError(
                f"{source}: cell {cell_id} has {found.count} of {found.images} right on {found.dataset}, an accuracy "
                f"of {found.accuracy}; its record says {value} on {dataset}"
            )


def answers_npz(answers: Answers) -> bytes:
    """The answers as the file holds them."""
    datasets = sorted({one.dataset for one in answers.values()})
    arrays: dict[str, NDArray[np.generic]] = {"datasets": np.array(datasets, dtype=np.str_)}
    for number, dataset in enumerate(datasets):
        cells = sorted(cell_id for cell_id, one in answers.items() if one.dataset == dataset)
        images = answers[cells[0]].images
        rows = np.frombuffer(b"".join(answers[cell_id].packed for cell_id in cells), np.uint8).reshape(len(cells), -1)
        arrays[f"images.{number}"] = np.array(images)
        arrays[f"cells.{number}"] = np.array(cells, dtype=np.bytes_)
        arrays[f"right.{number}"] = _turned(rows, images)
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    return content.getvalue()


def parse_answers(content: bytes, source: str) -> Answers:
    """What `answers_npz` made.

    Raises:
        InputError: it did not; the message names `source`.
    """
    found: dict[str, Answered] = {}
    try:
        with np.load(io.BytesIO(content)) as arrays:
            for number, dataset in enumerate(arrays["datasets"].tolist()):
                images, cells = int(arrays[f"images.{number}"]), arrays[f"cells.{number}"].tolist()
                packed = _turned(arrays[f"right.{number}"], len(cells))
                if len(arrays[f"right.{number}"]) != images:
                    raise ValueError(f"{images} test inputs of {dataset} have {len(packed)} rows")
                found |= {
                    cell_id.decode("ascii"): Answered(dataset, images, row.tobytes())
                    for cell_id, row in zip(cells, packed, strict=True)
                }
    except Exception as error:  # whatever numpy, zipfile and zlib make of a damaged file
        raise InputError(f"cannot read answers from {source}: {type(error).__name__}: {error}") from error
    return found


def _turned(packed: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """Packed rows of `count` bits as packed columns."""
    return np.packbits(np.unpackbits(packed, axis=1, count=count).T, axis=1)


def read_answers(folder: Path) -> Answers:
    """What `write_answers` left in a results folder; nothing if it left nothing.

    Raises:
        InputError: the file is not one that it wrote.
    """
    path = folder / RIGHT_FILE
    return parse_answers(path.read_bytes(), str(path)) if path.is_file() else {}


def write_answers(answers: Answers, folder: Path) -> list[Path]:
    """Write the answers, or take an old file away if there are none; returns the files written."""
    return write_or_remove(folder / RIGHT_FILE, answers_npz(answers) if answers else b"")
