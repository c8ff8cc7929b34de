"""What commands say and do about folders of tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sslbench.contract.spec import InputError

if TYPE_CHECKING:
    from rich.console import Console


def short(path: Path) -> Path:
    """A path as seen from the current folder, if it lies below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def say_written(suite: str, folder: Path, files: Sequence[Path], console: Console) -> None:
    """Tell where a suite's tables are now, and how they are published."""
    names = ", ".join(path.name for path in files if path.parent == folder)
    pictures = sum(path.parent != folder for path in files)
    console.print(
        f"written: {short(folder)} ({names}{f', {pictures} pictures' if pictures else ''}); "
        f"sslbench publish {suite} copies it to the published results",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def refresh(readme: Path, results: Path, console: Console) -> None:
    """Write the marked passages of a Markdown file anew from the published records.

    Raises:
        InputError: the file cannot be read, or what a mark names is not there.
    """
    from sslbench.contract.files import replace_file
    from sslbench.report.readme import refreshed

    try:
        text = readme.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read {readme}: {error.strerror}") from error
    console.print(f"written: {replace_file(readme, refreshed(text, results))}", highlight=False, markup=False)
