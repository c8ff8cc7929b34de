"""Which code made a number."""

from __future__ import annotations

import subprocess
from pathlib import Path

UNKNOWN = "unknown"


def git_commit() -> str:
    """Short hash of the commit this package runs from, with `+` if its files differ from it.

    `unknown` for a package that is not part of a checkout, even if it is installed inside some other one.
    """
    here = Path(__file__).resolve()
    package = here.parents[1]
    try:
        _git(here.parent, "ls-files", "--error-unmatch", here.name)
        changed = _git(package, "status", "--porcelain", "--untracked-files=no", ".")
        return _git(package, "rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10, check=True)
    return done.stdout.strip()
