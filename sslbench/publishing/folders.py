"""Folders of tables: where the published ones are, and how one is replaced whole, so that nobody sees a mixture."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock

from sslbench.contract.errors import InputError
from sslbench.contract.files import is_file

RECORDS_FILE = "records.csv"


def published_among(name: str, results: Path | None) -> Path:
    """The folder of published results: the given one; else the first that has the suite's of `results` here, in the
    package's checkout, and in the package.

    Args:
        name: of the suite.
        results: a person's choice, if any.
    """
    package = Path(__file__).resolve().parents[1]
    places = [results] if results else [Path("results"), package.parent / "results", package / "results"]
    return next((place for place in places if is_file(place / name / RECORDS_FILE)), places[0])


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """An empty folder to fill, which takes the place of `folder` at the end, whose old files go with it.

    If anything goes wrong meanwhile, `folder` stays as it is; what a killed process left is put in order by the next.
    One process at a time does this to a folder; others wait.

    Raises:
        InputError: it cannot be written, or is a file.
    """
    place = folder.resolve()  # where a link leads to is replaced, not the link
    unfinished, old = place.with_name(f".{place.name}.unfinished"), place.with_name(f".{place.name}.old")
    with ExitStack() as held:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            held.enter_context(FileLock(place.with_name(f".{place.name}.lock")))
            if old.exists() and not place.exists():
                old.rename(place)  # a process was killed between the two renames
            for leftover in (unfinished, old):
                shutil.rmtree(leftover, ignore_errors=True)
            unfinished.mkdir()
            yield unfinished
            _exchange(place, unfinished, old)
        except OSError as error:
            raise InputError(f"cannot write {folder}: {error.strerror or error}") from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def _exchange(place: Path, unfinished: Path, old: Path) -> None:
    if not place.exists():
        unfinished.rename(place)
        return
    if not place.is_dir():
        raise NotADirectoryError(f"{place} is a file")
    place.rename(old)
    try:
        unfinished.rename(place)
    except OSError:
        old.rename(place)
        raise
    shutil.rmtree(old)
