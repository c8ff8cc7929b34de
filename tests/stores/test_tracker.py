"""What is written to MLflow comes back as the same records."""

from __future__ import annotations

import dataclasses
import math
import os
import tempfile
from pathlib import Path

import mlflow
import pytest

from sslbench.contract.errors import StoreLost
from sslbench.contract.spec import InputError, PretextConfig
from sslbench.datasets._base import Dataset
from sslbench.stores.addresses import locate, prepare
from sslbench.stores.inputs import describe
from sslbench.stores.runs import ENCODER_DIGEST, ArtifactLost, digest_of
from sslbench.stores.tracker import Tracker
from tests.conftest import evaluate_cell, pretrain_cell


@pytest.fixture
def tracker(tmp_path: Path) -> Tracker:
    stores = locate(tmp_path / "home")
    prepare(stores)
    return Tracker(stores.tracking_uri, "tested", stores.artifact_root)


COSTS = {"pretrain_seconds": 1.5, "pretrain_samples": 640.0, "pretrain_flops": 1e9, "parameters": 1000.0}


def evaluated(tracker: Tracker, digits: Dataset, accuracy: float) -> str:
    cell = evaluate_cell(pretrain_cell("autoencoder"), 0.05, "knn")
    parent = tracker.start_pretrain(cell.pretrain, describe(digits), "cpu")
    tracker.finish(parent, COSTS, {"modality": "image"})
    run_id = tracker.start_evaluate(cell, parent, describe(digits), "cpu")
    metrics = {
        "accuracy": accuracy,
        "budget_accuracy": 0.6,
        "evaluate_seconds": 0.1,
        "evaluate_flops": 1e8,
        "num_labels": 65.0,
        **COSTS,
    }
    tracker.finish(run_id, metrics, {"modality": "image"})
    return run_id


def test_a_finished_evaluation_is_read_back_as_records(tracker: Tracker, digits: Dataset) -> None:
    run_id = evaluated(tracker, digits, 0.7512345678901234)
    test, budget = tracker.records()
    assert (test.split, test.value, test.run_id) == ("test", 0.7512345678901234, run_id)
    assert (budget.split, budget.value) == ("budget", 0.6)
    assert (test.pretext, test.protocol, test.label_fraction, test.num_labels) == ("autoencoder", "knn", 0.05, 65)
    assert (test.pretrain_samples, test.parameters, test.device, test.modality) == (640, 1000, "cpu", "image")


def test_an_encoder_is_lost_if_it_is_gone_or_another_and_not_if_it_cannot_be_read_now(
    tracker: Tracker, digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = tracker.start_pretrain(pretrain_cell("autoencoder"), describe(digits), "cpu")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "encoder.safetensors").write_bytes(b"weights")
    tracker.log_files(run_id, tmp_path / "files")
    tracker.finish(run_id, COSTS, {ENCODER_DIGEST: digest_of(b"weights")})
    assert tracker.encoder(run_id) == b"weights"

    def refuse(*_: object) -> str:
        raise mlflow.MlflowException("The following failures occurred while downloading one or more artifacts")

    with monkeypatch.context() as patch:
        patch.setattr(tracker.client, "download_artifacts", refuse)
        with pytest.raises(StoreLost, match="safetensors of run"):
            tracker.encoder(run_id)
    (kept,) = (tmp_path / "home").rglob("encoder.safetensors")
    kept.write_bytes(b"weighty")
    with pytest.raises(ArtifactLost, match="another digest"):
        tracker.encoder(run_id)
    kept.unlink()
    with pytest.raises(ArtifactLost, match="safetensors of run"):
        tracker.encoder(run_id)


