"""Encoders as MLflow's users meet them: loaded by its functions, found by accuracy, named in its registry."""

from __future__ import annotations

import zipfile
from pathlib import Path

import mlflow.pytorch
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from sslbench.commands.app import app
from sslbench.datasets._base import Dataset
from sslbench.encoders import ENCODERS
from sslbench.encoders import saved as pickling
from sslbench.encoders.saved import loaded, saved
from sslbench.modalities import modality_of
from sslbench.stores.addresses import Stores, locate, prepare
from sslbench.stores.inputs import describe
from sslbench.stores.models import find_model, open_client, write_model
from sslbench.stores.tracker import Scored, Tracker
from tests.conftest import evaluate_cell, pretrain_cell


@pytest.fixture(scope="module")
def encoder(digits: Dataset) -> torch.nn.Module:
    torch.manual_seed(1)
    return ENCODERS.get("conv")(digits.input_spec, 8).eval()


@pytest.fixture(scope="module")
def batch(digits: Dataset) -> torch.Tensor:
    return modality_of(digits.input_spec).batch(digits.test_inputs[:3])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, encoder: torch.nn.Module, batch: torch.Tensor) -> Path:
    """A model as MLflow keeps it."""
    place = tmp_path_factory.mktemp("model")
    write_model(place, saved(encoder, "conv"), pickling, batch[:1].numpy(), 8)
    return place


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory, folder: Path, digits: Dataset) -> Stores:
    """Two pretrainings with models, each evaluated on two budgets."""
    stores = locate(tmp_path_factory.mktemp("home"))
    prepare(stores)
    tracker = Tracker(stores.tracking_uri, "tested", stores.artifact_root)
    for pretext, accuracies in {"simclr": (0.5, 0.9), "rotation": (0.6, 0.8)}.items():
        cell = pretrain_cell(pretext)
        parent = tracker.start_pretrain(cell, describe(digits), "cpu")
        model_id = tracker.log_model(parent, cell, folder)
        tracker.finish(parent, {"pretrain_steps": 3.0}, {})
        assert tracker.pretrained(parent) == ({"pretrain_steps": 3.0}, model_id)
        for fraction, accuracy in zip((0.1, 1.0), accuracies, strict=True):
            child = evaluate_cell(cell, fraction, "knn")
            run_id = tracker.start_evaluate(child, parent, describe(digits), "cpu", model_id=model_id)
            scored = Scored(model_id, f"digits, {child.title}", digits.digest)
            tracker.finish(run_id, {"accuracy": accuracy, "num_labels": 5.0}, {}, scored)
    return stores


