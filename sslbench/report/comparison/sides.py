"""Where two results to compare come from: a folder, a file, a suite's name, or a commit of git."""

from __future__ import annotations

import csv
import io
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd

from sslbench.contract.spec import RECORD_COLUMNS, InputError
from sslbench.report.records import read_records

FORMS = "a results folder, a records.csv, a suite's name, COMMIT:PATH, or a commit"
RECORDS_FILE = "records.csv"


@dataclass(frozen=True)
class Side:
    """One of two results: how it was asked for, and its records."""

    name: str
    records: pd.DataFrame


def open_sides(first: str, second: str, results: Path) -> tuple[Side, Side]:
    """Read both results. A commit alone means the other side's place at that commit.

    Args:
        results: folder with one folder per suite, for names of suites.

    Raises:
        InputError: one of them is nowhere to be found, or does not hold records; the message says what was tried.
    """
    places = [_place(text, results) for text in (first, second)]
    if places == [None, None]:
        raise InputError(f"{first!r} and {second!r} name no results; give {FORMS}, and a commit alone once at most")
    sides = []
    for text, place, other in zip((first, second), places, reversed(places), strict=True):
        if place is not None:
            sides.append(_open(text, place))
        else:
            assert other is not None  # the case of two was refused above
            sides.append(_open(f"{text}:{other[1]}", (text, other[1])))
    return sides[0], sides[1]


def _place(text: str, results: Path) -> tuple[str, str] | None:
    """(commit, path), the commit empty for a file on disk; None if `text` can only be a commit."""
    if Path(text).is_file():
        return "", text
    if Path(text).is_dir():
        return "", str(Path(text) / RECORDS_FILE)
    commit, colon, path = text.partition(":")
    if colon and commit and path:
        return commit, path if path.endswith(".csv") else str(PurePosixPath(path) / RECORDS_FILE)
    if (results / text / RECORDS_FILE).is_file():
        return "", str(results / text / RECORDS_FILE)
    if text and "/" not in text and _git("rev-parse", "--verify", "--quiet", f"{text}^{{commit}}") is not None:
        return None
    known = sorted(path.parent.name for path in results.glob(f"*/{RECORDS_FILE}"))
    raise InputError(f"no results {text!r}; give {FORMS}; suites in {results}: {', '.join(known) or '(none)'}")


def _open(name: str, place: tuple[str, str]) -> Side:
    commit, path = place
    if not commit:
        return Side(name, _read(Path(path).read_text(encoding="utf-8"), name))
    top = (_git("rev-parse", "--show-toplevel") or "").strip()
    absolute = Path(path).is_absolute() and top and Path(path).is_relative_to(top)
    inside = str(Path(path).relative_to(top)) if absolute else path
    for tried in (inside, f"./{inside}"):  # from the top of the checkout, else from here
        text = _git("show", f"{commit}:{tried}")
        if text is not None:
            return Side(name, _read(text, name))
    raise InputError(f"git has no {path} at {commit!r}")


def _read(text: str, name: str) -> pd.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / RECORDS_FILE
        path.write_text(_current(text), encoding="utf-8")
        try:
            return read_records(path)
        except InputError as error:
            raise InputError(str(error).replace(str(path), name)) from error


def _current(text: str) -> str:
    """Records of before transfer and label seeds: every encoder was trained on its own dataset, labels by its seed."""
    lines = list(csv.reader(io.StringIO(text)))
    header = lines[0] if lines else []
    added = [name for name in ("pretrain_dataset", "label_seed") if name in RECORD_COLUMNS and name not in header]
    if not added or not {"dataset", "seed", "pretrain_samples"} <= set(header):
        return text
    dataset, seed, samples = (header.index(name) for name in ("dataset", "seed", "pretrain_samples"))
    upgraded = [[*header, *added]]
    for line in lines[1:]:
        derived = {"pretrain_dataset": line[dataset] if line[samples] != "0" else "", "label_seed": line[seed]}
        upgraded.append([*line, *(derived[name] for name in added)])
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(upgraded)
    return written.getvalue()


def _git(*arguments: str) -> str | None:
    """What git prints; None if it fails or is not there."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
