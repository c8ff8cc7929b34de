"""Workers that die at the worst moments, and what they held: it is done by those that are left."""

from __future__ import annotations

import dataclasses
import math
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from requests.exceptions import ConnectionError as NoConnection

from sslbench.contract.owner import me
from sslbench.stores.outage import since_outage
from sslbench.sweep.asked import Request, Selection
from sslbench.sweep.crew import RESTARTS, run
from sslbench.sweep.features import FeatureCache
from sslbench.sweep.news import Failure, NewsWriter, Progress
from sslbench.sweep.request import prepare_request
from sslbench.sweep.shared import Shared
from sslbench.sweep.worker import Worker
from tests.conftest import SUITE_FILE, request_for, work_off
from tests.stores.test_queue import ended

ROWS = '"majority_class", "raw_pixels", "random_init", "supervised", "autoencoder", "rotation"'
SMALL = (
    SUITE_FILE.replace(ROWS, '"random_init",')
    .replace("(0, 1)", "(0,)")
    .replace("epochs=1,", 'epochs=1, protocols=("knn",),')
)


class Died(BaseException):
    """What no worker catches, as none can catch its death."""


def begun(request: Request) -> Shared:
    """A sweep in whose queues everything waits."""
    shared = Shared(request, prepare_request(request))
    shared.begin()
    return shared


def worker_of(shared: Shared) -> Worker:
    return shared.worker(NewsWriter(shared.request.stores.home / "news", 0))


def all_done(shared: Shared) -> bool:
    return shared.done() == len(shared.prepared.cells)


def dying(*_: Any) -> None:
    raise Died


def test_evaluations_of_a_dead_worker_are_done_before_the_others_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = request_for(tmp_path, "small", SMALL)
    work_off(request)
    Path(request.suite).write_text(SMALL.replace("(0.05, 1.0)", "(0.05, 0.1, 1.0)"))
    shared = begun(request)
    claim = shared.evaluate._take({one.user_attrs["cell_id"] for one in shared.evaluate.waiting()})
    assert claim is not None
    claim.trial.set_user_attr("owner", ended())
    assert not shared.evaluate.waiting()
    monkeypatch.setattr("sslbench.sweep.worker.HEARTBEAT_SECONDS", 0)
    worker_of(shared).run()
    assert all_done(shared)


def test_evaluations_of_an_encoder_whose_worker_died_before_it_queued_them_are_done(tmp_path: Path) -> None:
    shared = begun(request_for(tmp_path, "small", SMALL))
    worker = worker_of(shared)
    worker.tracker.drop_checkpoints = dying
    with pytest.raises(Died):
        worker.run()
    assert shared.done() == 1, "the training"
    shared.release()
    assert not shared.evaluate.waiting()
    worker.tracker.drop_checkpoints = lambda _: None
    worker_of(shared).run()
    assert all_done(shared)


def test_who_takes_the_features_away_breaks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extract: Callable[..., Any] = FeatureCache.extract

    def without_a_folder(cache: FeatureCache, *arguments: Any) -> Any:
        shutil.rmtree(cache.folder, ignore_errors=True)
        return extract(cache, *arguments)

    monkeypatch.setattr(FeatureCache, "extract", without_a_folder)
    shared = begun(request_for(tmp_path, "small", SMALL))
    worker_of(shared).run()
    assert all_done(shared)


def test_what_goes_wrong_after_a_training_is_finished_does_not_fail_it(tmp_path: Path) -> None:
    shared = begun(request_for(tmp_path, "small", SMALL))
    worker = worker_of(shared)
    worker.news.finished = lambda _: (_ for _ in ()).throw(OSError("no room"))
    with pytest.raises(OSError, match="no room"):
        worker.run()
    runs = shared.tracker.client.search_runs([shared.tracker.experiment_id], "tags.kind = 'pretrain'")
    assert [one.info.status for one in runs] == ["FINISHED"]