@pytest.fixture(autouse=True)
def usual(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """What MLflow's own functions look into: unsaid, a file in the current folder."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", stores.tracking_uri)


def test_an_encoder_is_made_again_from_its_own_file(encoder: torch.nn.Module, batch: torch.Tensor) -> None:
    again = loaded(saved(encoder, "conv"))
    assert torch.equal(again(batch), encoder(batch))
    assert not again.training


def test_a_vocabulary_and_what_views_may_do_are_kept() -> None:
    from tests.encoders.text.test_text_encoders import SPEC

    again = loaded(saved(ENCODERS.get("bag")(SPEC, 8), "bag"))
    assert again.input_spec == SPEC


def test_mlflow_loads_it_without_a_line_of_pickle(folder: Path, encoder: torch.nn.Module, batch: torch.Tensor) -> None:
    model = mlflow.pytorch.load_model(str(folder))
    assert torch.equal(model(batch), encoder(batch))
    scores = mlflow.pyfunc.load_model(str(folder)).predict(batch.numpy())
    np.testing.assert_array_equal(scores, encoder(batch).detach().numpy())
    with zipfile.ZipFile(folder / "data" / "model.pth") as opened:
        (content,) = (name for name in opened.namelist() if name.endswith("data.pkl"))
        assert opened.read(content) == saved(encoder, "conv")


def test_it_has_a_signature_and_an_example_that_it_takes(folder: Path, batch: torch.Tensor) -> None:
    model = mlflow.models.Model.load(str(folder))
    assert model.signature.inputs.inputs[0].shape == (-1, 1, 28, 28)
    assert model.signature.outputs.inputs[0].shape == (-1, 8)
    np.testing.assert_allclose(model.load_input_example(str(folder)), batch[:1].numpy())


def test_models_rank_by_accuracy_on_a_budget(stores: Stores) -> None:
    client = mlflow.MlflowClient(stores.tracking_uri)
    experiment = client.get_experiment_by_name("tested").experiment_id

    def best(budget: str) -> list[str]:
        order = {"field_name": "metrics.accuracy", "ascending": False, "dataset_name": f"digits, {budget} knn"}
        return [one.name for one in client.search_logged_models([experiment], order_by=[order])]

    assert best("10%") == ["rotation d=16 s=0, conv on digits", "simclr d=16 s=0, conv on digits"]
    assert best("100%") == ["simclr d=16 s=0, conv on digits", "rotation d=16 s=0, conv on digits"]


def test_an_evaluation_says_what_it_evaluated(stores: Stores) -> None:
    client = mlflow.MlflowClient(stores.tracking_uri)
    experiment = client.get_experiment_by_name("tested").experiment_id
    for run in client.search_runs([experiment], "tags.kind = 'evaluate'"):
        parent = client.get_run(run.data.tags["mlflow.parentRunId"])
        inputs = client.get_run(run.info.run_id).inputs
        assert [one.model_id for one in inputs.model_inputs] == [parent.outputs.model_outputs[0].model_id]


@pytest.mark.parametrize("end", ["close", "fail", "forget"])
def test_a_pretraining_that_comes_to_nothing_leaves_no_model(
    end: str, tmp_path: Path, folder: Path, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    stores = locate(tmp_path)
    prepare(stores)
    tracker = Tracker(stores.tracking_uri, "tested", stores.artifact_root)
    run_id = tracker.start_pretrain(pretrain_cell("simclr"), describe(digits), "cpu")
    tracker.log_model(run_id, pretrain_cell("simclr"), folder)
    assert len(tracker.client.search_logged_models([tracker.experiment_id])) == 1
    getattr(tracker, end)(run_id, *["the reason"] * (end == "fail"))
    assert not tracker.client.search_logged_models([tracker.experiment_id])


def registered(stores: Stores, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["register", *arguments, "--home", str(stores.home)])
    return result.output


def test_an_encoder_is_named_in_the_registry(stores: Stores, encoder: torch.nn.Module, batch: torch.Tensor) -> None:
    asked = ("tested", "figures", "--pretext", "simclr")
    assert "models:/figures/1" in registered(stores, *asked)
    assert "models:/figures/2" in registered(stores, *asked, "--alias", "champion")
    assert torch.equal(mlflow.pytorch.load_model("models:/figures@champion")(batch), encoder(batch))


def test_the_newest_of_a_cell_trained_twice_is_named_and_none_of_a_training_that_did_not_end(
    tmp_path: Path, folder: Path
) -> None:
    stores = locate(tmp_path / "home")
    prepare(stores)
    tracker = Tracker(stores.tracking_uri, "twice", stores.artifact_root)
    models = []
    for ends in (tracker.finish, tracker.finish, lambda run_id, *_: tracker.close(run_id)):
        run_id = tracker.start_pretrain(pretrain_cell("simclr"), None, "cpu")
        models.append(tracker.log_model(run_id, pretrain_cell("simclr"), folder))
        ends(run_id, {}, {})
    assert find_model(open_client(stores), "twice", {"pretext": "simclr"}).model_id == models[1]
    told = registered(stores, "twice", "x", "--pretext", "simclr")
    assert f"where MLFLOW_TRACKING_URI={stores.tracking_uri}" in "".join(told.splitlines())


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (("quick", "x", "--pretext", "simclr"), "no runs of suite 'quick'"),
        (("tested", "x", "--pretext", "vicreg"), "0 models of tested have pretext vicreg"),
        (("tested", "x", "--pretext", "simclr", "--seed", "3"), "digits conv simclr 16 0"),
        (("tested", "a/b", "--pretext", "simclr"), "'a/b' cannot be registered"),
    ],
)
def test_what_cannot_be_registered_is_told(stores: Stores, arguments: tuple[str, ...], culprit: str) -> None:
    assert culprit in registered(stores, *arguments)
