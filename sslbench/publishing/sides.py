"""Where two results to compare come from: a folder, a file, a suite's name, or a commit of git."""

from __future__ import annotations

import subprocess
from pathlib import Path, PurePosixPath

import pandas as pd

from sslbench.contract.errors import InputError
from sslbench.contract.files import is_file, is_folder
from sslbench.publishing.folders import RECORDS_FILE
from sslbench.report.attachments import Answers
from sslbench.report.attachments.predictions import RIGHT_FILE, check_answers, parse_answers, read_answers
from sslbench.report.comparison import Side, compare, verdict
from sslbench.report.records import parse_records, read_records

FORMS = "a results folder, a records.csv, a suite's name, COMMIT:PATH, or a commit"


def open_sides(first: str, second: str, results: Path) -> tuple[Side, Side]:
    """Read both results. A commit alone means the other side's place at that commit.

    Args:
        results: folder with one folder per suite, for names of suites.

    Raises:
        InputError: one of them is nowhere to be found, or does not hold records, or its answers contradict them; the
            message says what was tried.
    """
    places = [_place(text, results) for text in (first, second)]
    paths = [place[1] for place in places if place is not None]
    if not paths:
        raise InputError(f"{first!r} and {second!r} name no results; give {FORMS}, and a commit alone once at most")
    ours, theirs = (
        _open(f"{text}:{paths[0]}", (text, paths[0])) if place is None else _open(text, place)
        for text, place in zip((first, second), places, strict=True)
    )
    return ours, theirs


def compared(fresh: Path, published: Path) -> str:
    """In one line, how tables differ from published ones of the same suite."""
    try:
        said = verdict(compare(*open_sides(str(published), str(fresh), published.parent)))
    except InputError as error:
        said = f"not possible, {error}"
    return f"compared with the published {published}: {said}"


def _place(text: str, results: Path) -> tuple[str, str] | None:
    """(commit, path), the commit empty for a file on disk; None if `text` can only be a commit."""
    if is_file(Path(text)):
        return "", text
    if text and is_folder(Path(text)):
        return "", str(Path(text) / RECORDS_FILE)
    commit, colon, path = text.partition(":")
    if colon and commit and path and not text.startswith("-"):  # git would take it for an option
        return commit, path if path.endswith(".csv") else str(PurePosixPath(path) / RECORDS_FILE)
    if text and is_file(results / text / RECORDS_FILE):
        return "", str(results / text / RECORDS_FILE)
    if text and "/" not in text and _git("rev-parse", "--verify", "--quiet", f"{text}^{{commit}}") is not None:
        return None
    known = sorted(path.parent.name for path in results.glob(f"*/{RECORDS_FILE}"))
    raise InputError(f"no results {text!r}; give {FORMS}; suites in {results}: {', '.join(known) or '(none)'}")


def _open(name: str, place: tuple[str, str]) -> Side:
    commit, path = place
    if not commit:
        records = read_records(Path(path))
        return _side(name, records, read_answers(Path(path).parent) if Path(path).name == RECORDS_FILE else {})
    top = (_git("rev-parse", "--show-toplevel") or "").strip()
    absolute = Path(path).is_absolute() and top and Path(path).is_relative_to(top)
    inside = str(Path(path).relative_to(top)) if absolute else path
    for tried in (inside, f"./{inside}"):  # from the top of the checkout, else from here
        text = _git("show", f"{commit}:{tried}")
        if text is not None:
            folder, slash, file = tried.rpartition("/")
            beside = f"{commit}:{folder}{slash}{RIGHT_FILE}"
            stored = _git_bytes("show", beside) if file == RECORDS_FILE else None
            return _side(name, parse_records(text, name), {} if stored is None else parse_answers(stored, beside))
    raise InputError(f"git has no {path} at {commit!r}")


def _side(name: str, records: pd.DataFrame, answers: Answers) -> Side:
    check_answers(answers, records, f"{RIGHT_FILE} of {name}")
    return Side(name, records, answers)


def _git(*arguments: str) -> str | None:
    """What git prints; None if it fails or is not there."""
    printed = _git_bytes(*arguments)
    try:
        return None if printed is None else printed.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _git_bytes(*arguments: str) -> bytes | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, timeout=60, check=True)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return done.stdout
