"""The one query that planning asks says what MLflow's own search says."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslbench.datasets._base import Dataset
from sslbench.stores.addresses import locate, prepare
from sslbench.stores.finished import finished_cells, finished_of
from sslbench.stores.inputs import describe
from sslbench.stores.tracker import Tracker
from tests.conftest import pretrain_cell


@pytest.fixture
def tracker(tmp_path: Path) -> Tracker:
    stores = locate(tmp_path / "home")
    prepare(stores)
    return Tracker(stores.tracking_uri, "tested", stores.artifact_root)


def test_the_query_and_the_search_agree_on_what_is_done(tracker: Tracker, digits: Dataset) -> None:
    source, expected = describe(digits), {}
    other = Tracker(tracker.tracking_uri, "another suite", None)
    for seed, ending in enumerate(("finished", "twice", "failed", "open", "deleted", "elsewhere")):
        cell = pretrain_cell("rotation", seed=seed)
        home = other if ending == "elsewhere" else tracker
        run_id = home.start_pretrain(cell, source, "cpu")
        if ending == "failed":
            home.fail(run_id, "no reason")
        elif ending != "open":
            home.finish(run_id, {"parameters": 1.0}, {})
        if ending == "twice":
            home.finish(home.start_pretrain(cell, source, "cpu"), {}, {})
        if ending == "deleted":
            home.client.delete_run(run_id)
        if ending in ("finished", "twice"):
            expected[cell.cell_id] = run_id
    report = tracker.client.create_run(tracker.experiment_id, tags={"kind": "report"})
    tracker.client.set_terminated(report.info.run_id, "FINISHED")
    assert finished_cells(tracker.tracking_uri, tracker.experiment_id) == expected
    assert finished_of(tracker.tracking_uri, tracker.suite) == expected
    assert finished_of(tracker.tracking_uri, "never run") == {}
    assert tracker.finished() == tracker.finished_by_search() == expected


def test_tables_that_cannot_be_read_are_left_to_the_search(tmp_path: Path) -> None:
    assert finished_cells("http://127.0.0.1:9", "1") is finished_of("http://127.0.0.1:9", "s") is None
    assert finished_of(f"sqlite:///{tmp_path / 'none yet.db'}", "s") == {}
    assert list(tmp_path.iterdir()) == []
    assert finished_cells(f"sqlite:///{tmp_path / 'of another kind.db'}", "1") is None
