"""SQLite files that appear whole or not at all, whatever happens while their tables are made."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sslbench.stores.urls import sqlite_address

#: Files that SQLite keeps beside a database.
BESIDE = ("-journal", "-wal", "-shm")


def ensure(path: Path, build: Callable[[str], None]) -> None:
    """Make a database unless there is one; a process that is killed meanwhile leaves nothing that is in the way.

    Tables are made in a file elsewhere, which is then moved to its place; one process at a time does it. The file is
    switched to write-ahead logging, which lets readers work while one process writes; the setting stays in the file.

    Args:
        path: the file.
        build: makes the tables in the database of the address it is given, and closes it.

    Raises:
        OSError, sqlite3.Error: the file cannot be written or is no database; likewise whatever `build` raises.
    """
    from filelock import FileLock  # not for who only looks

    path.parent.mkdir(parents=True, exist_ok=True)
    prefix, suffix = f".{path.name}.", ".unfinished"
    with FileLock(path.with_name(f".{path.name}.lock")):
        for left in path.parent.iterdir():  # by a process that was killed
            if left.name.startswith(prefix) and left.name.endswith(suffix):
                shutil.rmtree(left)
        if tables(path):
            _write_ahead(path)
            return
        with tempfile.TemporaryDirectory(suffix, prefix, path.parent) as folder:
            unfinished = Path(folder) / path.name
            _write_ahead(unfinished)  # before as well: it halves the time
            build(sqlite_address(unfinished))
            _gather(unfinished)
            for ending in BESIDE:  # of a file without a table; the new one must not be read together with them
                path.with_name(path.name + ending).unlink(missing_ok=True)
            unfinished.replace(path)


def tables(path: Path) -> frozenset[str]:
    """Names of the tables of a database; none if there is no file.

    Raises:
        sqlite3.Error: it is no database, or cannot be read.
    """
    if not path.exists():
        return frozenset()
    with closing(sqlite3.connect(path, timeout=60)) as connection:
        return frozenset(name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))


def _write_ahead(path: Path) -> None:
    with closing(sqlite3.connect(path, timeout=60)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def _gather(path: Path) -> None:
    """Move everything out of the write-ahead log into the file itself, which alone is moved."""
    with closing(sqlite3.connect(path, timeout=60)) as connection:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise sqlite3.OperationalError(f"{path} is held open by another program")