def test_one_that_another_machine_makes_at_this_moment_is_the_experiment_too(
    tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [None, tracker.client.get_experiment_by_name("tested")]
    monkeypatch.setattr("mlflow.MlflowClient.get_experiment_by_name", lambda *_: found.pop(0))
    assert Tracker(tracker.tracking_uri, "tested", tmp_path).experiment_id == tracker.experiment_id


def test_what_a_cell_says_of_reading_budget_and_versions_is_read_back(tracker: Tracker, digits: Dataset) -> None:
    pretrain = dataclasses.replace(pretrain_cell("autoencoder"), encoder_version=3, pretext_version=4)
    cell = dataclasses.replace(
        evaluate_cell(pretrain, 0.05, "knn"), reading="map", labels_per_class=6, dataset_version=5, protocol_version=2
    )
    parent = tracker.start_pretrain(pretrain, describe(digits), "cpu")
    tracker.finish(parent, COSTS, {"modality": "image"})
    run_id = tracker.start_evaluate(cell, parent, describe(digits), "cpu")
    length = {"pretrain_epochs": 0.5, "pretrain_steps": 7.0, "num_classes": 10.0}
    spent = {"evaluate_seconds": 0.1, "evaluate_flops": 1e8, "num_labels": 60.0, **COSTS}
    tracker.finish(run_id, {"accuracy": 0.7, **length, **spent}, {"modality": "image"})
    (record,) = tracker.records()  # without a score inside the budget there is none of it
    assert (record.split, record.reading, record.labels_per_class, record.num_classes) == ("test", "map", 6, 10)
    assert (record.pretrain_epochs, record.pretrain_steps) == (0.5, 7)
    versions = record.dataset_version, record.encoder_version, record.pretext_version, record.protocol_version
    assert versions == (5, 3, 4, 2)


def test_runs_of_before_are_what_cells_were_then(tracker: Tracker, digits: Dataset) -> None:
    run_id = evaluated(tracker, digits, 0.7)
    for name in ("reading", "labels_per_class", "dataset_version", "encoder_version", "pretext_version"):
        tracker.client.delete_tag(run_id, name)
    tracker.client.delete_tag(run_id, "protocol_version")
    record = tracker.records()[0]
    assert (record.reading, record.labels_per_class, record.num_classes, record.pretrain_steps) == ("latent", 0, 0, 0)
    assert math.isnan(record.pretrain_epochs)
    assert record.dataset_version == record.encoder_version == record.pretext_version == record.protocol_version == 1


def test_only_finished_cells_count_as_done(tracker: Tracker, digits: Dataset) -> None:
    cell = pretrain_cell("rotation")
    failed = tracker.start_pretrain(cell, describe(digits), "cpu")
    tracker.fail(failed, "TrainingError: the loss became nan")
    tracker.start_pretrain(cell, describe(digits), "cpu")
    assert tracker.finished() == {}
    assert tracker.kill_orphans(dict) == 1
    assert tracker.finished() == {}
    again = tracker.start_pretrain(cell, describe(digits), "cpu")
    tracker.finish(again, COSTS, {"modality": "image"})
    assert tracker.finished() == {cell.cell_id: again}


def test_a_cell_over_which_too_many_died_has_failed_and_the_run_says_why(tracker: Tracker, digits: Dataset) -> None:
    given_up, other = pretrain_cell("rotation"), pretrain_cell("autoencoder")
    for cell in (given_up, other):
        tracker.start_pretrain(cell, describe(digits), "cpu")
    assert tracker.kill_orphans(dict, lambda: {given_up.cell_id: "3 workers died over it"}) == 2
    assert [(tags["cell_id"], tags["error"]) for tags in tracker.failures()] == [
        (given_up.cell_id, "3 workers died over it")
    ]


def test_the_first_of_two_runs_of_a_cell_counts(tracker: Tracker, digits: Dataset) -> None:
    first = evaluated(tracker, digits, 0.5)
    evaluated(tracker, digits, 0.9)
    assert {record.run_id for record in tracker.records()} == {first}


def test_a_run_is_opened_again_by_its_tags_and_only_by_all_of_them(tracker: Tracker) -> None:
    tags = {"kind": "tune", "study": "quick/tune/simclr/12ab34cd"}
    assert tracker.reopen(tags) is None
    run_id = tracker.start("simclr", tags, {"epochs": 1.0})
    tracker.finish(run_id, {"score": 0.5}, {})
    assert tracker.reopen({**tags, "kind": "trial"}) is None
    assert tracker.reopen(tags) == run_id
    run = tracker.client.get_run(run_id)
    assert (run.info.status, run.info.run_name, run.data.params) == ("RUNNING", "simclr", {"epochs": "1.0"})
    below = tracker.client.get_run(tracker.start("trial", {"suite": "other"}, {}, run_id)).data.tags
    assert (below["mlflow.parentRunId"], below["suite"], run.data.tags["suite"]) == (run_id, "other", "tested")


def test_long_curves_are_logged_whole(tracker: Tracker, digits: Dataset) -> None:
    run_id = tracker.start_pretrain(pretrain_cell("rotation"), describe(digits), "cpu")
    tracker.log_points(run_id, [(step, {"loss": 1 / step, "epoch": step / 100}) for step in range(1, 1201)])
    history = tracker.client.get_metric_history(run_id, "loss")
    assert [point.step for point in sorted(history, key=lambda point: point.step)] == list(range(1, 1201))


def test_checkpoints_are_found_until_a_run_fails_and_go_when_the_cell_is_done(
    tracker: Tracker, digits: Dataset
) -> None:
    cell, other = pretrain_cell("rotation"), pretrain_cell("rotation", seed=1)
    started = [tracker.start_pretrain(one, describe(digits), "cpu") for one in (cell, other, cell)]
    for number, content in enumerate((b"first", b"second", b"third")):
        tracker.log_checkpoint(started[0], content, number)
    for run_id in started[1:]:
        tracker.log_checkpoint(run_id, b"only", 0)
    known = set(tracker.checkpoints(cell.cell_id))
    assert known == {(started[0], b"third"), (started[0], b"second"), (started[2], b"only")}
    tracker.close(started[2])
    assert set(tracker.checkpoints(cell.cell_id)) == known
    tracker.fail(started[2], "TrainingError: the loss became nan")
    assert list(tracker.checkpoints(cell.cell_id)) == []
    tracker.drop_checkpoints(cell.cell_id)
    left = [len(tracker.client.list_artifacts(run_id, "checkpoint")) for run_id in started]
    assert left == [0, 1, 0]


def test_a_run_that_goes_on_repeats_the_curve_as_far_as_the_other_was_kept(tracker: Tracker, digits: Dataset) -> None:
    cell = pretrain_cell("rotation")
    old, new = (tracker.start_pretrain(cell, describe(digits), "cpu") for _ in range(2))
    tracker.log_points(old, [(step, {"loss": 1 / step, "system/cpu": 0.5}) for step in range(1, 1101)])
    tracker.go_on(new, old, 1050)
    run = tracker.client.get_run(new)
    assert run.data.tags["resumed_from"] == old
    assert run.data.metrics.keys() == {"loss"}
    points = {point.step: point.value for point in tracker.client.get_metric_history(new, "loss")}
    assert points == {step: 1 / step for step in range(1, 1051)}


def test_settings_are_parameters_with_dots(tracker: Tracker, digits: Dataset) -> None:
    run_id = tracker.start_pretrain(pretrain_cell("simclr"), describe(digits), "cpu")
    parameters = tracker.client.get_run(run_id).data.params
    assert parameters["temperature"] == "0.2"
    assert parameters["optimizer.batch_size"] == "256"
    assert PretextConfig().optimizer.name == "adamw"


def test_a_server_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    stores = locate(tmp_path / "home", "http://127.0.0.1:9")
    with pytest.raises(InputError, match=r"tracking URI 'http://127.0.0.1:9' cannot be used"):
        prepare(stores)


def test_a_monitored_run_leaves_no_global_store_behind(
    tracker: Tracker, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    before = mlflow.get_tracking_uri()
    run_id = tracker.start_pretrain(pretrain_cell("rotation"), describe(digits), "cpu")
    tracker.monitor(run_id).finish()
    assert "MLFLOW_TRACKING_URI" not in os.environ
    assert mlflow.get_tracking_uri() == before


def test_reading_artifacts_leaves_no_copy_behind(
    tracker: Tracker, digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = tracker.start_pretrain(pretrain_cell("rotation"), describe(digits), "cpu")
    (tmp_path / "files" / "pictures").mkdir(parents=True)
    (tmp_path / "files" / "pictures" / "map.png").write_bytes(b"a map")
    (tmp_path / "files" / "encoder.safetensors").write_bytes(b"weights")
    tracker.log_files(run_id, tmp_path / "files")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    assert tracker.artifact(run_id, "encoder.safetensors") == b"weights"
    assert tracker.pictures(run_id) == {"map": b"a map"}
    assert list((tmp_path / "temporary").iterdir()) == []


def test_what_failed_is_told_without_passwords(tracker: Tracker, digits: Dataset) -> None:
    run_id = tracker.start_pretrain(pretrain_cell("rotation"), describe(digits), "cpu")
    tracker.fail(run_id, "OperationalError: cannot reach postgresql://me:s3cret@host/db")
    (failure,) = tracker.failures()
    assert failure["error"] == "OperationalError: cannot reach postgresql://me:***@host/db"
