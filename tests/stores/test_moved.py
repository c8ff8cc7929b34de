"""A home is moved or copied, and its artifacts with it."""

from __future__ import annotations

import shutil
from pathlib import Path

import mlflow
import pytest

from sslbench.datasets._base import Dataset
from sslbench.stores.addresses import Stores, locate, prepare
from sslbench.stores.inputs import describe
from sslbench.stores.models import enter, find_model, open_client
from sslbench.stores.tracker import Tracker
from tests.conftest import pretrain_cell


def opened(stores: Stores) -> Tracker:
    return Tracker(stores.tracking_uri, "tested", stores.artifact_root)


def logged(tracker: Tracker, place: Path, content: str, source: mlflow.entities.Dataset) -> str:
    """A run with one artifact."""
    run_id = tracker.start_pretrain(pretrain_cell("simclr"), source, "cpu")
    place.mkdir()
    (place / "said.txt").write_text(content)
    tracker.log_files(run_id, place)
    return run_id


@pytest.mark.parametrize("copied", [False, True])
def test_artifacts_move_with_their_home(tmp_path: Path, copied: bool, digits: Dataset) -> None:
    old, new = locate(tmp_path / "old home"), locate(tmp_path / "new" / "home")
    prepare(old)
    first = logged(opened(old), tmp_path / "a", "before", describe(digits))
    (tmp_path / "new").mkdir()
    (shutil.copytree if copied else shutil.move)(old.home, new.home)
    before = sorted(path.name for path in tmp_path.rglob("said.txt"))
    tracker = opened(new)
    assert tracker.artifact(first, "said.txt") == b"before"
    second = logged(tracker, tmp_path / "b", "after", describe(digits))
    assert tracker.artifact(second, "said.txt") == b"after"
    assert [path for path in new.home.rglob("said.txt") if second in str(path)]
    assert old.home.exists() == copied, "nothing is written to the old place"
    assert len(before) == (3 if copied else 2)
    if copied:
        assert not [path for path in old.home.rglob("said.txt") if second in str(path)]
        assert opened(old).artifact(first, "said.txt") == b"before", "the original is as it was"


def test_a_home_that_moved_before_it_had_artifacts_keeps_its_first_ones(tmp_path: Path, digits: Dataset) -> None:
    old, new = locate(tmp_path / "old"), locate(tmp_path / "new")
    prepare(old)
    opened(old)
    shutil.move(old.home, new.home)
    run_id = logged(opened(new), tmp_path / "a", "here", describe(digits))
    assert [path for path in new.home.rglob("said.txt") if run_id in str(path)]
    assert not old.home.exists()


def test_models_move_with_them(tmp_path: Path) -> None:
    old, new = locate(tmp_path / "old"), locate(tmp_path / "new")
    prepare(old)
    tracker = opened(old)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").write_text("flavors: {}")
    cell = pretrain_cell("simclr")
    run_id = tracker.start_pretrain(cell, None, "cpu")
    model_id = tracker.log_model(run_id, cell, tmp_path / "model")
    tracker.finish(run_id, {}, {})
    registry = open_client(old)
    enter(registry, find_model(registry, "tested", {"pretext": "simclr"}), "clothes", None)
    shutil.move(old.home, new.home)
    place = opened(new).client.get_logged_model(model_id).artifact_location
    assert place.startswith(new.home.resolve().as_uri())
    assert (Path(place.removeprefix("file://")) / "MLmodel").is_file()
    assert open_client(new).get_model_version_download_uri("clothes", "1") == place
    assert open_client(new).get_model_version("clothes", "1").source == place


def test_artifacts_that_a_person_keeps_elsewhere_stay_there(tmp_path: Path) -> None:
    stores = locate(tmp_path / "home")
    prepare(stores)
    place = (tmp_path / "bucket").as_uri()
    client = mlflow.MlflowClient(stores.tracking_uri)
    client.create_experiment("tested", artifact_location=place)
    (tmp_path / "home" / "artifacts" / "tested").mkdir(parents=True)
    assert opened(stores).client.get_experiment_by_name("tested").artifact_location == place
