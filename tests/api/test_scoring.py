"""Encoders of other people, scored as published ones are."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import mlflow.pytorch
import numpy as np
import pandas as pd
import pytest
import torch
import torchvision
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import nn

import sslbench as sb
from sslbench.contract.record import RECORD_COLUMNS
from sslbench.contract.spec import InputError
from sslbench.datasets._base import Dataset
from sslbench.engine.budget import draw_budget
from sslbench.engine.pretrain import build
from sslbench.modalities import modality_of
from sslbench.stores.addresses import locate
from sslbench.stores.models import open_client
from tests.conftest import CPU, pretrain_cell


def score(encoder: Any, dataset: str = "digits", **asked: Any) -> pd.DataFrame:
    return sb.evaluate(encoder, dataset, **{"seeds": (0,), "label_fractions": (0.05,), "device": "cpu", **asked})


def on_test(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["split"] == "test"]


class Flat(nn.Module):
    """A linear map of the pixels, most of it dropped in training mode."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.project = nn.Sequential(nn.Linear(784, 12), nn.Dropout(0.9))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return self.project(batch.flatten(1))


def accuracy_of_scikit_learn(train: np.ndarray, test: np.ndarray, digits: Dataset, fraction: float) -> float:
    """Test accuracy of its logistic regression on standardised features, penalty 1e-2, of the first label budget."""
    chosen = draw_budget("digits", digits.train_labels, fraction, 0).indices.numpy()
    scale = StandardScaler().fit(train[chosen])
    theirs = LogisticRegression(C=1 / (1e-2 * len(chosen)), max_iter=2_000)
    theirs.fit(scale.transform(train[chosen]), digits.train_labels.numpy()[chosen])
    return float(theirs.score(scale.transform(test), digits.test_labels.numpy()))


def test_pca_features_agree_with_scikit_learns_own_logistic_regression(digits: Dataset) -> None:
    pixels = [split.flatten(1).numpy() / 255 for split in (digits.train_inputs, digits.test_inputs)]
    pca = PCA(24, random_state=0).fit(pixels[0])
    train, test = map(pca.transform, pixels)
    ours = score((train, test), label_fractions=(0.2, 1.0), settings={"linear_probe": {"strengths": (1e-2,)}})
    for line in on_test(ours).to_dict("records"):
        accuracy = accuracy_of_scikit_learn(train, test, digits, line["label_fraction"])
        assert line["value"] == pytest.approx(accuracy, abs=0.003)


