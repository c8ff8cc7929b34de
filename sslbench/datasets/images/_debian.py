"""Fashion-MNIST as Debian ships it: the package `dataset-fashion-mnist`, installed or fetched without root."""

from __future__ import annotations

import subprocess
from pathlib import Path

from sslbench.datasets.images._idx import Unavailable

PACKAGE = "dataset-fashion-mnist"

#: Where the package puts its files.
INSTALLED = Path("/usr/share/datasets/fashion-mnist")

#: Seconds one command may take; the package has 30 MB.
_PATIENCE = 600


def installed_package(scratch: Path) -> Path:
    """The folder of the installed package.

    Raises:
        Unavailable: it is not installed.
    """
    if not INSTALLED.is_dir():
        raise Unavailable(f"not installed ({INSTALLED} does not exist)")
    return INSTALLED


def downloaded_package(scratch: Path) -> Path:
    """Download the package with apt-get and unpack it into `scratch`; needs no root.

    Where the machine's package lists are empty, as in fresh containers, or old, a private copy of them is fetched.

    Raises:
        Unavailable: no apt-get or dpkg, or they failed.
    """
    lists, cache, unpacked = scratch / "lists", scratch / "cache", scratch / "unpacked"
    for folder in (lists / "partial", cache / "archives" / "partial"):
        folder.mkdir(parents=True)
    # As root, apt would otherwise drop to a user that cannot enter a private temporary folder.
    apt = ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "-o", "Acquire::http::Timeout=10"]
    own_lists = [*apt, "-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={cache}"]
    try:
        _run([*apt, "download", PACKAGE], scratch)
    except Unavailable:
        _run([*own_lists, "update"], scratch)
        _run([*own_lists, "download", PACKAGE], scratch)
    packages = sorted(scratch.glob(f"{PACKAGE}_*.deb"))
    if not packages:
        raise Unavailable(f"apt-get download {PACKAGE} left no package")
    _run(["dpkg", "-x", str(packages[0]), str(unpacked)], scratch)
    return unpacked / INSTALLED.relative_to("/")


def _run(command: list[str], folder: Path) -> None:
    """Run a command in `folder`; its last line on standard error becomes the reason if it fails."""
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE
        )
    except FileNotFoundError as error:
        raise Unavailable(f"there is no {command[0]} on this machine") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{command[0]} did not finish ({type(error).__name__})") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise Unavailable(f"{command[0]} failed ({lines[-1].strip()})")
