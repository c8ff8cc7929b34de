"""What commands say and do about folders of tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sslbench.commands.options import say
from sslbench.contract.errors import InputError
from sslbench.stores.addresses import default_home

if TYPE_CHECKING:
    from rich.console import Console


def short(path: Path) -> Path:
    """A path as seen from the current folder, if it lies below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def say_written(suite: str, home: Path, folder: Path, console: Console, new: bool = True) -> None:
    """Tell which folder a suite's tables are in now, and how they are published.

    Args:
        new: whether they were written now; else they were there before, the same.
    """
    at = "" if home == default_home().resolve() else f" --home {short(home)}"
    say(
        console,
        f"{'written' if new else 'as written before'}: {short(folder)}\n"
        f"sslbench publish {suite}{at} copies it to the published results",
    )


def refresh(readme: Path, results: Path, console: Console) -> None:
    """Write the marked passages of a Markdown file anew from the published records.

    Raises:
        InputError: the file cannot be read, or what a mark names is not there.
    """
    from sslbench.contract.files import replace_file
    from sslbench.publishing.versions import current_versions
    from sslbench.report.readme import refreshed

    try:
        text = readme.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read {readme}: {error.strerror}") from error
    say(console, f"written: {replace_file(readme, refreshed(text, results, current_versions()))}")
