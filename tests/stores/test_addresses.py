"""Stores are there whole or not at all, whatever happens while they are made."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from sslbench.contract.spec import InputError
from sslbench.stores.addresses import Stores, locate, prepare, ui_of
from sslbench.stores.sqlite import ensure, tables
from sslbench.stores.storage import open_storage
from sslbench.stores.tracker import Tracker

pytestmark = pytest.mark.usefixtures("made_anew")

#: Statements after which a process kills itself: Optuna's tables, MLflow's first ones, and far into its migrations.
MOMENTS = (5, 60, 400)


def prepare_until(stores: Stores, statements: int) -> None:
    """What a process does that is killed in the middle: its database gets so many statements and not one more."""
    left = statements

    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", count)
    prepare(stores)


def works(stores: Stores) -> None:
    """Both stores can be written."""
    prepare(stores)
    tracker = Tracker(stores.tracking_uri, "tested", stores.artifact_root)
    run = tracker.client.create_run(tracker.experiment_id)
    tracker.client.set_terminated(run.info.run_id)
    assert open_storage(stores.storage).get_all_studies() == []


def test_a_kill_at_any_moment_of_making_the_stores_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    stores = locate(tmp_path / "home")
    context = multiprocessing.get_context("fork")  # what is imported already need not be imported again
    for moment in MOMENTS:
        process = context.Process(target=prepare_until, args=(stores, moment))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert not (tmp_path / "home" / "mlflow.db").exists()
    assert len(list((tmp_path / "home").glob(".mlflow.db.*.unfinished"))) == 1
    works(stores)
    assert not list((tmp_path / "home").glob(".*.unfinished"))


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), OperationalError("CREATE", {}, Exception("full"))]
)
def test_a_full_disk_leaves_nothing_behind_and_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    stores = locate(tmp_path / "home")

    def full(*_: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("mlflow.store.db.utils._upgrade_db", full)
        with pytest.raises(InputError, match=r"--tracking-uri 'sqlite:///.*mlflow.db' cannot be opened: ") as caught:
            prepare(stores)
    assert "\n" not in str(caught.value)
    assert {path.name for path in (tmp_path / "home").glob("*mlflow*")} <= {".mlflow.db.lock"}
    works(stores)


def test_a_file_without_tables_becomes_a_store(tmp_path: Path) -> None:
    stores = locate(tmp_path)
    (tmp_path / "optuna.db").touch()
    connection = sqlite3.connect(tmp_path / "mlflow.db")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    works(stores)


def test_a_half_built_store_of_before_is_named_with_what_to_do(tmp_path: Path) -> None:
    stores = locate(tmp_path)
    connection = sqlite3.connect(tmp_path / "mlflow.db")
    connection.execute("CREATE TABLE experiments (experiment_id INTEGER)")
    connection.execute("CREATE TABLE runs (run_uuid TEXT)")
    connection.commit()
    with pytest.raises(InputError) as caught:
        prepare(stores)
    assert str(caught.value).startswith(f"{tmp_path / 'mlflow.db'} was left half-built")
    assert str(caught.value).endswith("holds no runs: delete it and run again")
    connection.execute("INSERT INTO runs (run_uuid) VALUES ('precious')")
    connection.commit()
    connection.close()
    with pytest.raises(InputError, match="cannot be used") as caught:
        prepare(stores)
    assert "delete" not in str(caught.value)


@pytest.mark.parametrize("name", ["mlflow.db", "optuna.db"])
def test_a_file_that_is_no_database_is_named_and_kept(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("my thesis, all of it, and certainly no database of any kind")
    with pytest.raises(InputError, match=rf"{name}' cannot be opened: file is not a database"):
        prepare(locate(tmp_path))
    assert (tmp_path / name).read_text().startswith("my thesis")


@pytest.mark.parametrize("home", ["file", "file/below", "x" * 300])
def test_a_home_that_cannot_be_one_is_one_line(tmp_path: Path, home: str) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputError, match="cannot be written") as caught:
        prepare(locate(tmp_path / home))
    assert "\n" not in str(caught.value)


def test_a_database_appears_with_all_its_tables_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "some.db"

    def build(address: str) -> None:
        unfinished = Path(address.removeprefix("sqlite:///"))
        connection = sqlite3.connect(unfinished)
        connection.execute("CREATE TABLE things (name TEXT)")
        connection.commit()
        assert not path.exists()
        connection.close()

    ensure(path, build)
    assert tables(path) == {"things"}
    assert {file.name for file in tmp_path.iterdir() if not file.name.endswith(".lock")} == {"some.db"}
    ensure(path, lambda address: pytest.fail(f"{address} is built again"))


def test_runs_are_shown_by_the_server_that_has_them_or_by_the_ui_of_this_machine() -> None:
    assert ui_of("http://tracking.example:8080") == "http://tracking.example:8080"
    for own in ("sqlite:////home/me/mlflow.db", "postgresql://me@db/mlflow", "http://me:secret@tracking.example"):
        assert ui_of(own) == "http://127.0.0.1:5000"