def test_a_dataset_that_cannot_be_loaded_fails_its_cells_and_no_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = begun(request_for(tmp_path, "small", SMALL))
    worker, told = worker_of(shared), []
    worker.news.failed = told.append
    monkeypatch.setattr("sslbench.sweep.request.load", lambda *_: (_ for _ in ()).throw(NoConnection("gone")))
    worker.run()
    assert told == [Failure("random_init d=8 s=0", "InputError: gone")]


def test_a_database_that_somebody_frozen_holds_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sslbench.stores.storage.LOCK_SECONDS", 0.1)
    monkeypatch.setattr("sslbench.stores.outage._waited", -math.inf)
    shared = begun(request_for(tmp_path, "small", SMALL))
    held = sqlite3.connect(shared.request.stores.home / "optuna.db", isolation_level=None, check_same_thread=False)
    held.execute("BEGIN IMMEDIATE")
    thawed = Timer(3, held.execute, ("ROLLBACK",))
    thawed.start()
    shared.work(NewsWriter(tmp_path / "news", 0))
    thawed.join()
    held.close()
    assert since_outage() < math.inf, "the lock was in the way"
    assert all_done(shared)


def test_what_a_killed_worker_kept_for_a_moment_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = begun(request_for(tmp_path, "small", SMALL))
    temporary, dead = shared.request.stores.temporary, ended()
    (temporary / dead / "half").mkdir(parents=True)
    made: list[str] = []

    class Asking:
        def run(self, _: object) -> None:
            made.append(tempfile.mkdtemp())
            assert not (temporary / dead).exists()
            (temporary / dead).mkdir()  # as one that dies meanwhile leaves it

    usual = tempfile.gettempdir()
    monkeypatch.setattr(Shared, "worker", lambda *_: Asking())
    shared.work(NewsWriter(tmp_path / "news", 0))
    assert Path(made[0]).parent == temporary / me()
    assert tempfile.gettempdir() == usual
    shared.settle()
    assert list(temporary.iterdir()) == []
    elsewhere = temporary / "another.0123:1:2"
    elsewhere.mkdir()
    shared.settle()
    assert elsewhere.exists(), "its machine may be at work"
    os.utime(elsewhere, (0, 0))
    shared.settle()
    assert list(temporary.iterdir()) == []


def test_runs_of_those_who_asked_for_more_than_the_suite_are_not_closed(tmp_path: Path) -> None:
    request = request_for(tmp_path, "small", SMALL)
    whole, more = begun(request), begun(dataclasses.replace(request, selection=Selection(pretexts=("rotation",))))
    (cell,) = more.prepared.plan.pretrain
    claim = more.pretrain._take({cell.cell_id})
    assert claim is not None
    claim.trial.set_user_attr("owner", me())
    run_id = more.tracker.start_pretrain(cell, None, "cpu")
    whole.settle()
    assert whole.tracker.client.get_run(run_id).info.status == "RUNNING"
    more.release()
    whole.settle()
    assert whole.tracker.client.get_run(run_id).info.status == "KILLED"


class Dying:
    """An engine whose workers die one after the other, each having done a cell, and the last none."""

    workers, title = 1, "dying"

    def __init__(self, cells: int) -> None:
        self.cells, self.started = cells, 0

    def start(self, _: int) -> Dying:
        self.started += 1
        return self

    def ended(self) -> str:
        return "died"

    def stop(self) -> None:
        """Nothing is left to stop."""

    def look(self, _: Shared, last: bool = False) -> Progress:
        return Progress((), (), (), min(self.started, self.cells))

    def close(self) -> None:
        """Nothing is left behind."""


def test_workers_are_started_again_as_long_as_cells_are_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sslbench.sweep.crew.next_look", lambda _: math.inf)  # what the engine says counts
    request = request_for(tmp_path, "small", SMALL)
    engine = Dying(cells=3 * RESTARTS)
    failures = run(request, prepare_request(request), lambda _: None, engine)
    assert engine.started == 3 * RESTARTS + RESTARTS
    assert len(failures) == engine.started
