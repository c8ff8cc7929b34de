"""Where runs, studies and features live; their schemas are created here, once, before workers start."""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sslbench.contract.environment import unless_set
from sslbench.contract.errors import InputError
from sslbench.stores.urls import checked, hidden, reason, resolved, same_place, shown, sqlite_address, sqlite_file

#: A wrong address should not take minutes to tell; later, a server that is gone is waited for.
BRIEFLY = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}


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

    @property
    def temporary(self) -> Path:
        """Folder of what workers keep for a moment, one folder per process."""
        return self.home / "temporary"

    @property
    def results(self) -> Path:
        """Folder of the tables of what ran here, one folder per suite, until they are published."""
        return self.home / "results"


def locate(home: Path | None = None, tracking_uri: str | None = None, storage: str | None = None) -> Stores:
    """Fill in the defaults: `$MLFLOW_TRACKING_URI` and `$SSLBENCH_STORAGE`, else one SQLite file each for MLflow and
    Optuna in `home`. Nothing is opened or created.

    Raises:
        InputError: an address cannot be worked with, or both lead to one database.
    """
    folder = resolved("--home", home or default_home())
    option = "--tracking-uri"
    if tracking_uri is None and os.environ.get("MLFLOW_TRACKING_URI"):
        option, tracking_uri = "MLFLOW_TRACKING_URI", os.environ["MLFLOW_TRACKING_URI"]
    kept = "--storage"
    if storage is None and os.environ.get("SSLBENCH_STORAGE"):
        kept, storage = "SSLBENCH_STORAGE", os.environ["SSLBENCH_STORAGE"]
    uri = sqlite_address(folder / "mlflow.db") if tracking_uri is None else tracking_uri
    url = sqlite_address(folder / "optuna.db") if storage is None else storage
    stores = Stores(folder, checked(option, uri, servers=True), checked(kept, url, servers=False))
    if same_place(stores.tracking_uri, stores.storage):
        raise InputError(f"{option} and {kept} are both {shown(uri)!r}; MLflow and Optuna need a database each")
    return stores


def ui_of(tracking_uri: str) -> str:
    """Where the UI of the runs is: of a tracking server itself, of other stores where `sslbench ui` listens."""
    shareable = tracking_uri.startswith("http") and hidden(tracking_uri) == tracking_uri
    return tracking_uri if shareable else "http://127.0.0.1:5000"


def prepare(stores: Stores) -> None:
    """Create folders and schemas.

    Two processes migrating one database collide, so the parent does it before any worker starts, and one parent at a
    time does it.

    Raises:
        InputError: a folder cannot be written or a store cannot be used.
    """
    from filelock import FileLock

    for option, address in (("--storage", stores.storage), ("--tracking-uri", stores.tracking_uri)):
        if not address.startswith("http") and sqlite_file(address) is None:
            reach(option, address)  # before anything is written; MLflow would ask ten times, for minutes
    _check_folder(stores.home)
    with FileLock(stores.home / ".schemas.lock"):  # other suites may be starting in these stores at this moment
        _prepare_optuna(stores)
        _prepare_mlflow(stores)


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".write-test-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        said = "it is a file" if isinstance(error, FileExistsError) else error.strerror
        raise InputError(f"store folder {folder} cannot be written: {said}") from error


def _prepare_optuna(stores: Stores) -> None:
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import SQLAlchemyError

    from sslbench.stores.sqlite import ensure
    from sslbench.stores.storage import open_storage

    file = sqlite_file(stores.storage)
    if file is not None:
        try:
            ensure(file, lambda address: RDBStorage(address).engine.dispose())
        except (OSError, sqlite3.Error, SQLAlchemyError) as error:
            raise InputError(f"--storage {shown(stores.storage)!r} cannot be opened: {reason(error)}") from error
    open_storage(stores.storage).engine.dispose()


def _prepare_mlflow(stores: Stores) -> None:
    from alembic.util.exc import CommandError
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    from sqlalchemy.exc import SQLAlchemyError

    from sslbench.stores.sqlite import ensure

    # They announce every table that is created, and tell of errors that are raised as well.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    uri = stores.tracking_uri
    file = sqlite_file(uri)
    if file is not None:
        try:
            ensure(file, lambda address: SqlAlchemyStore(address, str(stores.home / "artifacts")).engine.dispose())
        except (OSError, sqlite3.Error, SQLAlchemyError, MlflowException) as error:
            raise InputError(f"--tracking-uri {shown(uri)!r} cannot be opened: {reason(error)}") from error
    try:
        with unless_set(BRIEFLY):
            MlflowClient(uri).search_experiments(max_results=1)
    except (MlflowException, SQLAlchemyError, CommandError, OSError, ImportError) as error:
        if file is not None and _half_built(file):
            raise InputError(
                f"{file} was left half-built when it was created, and holds no runs: delete it and run again"
            ) from error
        raise InputError(f"tracking URI {shown(uri)!r} cannot be used: {reason(error)}") from error


def _half_built(file: Path) -> bool:
    """Whether a database is not of MLflow's present schema and holds no run, so that nothing is lost by deleting it."""
    import mlflow
    from alembic.script import ScriptDirectory

    from sslbench.stores.sqlite import tables

    head = ScriptDirectory(str(Path(mlflow.__file__).parent / "store" / "db_migrations")).get_current_head()
    try:
        known = tables(file)
        with closing(sqlite3.connect(file)) as connection:
            runs = "runs" in known and connection.execute("SELECT 1 FROM runs LIMIT 1").fetchone()
            version = "alembic_version" in known and connection.execute("SELECT version_num FROM alembic_version")
            return not runs and (not version or version.fetchone() != (head,))
    except sqlite3.Error:
        return False


def reach(option: str, address: str) -> None:
    """Connect to a database on a server, once.

    Raises:
        InputError: it does not answer, or turns us away.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError

    try:
        engine = create_engine(address)
        with engine.connect():
            pass
        engine.dispose()
    except (SQLAlchemyError, ImportError, OSError) as error:
        raise InputError(f"{option} {shown(address)!r} cannot be used: {reason(error)}") from error


def reach_bucket(option: str, address: str) -> None:
    """List what is in a bucket, as MLflow's server will reach it.

    Raises:
        InputError: it does not answer, or turns us away.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from mlflow.exceptions import MlflowException
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    try:
        get_artifact_repository(address).list_artifacts()
    except (BotoCoreError, ClientError, MlflowException, ValueError) as error:
        raise InputError(f"{option} {address!r} cannot be used: {reason(error)}") from error