class Squeezed(nn.Module):
    """A torchvision model with random weights."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.network = torchvision.models.squeezenet1_1(weights=None).features

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return self.network(nn.functional.interpolate(batch.expand(-1, 3, -1, -1), size=32)).mean(dim=(2, 3))


def test_a_torchvision_model_is_scored_as_its_features_are_and_as_scikit_learn_does(digits: Dataset) -> None:
    network = Squeezed().eval()
    with torch.inference_mode():
        given = tuple(network(split / 255).numpy() for split in (digits.train_inputs, digits.test_inputs))
    asked: dict[str, Any] = {"label_fractions": (1.0,), "settings": {"linear_probe": {"strengths": (1e-2,)}}}
    called, arrays = on_test(score(network, **asked)), on_test(score(given, **asked))
    assert called["value"].item() == pytest.approx(arrays["value"].item(), abs=0.003)
    assert called["value"].item() == pytest.approx(accuracy_of_scikit_learn(*given, digits, 1.0), abs=0.003)
    assert called["latent_dim"].item() == arrays["latent_dim"].item() == 512
    assert called["evaluate_flops"].item() > 0
    assert np.isnan(arrays["evaluate_flops"].item()), "what computing them cost is not known"


def test_records_are_of_the_public_schema_and_of_the_published_label_budgets(digits: Dataset) -> None:
    found = score(Flat(), labels_per_class=(2,), protocols=("linear_probe", "knn"), seeds=(0, 3), name="flat")
    assert tuple(found.columns) == RECORD_COLUMNS
    assert set(found["split"]) == {"test", "budget"}
    assert set(zip(found["seed"], found["label_seed"], strict=True)) == {(0, 0), (0, 3)}
    assert set(found["pretext"]) == {"flat"}
    assert set(found["encoder"]) == {"own"}
    per_class = found[found["labels_per_class"] == 2]
    assert set(per_class["num_labels"]) == {20}
    assert set(found.loc[found["labels_per_class"] == 0, "num_labels"]) == {
        len(draw_budget("digits", digits.train_labels, 0.05, 0).indices)
    }
    assert found["cell_id"].nunique() == 2 * 2 * 2


def test_a_module_is_asked_in_evaluation_mode_and_left_as_it_was() -> None:
    network = Flat().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    found = on_test(score(network, protocols=("linear_probe", "finetune"), settings={"finetune": FEW}))
    assert found.set_index("protocol")["value"]["linear_probe"] > 0.6
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


FEW = {"min_steps": 20, "max_steps": 20}


def test_a_map_is_read_three_ways(digits: Dataset) -> None:
    encoder = build(pretrain_cell("random_init"), digits, CPU).encoder.eval()
    maps = on_test(score(encoder.feature_map, readings=("latent", "pooled", "map")))
    ours = on_test(score(encoder, readings=("pooled", "map")))
    by_reading = maps.set_index("reading")["value"]
    assert by_reading["latent"] == by_reading["pooled"]
    for reading, value in ours.set_index("reading")["value"].items():
        assert by_reading[reading] == value
    assert set(ours["encoder"]) == {"conv"}


def test_no_label_outside_the_budget_changes_what_is_answered(digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def with_labels(change: Callable[[torch.Tensor], torch.Tensor]) -> pd.DataFrame:
        budget = draw_budget("digits", digits.train_labels, 0.05, 0).indices
        labels = digits.train_labels.clone()
        foreign = torch.ones(len(labels), dtype=torch.bool)
        foreign[budget] = False
        labels[foreign] = change(labels[foreign])
        changed = type(digits)(**{**vars(digits), "train_labels": labels})
        monkeypatch.setattr("sslbench.api.scoring.load", lambda name, root: changed)
        monkeypatch.setattr(
            "sslbench.engine.evaluate.draw_budget", lambda *asked: draw_budget("digits", digits.train_labels, 0.05, 0)
        )
        return score(Flat(), protocols=("linear_probe", "knn"))["value"]

    assert with_labels(lambda labels: labels).tolist() == with_labels(lambda labels: labels.flip(0)).tolist()


def test_an_encoder_that_is_called_as_a_suite_is_not_logged_among_its_runs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"name 'quick' is a suite's, among whose runs yours would be"):
        score(Flat(), name="quick", home=tmp_path / "home")


def test_evaluations_are_logged_when_there_is_a_home(tmp_path: Path) -> None:
    stated = {"pretrain_dataset": "fashion_mnist", "pretrain_seconds": 2.5}
    found = score(Flat(), name="flat", home=tmp_path / "home", **stated)
    from sslbench.report.records import from_records
    from sslbench.stores.addresses import locate
    from sslbench.sweep.request import tracker_of

    tracker = tracker_of(locate(tmp_path / "home"), "flat")
    kept = from_records(tracker.records())
    pd.testing.assert_frame_equal(kept, found.assign(started_at=kept["started_at"]))
    for run in tracker.client.search_runs([tracker.experiment_id], "tags.kind = 'evaluate'"):
        assert run.data.params["pretrain_dataset"] == "fashion_mnist"
        assert not {"pretrain_steps", "pretrain_samples", "pretrain_flops"} & run.data.metrics.keys(), "nobody said"


class Pinned(Flat):
    """A module that cannot be pickled."""

    def __reduce__(self) -> Any:
        raise TypeError("pinned to its place")


@pytest.mark.parametrize("architecture", ["own", "conv"])
def test_a_module_becomes_a_model_that_its_evaluations_rank(architecture: str, digits: Dataset, tmp_path: Path) -> None:
    encoder = Flat() if architecture == "own" else build(pretrain_cell("random_init"), digits, CPU).encoder
    batch = modality_of(digits.input_spec).batch(digits.test_inputs[:3])
    expected = encoder.eval()(batch)
    found = on_test(score(encoder, name="mine", home=tmp_path))
    client = open_client(locate(tmp_path))
    experiment = client.get_experiment_by_name("mine")
    assert experiment is not None
    (model,) = client.search_logged_models([experiment.experiment_id])
    assert model.tags["encoder"] == architecture
    accuracies = sorted(metric.value for metric in model.metrics or [] if metric.key == "accuracy")
    assert accuracies == sorted(found["value"])
    loaded = mlflow.pytorch.load_model(model.artifact_location)
    torch.testing.assert_close(loaded(batch), expected)


@pytest.mark.parametrize(("encoder", "warns"), [(Pinned(), True), (lambda batch: batch.flatten(1), False)])
def test_what_cannot_be_kept_as_a_model_is_scored_all_the_same(encoder: Any, warns: bool, tmp_path: Path) -> None:
    told = pytest.warns(UserWarning, match="MLflow keeps no model of 'mine': pinned") if warns else nullcontext()
    with told:
        assert len(score(encoder, name="mine", home=tmp_path))
    client = open_client(locate(tmp_path))
    experiment = client.get_experiment_by_name("mine")
    assert experiment is not None
    assert not client.search_logged_models([experiment.experiment_id])


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"protocols": ("linear_prob",)}, "unknown protocol 'linear_prob'; choose one of"),
        ({"protocols": "knn"}, "protocols must be a list"),
        ({"seeds": ()}, "seeds must be a list of one or more"),
        ({"readings": ("pixels",)}, "unknown reading 'pixels'; choose one of latent, pooled, map"),
        ({"readings": ("map",)}, "no reading 'map', only latent"),
        ({"label_fractions": ()}, "label_fractions and labels_per_class are both empty"),
        ({"label_fractions": (1.5,)}, "label_fractions"),
        ({"labels_per_class": (10_000,)}, "10000 labels of 10 classes are more than the 1,297 of 'digits'"),
        ({"settings": {"knn": {"k": 0}}, "protocols": ("knn",)}, "protocol 'knn'"),
        ({"name": "a/b"}, "name"),
        ({"device": "gpu"}, "unknown device 'gpu'"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_run(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told.replace("(", r"\(")):
        score(Flat(), **asked)


@pytest.mark.parametrize(
    ("encoder", "told"),
    [
        (7, "an encoder is a function of a batch, or features"),
        (lambda batch: batch.sum(), r"answers \(\); features must be \(2, D\)"),
        (lambda batch: batch[:1].flatten(1), r"answers \(1, 784\)"),
        (lambda batch: batch.flatten(1) / 0, "not all finite"),
        (lambda batch: batch.nothing, "fails: AttributeError"),
        ((np.zeros((3, 2)), np.zeros((4, 2))), r"train features of 'digits' are \(3, 2\); they must be \(1297, D\)"),
        ((np.zeros((1297, 2)), np.zeros((500, 3))), "train features are 2 numbers of an input, test features 3"),
        ((np.zeros((1297, 2)),), "not as 1 arrays"),
        ((np.full((1297, 2), "a"), np.zeros((500, 2))), "no array of numbers"),
    ],
)
def test_what_is_no_encoder_is_told_so(encoder: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        score(encoder)


def test_fine_tuning_needs_something_to_train(digits: Dataset) -> None:
    with pytest.raises(InputError, match="nothing to train; give a torch module"):
        score(lambda batch: batch.flatten(1), protocols=("finetune",))
    features = torch.zeros(len(digits.train_inputs), 2), torch.zeros(len(digits.test_inputs), 2)
    with pytest.raises(InputError, match="only features are given; give a module"):
        score(features, protocols=("finetune",))
