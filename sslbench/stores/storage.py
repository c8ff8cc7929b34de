"""Optuna's storage: SQLite for one machine, PostgreSQL for many, both with heartbeats.

Taking a WAITING trial is one atomic change of state in the storage. On SQLite that needs our help: Optuna reads the
state with SELECT … FOR UPDATE, which SQLite ignores, so two workers could read WAITING before either writes RUNNING; we
open every transaction with BEGIN IMMEDIATE, which takes the write lock first. Why `RDBStorage`: it alone has
heartbeats, which find trials whose worker died and put them back.
"""

from __future__ import annotations

import sqlite3
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import optuna
from optuna.exceptions import OptunaError
from optuna.storages import RDBStorage
from sqlalchemy import Connection, Engine, NullPool, create_engine, event, func, select
from sqlalchemy.exc import SQLAlchemyError

from sslbench.contract.errors import InputError
from sslbench.stores.claim import put_back
from sslbench.stores.outage import UNREACHABLE, connect_patiently
from sslbench.stores.urls import reason, shown

HEARTBEAT_SECONDS = 15
GRACE_SECONDS = 90

#: Seconds to wait for SQLite's lock before it counts as a store that is away.
LOCK_SECONDS = 60


def open_storage(url: str) -> RDBStorage:
    """Connect to Optuna's store, creating its schema if need be.

    Raises:
        InputError: it cannot be reached.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    arguments: dict[str, object] = {"connect_args": {"timeout": LOCK_SECONDS}}
    if not url.startswith("sqlite"):  # two connections: for the work, and for the heartbeat beside it
        arguments = {"pool_size": 2, "max_overflow": 0, "pool_pre_ping": True}
    try:
        with as_announced(), in_turn(create_engine(url, poolclass=NullPool), "schema"):
            storage = RDBStorage(
                url,
                engine_kwargs=arguments,
                heartbeat_interval=HEARTBEAT_SECONDS,
                grace_period=GRACE_SECONDS,
                heartbeat_stale_trial_callback=put_back,
            )
        if url.startswith("sqlite"):
            _lock_at_begin(storage.engine)
        else:
            connect_patiently(storage.engine)
        return storage
    except (SQLAlchemyError, OptunaError, RuntimeError, ImportError, OSError) as error:
        raise InputError(f"--storage {shown(url)!r} cannot be used: {reason(error)}") from error


def _lock_at_begin(engine: Engine) -> None:
    """Make every transaction of an SQLite engine take the write lock when it begins."""

    def leave_transactions_to_us(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # else Python's driver begins them itself, and too late

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine, "connect", leave_transactions_to_us)
    event.listen(engine, "begin", begin)
    engine.dispose()  # connections from before do not know of this


@contextmanager
def as_announced() -> Iterator[None]:
    """Without Optuna's warnings that heartbeats and names of values may change."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield


def name_value(study: optuna.Study, name: str) -> None:
    """Say what the value of a study is, as Optuna's plots and dashboard call it."""
    with as_announced():
        if study.metric_names is None:
            study.set_metric_names([name])


@contextmanager
def in_turn(engine: Engine, name: str, wait: bool = True) -> Iterator[bool]:
    """One process at a time, of all that ask a database for the same name; hands over whether it is this one's turn.

    In PostgreSQL, by a lock that ends with its connection. In SQLite nothing is locked: what a few workers of one
    machine do twice is found out.

    Args:
        wait: until it is; else another's turn is none of this process.
    """
    if engine.dialect.name != "postgresql":
        yield True
        return
    lock = func.pg_advisory_xact_lock if wait else func.pg_try_advisory_xact_lock
    with engine.begin() as connection:
        yield connection.execute(select(lock(func.hashtext(name)))).scalar_one() is not False


@contextmanager
def beating(storage: RDBStorage, trial_id: int) -> Iterator[None]:
    """Let the heart of a trial beat, for the first time before anything else is done with it.

    A store that is away is no reason to stop: who does the work finds out.
    """
    storage.record_heartbeat(trial_id)
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            with suppress(*UNREACHABLE):
                storage.record_heartbeat(trial_id)

    heart = threading.Thread(target=beat, daemon=True)
    heart.start()
    try:
        yield
    finally:
        ended.set()
        heart.join()
