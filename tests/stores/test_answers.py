"""What an evaluation answered comes back from its artifact, one run at a time or thousands at once."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.entities import Experiment

from sslbench.contract.spec import InputError
from sslbench.stores.addresses import locate, prepare
from sslbench.stores.answers import ANSWERS_FILE, answers_npz, artifacts, read_right
from sslbench.stores.tracker import Tracker


def test_classes_and_right_answers_come_back() -> None:
    random = np.random.default_rng(0)
    answers, labels = random.integers(0, 10, (2, 1003))
    content = answers_npz(answers, answers == labels, 10)
    with np.load(io.BytesIO(content)) as stored:
        assert stored["answers"].tolist() == answers.tolist()
        assert stored["answers"].dtype == np.uint8
    count, packed = read_right(content, "run 1")
    right = np.unpackbits(np.frombuffer(packed, np.uint8), count=count).astype(bool)
    assert right.tolist() == (answers == labels).tolist()


@pytest.mark.parametrize(("classes", "size"), [(2, 1), (256, 1), (257, 2), (1000, 2)])
def test_classes_take_as_few_bytes_as_their_number_allows(classes: int, size: int) -> None:
    answers = np.array([0, classes - 1])
    with np.load(io.BytesIO(answers_npz(answers, answers == 0, classes))) as stored:
        assert stored["answers"].itemsize == size
        assert stored["answers"].tolist() == [0, classes - 1]


def test_an_artifact_of_another_kind_is_named() -> None:
    with pytest.raises(InputError, match=r"cannot read answers.npz of run 7: "):
        read_right(b"no archive", "run 7")


@pytest.fixture
def tracker(tmp_path: Path) -> Tracker:
    stores = locate(tmp_path / "home")
    prepare(stores)
    return Tracker(stores.tracking_uri, "tested", stores.artifact_root)


def runs(tracker: Tracker, folder: Path) -> list[str]:
    """Three runs, the last of which stored nothing."""
    run_ids = [tracker.start(f"run {number}", {}, {}) for number in range(3)]
    for number, run_id in enumerate(run_ids[:2]):
        (folder / run_id).mkdir()
        (folder / run_id / ANSWERS_FILE).write_bytes(bytes([number]))
        (folder / run_id / "other.txt").write_text("other")
        tracker.log_files(run_id, folder / run_id)
    return run_ids


def test_one_artifact_of_many_runs_is_read_at_once_and_runs_without_it_are_left_out(
    tracker: Tracker, tmp_path: Path
) -> None:
    first, second, empty = runs(tracker, tmp_path)
    assert tracker.artifacts([first, second, empty], ANSWERS_FILE) == {first: b"\x00", second: b"\x01"}


class Elsewhere(MlflowClient):
    """A client whose artifacts seem to lie on a server, so that each must be asked for."""

    def get_experiment(self, experiment_id: str) -> Experiment:
        found = super().get_experiment(experiment_id)
        return Experiment(found.experiment_id, found.name, "mlflow-artifacts:/1", found.lifecycle_stage)


def test_artifacts_that_are_no_files_here_are_asked_for_one_by_one(tracker: Tracker, tmp_path: Path) -> None:
    first, second, empty = runs(tracker, tmp_path)
    client = Elsewhere(tracker.tracking_uri)
    found = artifacts(client, tracker.experiment_id, [first, second, empty], ANSWERS_FILE)
    assert found == {first: b"\x00", second: b"\x01"}
