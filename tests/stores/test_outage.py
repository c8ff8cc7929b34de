"""Errors that mean a store is gone are told from others; they are waited for, and not for ever."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import requests
from mlflow.exceptions import MlflowException, RestException
from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE
from optuna.exceptions import StorageInternalError
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError, OperationalError

from sslbench.contract.errors import InputError, StoreLost
from sslbench.contract.spec import Suite
from sslbench.stores import outage
from sslbench.stores.outage import patiently, store_lost
from sslbench.sweep.asked import Selection
from sslbench.sweep.studies import open_queues


def of_a_request() -> MlflowException:
    """As MLflow raises it: not `from` the error it met, but while that was handled."""
    error = MlflowException("API request failed")
    error.__context__ = requests.exceptions.ConnectionError("refused")
    return error


def of_data() -> InputError:
    """As a worker raises it whose dataset cannot be had."""
    try:
        try:
            raise requests.exceptions.ConnectionError("refused")
        except OSError:
            raise InputError("cannot get dataset 'x'") from None
    except InputError as error:
        return error


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("SELECT 1", {}, Exception("database is locked")),
        StorageInternalError("the server closed the connection"),
        MlflowException("starting", TEMPORARILY_UNAVAILABLE),
        of_a_request(),
    ],
)
def test_a_store_that_is_gone(error: Exception) -> None:
    assert store_lost(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("loss"),
        of_data(),
        MlflowException("parameter is too long"),
        RestException({"error_code": "INVALID_PARAMETER_VALUE", "message": "too long"}),
        IntegrityError("INSERT", {}, Exception("twice")),
    ],
)
def test_an_error_of_the_work(error: Exception) -> None:
    assert not store_lost(error)


def test_a_full_disk_is_no_error_of_the_work(tmp_path: Path) -> None:
    with create_engine(f"sqlite:///{tmp_path / 'full.db'}").connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 8")
        connection.exec_driver_sql("CREATE TABLE kept (content BLOB)")
        with pytest.raises(OperationalError, match="disk is full") as refused:
            connection.exec_driver_sql("INSERT INTO kept VALUES (zeroblob(100000))")
    assert store_lost(refused.value)


def test_one_that_comes_back_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "PAUSE", 0.01)
    calls: list[int] = []

    def ask(answer: int) -> int:
        calls.append(answer)
        if len(calls) < 4:
            raise StorageInternalError("not yet")
        return answer

    assert patiently(ask, 7) == 7
    assert calls == [7] * 4


def test_one_that_stays_away_is_given_up_and_other_errors_are_raised_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "PATIENCE", 0.05)
    monkeypatch.setattr(outage, "PAUSE", 0.01)

    def gone() -> None:
        raise StorageInternalError("connection to postgresql://me:secret@db failed")

    with pytest.raises(StoreLost, match=r"postgresql://me:\*\*\*@db"):
        patiently(gone)
    calls: list[int] = []

    def wrong() -> None:
        calls.append(1)
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        patiently(wrong)
    assert calls == [1]


def test_the_reason_is_what_the_database_said() -> None:
    full = OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))
    error = StorageInternalError("An exception is raised during the commit. This typically happens due to invalid data")
    error.__cause__ = full
    assert str(outage.lost(error)) == "(sqlite3.OperationalError) database or disk is full"
    assert str(outage.lost(StorageInternalError("not yet"))) == "not yet"


def test_a_worker_that_starts_while_sqlite_is_locked_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sslbench.stores.storage.LOCK_SECONDS", 0.1)
    suite = Suite("s", ("digits",), ("conv",), ("rotation",), (8,), (0,), epochs=1)
    url = f"sqlite:///{tmp_path / 'optuna.db'}"
    open_queues(suite, Selection(), url)
    holder = sqlite3.connect(tmp_path / "optuna.db", isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    waits: list[float] = []

    def let_go(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            holder.execute("ROLLBACK")

    monkeypatch.setattr("tenacity.nap.time.sleep", let_go)
    pretrain, evaluate = open_queues(suite, Selection(), url)
    assert len(waits) == 2
    assert pretrain.window == evaluate.window
    holder.close()
