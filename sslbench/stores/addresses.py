"""Where runs, studies and features live; their schemas are created here, once, before workers start."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from sslbench.contract.spec import InputError

SCHEMES = ("sqlite", "postgresql", "mysql", "mssql", "http", "https")


def default_home() -> Path:
    """`$SSLBENCH_HOME`, else `.sslbench` in the current folder."""
    return Path(os.environ.get("SSLBENCH_HOME") or ".sslbench")


@dataclass(frozen=True)
class Stores:
    """Addresses of a machine's stores.

    Attributes:
        home: folder of the files below, and of caches and locks.
        tracking_uri: MLflow's store.
        storage: Optuna's store, an SQLAlchemy URL.
    """

    home: Path
    tracking_uri: str
    storage: str

    @property
    def artifact_root(self) -> Path | None:
        """Folder of artifacts beside a database of ours; None where a server decides."""
        return None if self.tracking_uri.startswith("http") else self.home / "artifacts"

    @property
    def features(self) -> Path:
        """Folder of cached features; safe to delete."""
        return self.home / "features"


def locate(home: Path | None = None, tracking_uri: str | None = None, storage: str | None = None) -> Stores:
    """Fill in the defaults: one SQLite file each for MLflow and Optuna in `home`.

    Raises:
        InputError: an address has an unknown scheme.
    """
    folder = (home or default_home()).resolve()
    uri = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{folder / 'mlflow.db'}"
    url = storage or f"sqlite:///{folder / 'optuna.db'}"
    for option, address in (("--tracking-uri", uri), ("--storage", url)):
        scheme = address.partition("://")[0].partition("+")[0]
        if "://" not in address or scheme not in SCHEMES:
            raise InputError(
                f"{option} {address!r} is not an address; use sqlite:///FILE, postgresql://…"
                + (" or http(s)://… of an MLflow server" if option == "--tracking-uri" else "")
            )
    return Stores(folder, uri, url)


def prepare(stores: Stores) -> None:
    """Create folders and schemas.

    Two processes migrating one database collide, so the parent does it before any worker starts, and one parent at a
    time does it. SQLite files are
    switched to write-ahead logging, which lets readers work while one process writes; the setting stays in the file.

    Raises:
        InputError: a folder cannot be written or a store cannot be reached.
    """
    from filelock import FileLock

    try:
        stores.home.mkdir(parents=True, exist_ok=True)
        probe = stores.home / f".write-test-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise InputError(f"store folder {stores.home} cannot be written: {error.strerror or error}") from error
    for option, address in (("--tracking-uri", stores.tracking_uri), ("--storage", stores.storage)):
        if address.startswith("sqlite:///"):
            _write_ahead(option, address)
    with FileLock(stores.home / ".schemas.lock"):  # other suites may be starting in these stores at this moment
        _create_optuna(stores.storage)
        _create_mlflow(stores)


def _write_ahead(option: str, address: str) -> None:
    import sqlite3

    path = Path(address.removeprefix("sqlite:///"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=60)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        finally:
            connection.close()
    except (OSError, sqlite3.Error) as error:
        raise InputError(f"{option} {address!r} cannot be opened: {error}") from error


def _create_optuna(storage: str) -> None:
    from sslbench.stores.queue import open_storage

    open_storage(storage)


def _create_mlflow(stores: Stores) -> None:
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # a wrong address should not take minutes to tell
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)  # it announces every table it creates
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        MlflowClient(stores.tracking_uri).search_experiments(max_results=1)
    except (MlflowException, OSError, ImportError) as error:
        reason = str(error).strip().split("\n")[0]
        raise InputError(f"tracking URI {stores.tracking_uri!r} cannot be used: {reason}") from error
