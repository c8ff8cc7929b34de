"""`results/community`: scores of others as a pull request adds them, `NAME.csv` and `NAME.toml`, held to their rules.

Nothing of them is run here, and all of it is a stranger's: what is no plain text, or not as `sslbench evaluate` writes
it, is refused.
"""

from __future__ import annotations

import io
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from sslbench.contract.files import is_file
from sslbench.contract.record import COLUMN_TYPES
from sslbench.contract.schema import Address, Name, Plain, checked
from sslbench.contract.spec import READINGS, InputError
from sslbench.datasets import COLLECTIONS, DATASETS
from sslbench.pretexts import PRETEXTS
from sslbench.protocols import PROTOCOLS
from sslbench.report.attachments.community import FOLDER, Submission
from sslbench.report.records import read_records
from sslbench.report.scores import evaluations

#: What `NAME.toml` must say, and what it may say besides.
NEEDED = {"title": Plain, "author": Plain, "licence": Plain, "url": Address}
MAY = {"encoder": Plain, "architecture": Name, "made_for": Plain}

_TEXT = frozenset(name for name, kind in COLUMN_TYPES.items() if kind is str)
_PLACE = re.compile(r"[A-Za-z0-9_-]+\.py:\w+|[A-Za-z0-9_-]+\.safetensors|\w+(\.\w+)*:\w+")
_CELL = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9 ._:/+-]{0,199})?")  # a spreadsheet runs what begins otherwise


def read_community(results: Path, warn: Callable[[str], object] | None = None) -> tuple[Submission, ...]:
    """All submissions among published results, by name.

    Args:
        warn: takes a line about every submission that breaks a rule, which is then passed over; None refuses it.

    Raises:
        InputError: as `read_submission`, where `warn` is None.
    """
    found = []
    for path in sorted((results / FOLDER).glob("*.csv")):
        try:
            found.append(read_submission(path))
        except InputError as error:
            if warn is None:
                raise
            warn(f"scores of others passed over: {error}")
    return tuple(found)


def is_submission(path: Path) -> bool:
    """Whether a file of records is somebody's submission, not a suite's table."""
    return path.parent.resolve().name == FOLDER or (bool(path.name) and is_file(path.with_suffix(".toml")))


def read_submission(path: Path) -> Submission:
    """What somebody sent in.

    Args:
        path: of its records; what it is says the `.toml` beside it.

    Raises:
        InputError: it breaks a rule; the message names the file, and of records line and column.
    """
    name = checked(Name, path.stem, f"{path}: its name")
    if name in PRETEXTS:
        raise InputError(f"{path} has the name of one of sslbench's own pretexts; rename it and what its records say")
    records = read_records(path)
    for line, column, rule in _broken(path.read_text(encoding="utf-8"), name):
        raise InputError(f"{path} line {line}: {column} must be {rule}")
    try:
        scored = evaluations(records)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    if scored.empty:
        raise InputError(f"{path} holds no test accuracies")
    return Submission(name, records, **_said(path.with_suffix(".toml")))


def _said(path: Path) -> dict[str, str]:
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"cannot read {path}, which says whose records these are: {error}") from error
    kinds = {**NEEDED, **MAY}
    wrong = [f"does not know {key!r}" for key in said if key not in kinds]
    wrong += [f"lacks {key!r}" for key in NEEDED if key not in said]
    if wrong:
        raise InputError(f"{path} {wrong[0]}; it says {', '.join(NEEDED)}, and may say {', '.join(MAY)}")
    whole = {key: checked(kinds[key], value, f"{path}: {key}") for key, value in said.items()}
    _check_encoder(path, whole)
    return whole


def _check_encoder(path: Path, said: dict[str, str]) -> None:
    """No path leads elsewhere, and code is there to be read; large weights may lie at the address."""
    place = said.get("encoder")
    if place is None:
        return
    if _PLACE.fullmatch(place) is None:
        forms = "NAME.py:FUNCTION or NAME.safetensors beside it, or MODULE:FUNCTION"
        raise InputError(f"{path}: encoder must be {forms}, not {place!r}")
    file = place.partition(":")[0]
    if file.endswith(".py") and not is_file(path.parent / file):
        raise InputError(f"{path}: encoder: {file} does not lie beside it")
    if file.endswith(".safetensors") and "architecture" not in said:
        raise InputError(f"{path}: encoder {file} holds weights alone; say its architecture too")


def _broken(text: str, name: str) -> Iterator[tuple[int, str, str]]:
    """Line, column, and what should stand there, of every cell that breaks a rule."""
    rules = {"suite": (name,), "pretext": (name,), "seed": ("0",), "protocol": tuple(PROTOCOLS), "reading": READINGS}
    rules |= {"metric": ("accuracy",), "split": ("test", "budget"), "stratified": ("1",)}
    every = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    for line, cells in enumerate(every.to_dict("records"), start=2):
        for column, cell in cells.items():
            if column in _TEXT and not _CELL.fullmatch(cell):
                yield line, str(column), "plain: letters, digits and . : / + - _, beginning with a letter or a digit"
            if column in rules and cell not in rules[str(column)]:
                yield line, str(column), " or ".join(rules[str(column)])
        if cells["dataset"] not in DATASETS and cells["dataset"].partition(":")[0] not in COLLECTIONS:
            yield line, "dataset", f"one that everybody has: {', '.join([*DATASETS, *COLLECTIONS])}"
        if float(cells["label_fraction"] or 0) == 0:
            yield line, "label_fraction", "above 0"
