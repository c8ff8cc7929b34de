"""A whole small sweep over readings, few labels of every class, a length in steps, and the longer baselines."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import optuna
import pandas as pd
import pytest
import torch
from rich.console import Console
from typer.testing import CliRunner

from sslbench.commands.app import app
from sslbench.contract.titles import NOT_HELD_OUT
from sslbench.datasets._base import Dataset
from sslbench.engine.evaluate import extract
from sslbench.engine.pretrain import flops_of
from sslbench.publishing.publish import write_tables
from sslbench.report.records import from_records, read_records, write_records
from sslbench.report.tables.terminal import print_summary
from sslbench.stores.storage import open_storage
from sslbench.sweep import features as caches
from sslbench.sweep.asked import Request
from sslbench.sweep.features import FeatureCache, features_folder
from sslbench.sweep.request import Prepared, records_of
from sslbench.sweep.worker import Worker
from tests.conftest import CPU, request_for, work_off

SUITE_FILE = '''"""The digits, read at two places."""
from sslbench.contract.spec import Suite

SUITE = Suite(
    name="read", datasets=("digits",), encoders=("conv",), latent_dims=(8,), seeds=(0,), epochs=0.2,
    pretexts=("majority_class", "raw_pixels", "random_init", "supervised_quarter", "supervised_half", "supervised",
        "supervised_double", "supervised_compute", "rotation"),
    label_fractions=(0.005, 0.05), labels_per_class=(2,), protocols=("linear_probe", "knn"), readings=("latent", "map"),
    primary="linear_probe, map", compute_of="rotation", checkpoints=(0.2,),
    settings={"finetune": {"min_steps": 8, "max_steps": 8}, "rotation": {"optimizer.batch_size": 64}},
)
'''

BUDGETS = 3
READ = {("linear_probe", "latent"), ("linear_probe", "map"), ("knn", "latent"), ("knn", "map")}


class Swept(NamedTuple):
    """A finished sweep."""

    request: Request
    prepared: Prepared
    worker: Worker
    records: pd.DataFrame


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    """The suite above, run by one worker in this process."""
    folder = tmp_path_factory.mktemp("read")
    request = request_for(folder, "read", SUITE_FILE)
    prepared, worker = work_off(request)
    return Swept(request, prepared, worker, from_records(records_of(request, prepared)))


def scores_of(swept: Swept) -> pd.DataFrame:
    return swept.records[(swept.records["metric"] == "accuracy") & (swept.records["split"] == "test")]


def test_frozen_protocols_are_run_at_every_reading_and_pixels_at_the_one_they_have(swept: Swept) -> None:
    found = scores_of(swept).groupby("pretext")[["protocol", "reading"]].agg(list)
    pairs = {name: list(zip(line["protocol"], line["reading"], strict=True)) for name, line in found.iterrows()}
    for pretext in ("random_init", "rotation"):
        assert {pair: pairs[pretext].count(pair) for pair in READ} == dict.fromkeys(READ, BUDGETS)
    assert set(pairs["raw_pixels"]) == {("linear_probe", "latent"), ("knn", "latent")}
    assert set(pairs["supervised_double"]) == {("finetune", "latent")}
    wide = scores_of(swept).set_index(["pretext", "protocol", "label_fraction", "seed", "reading"])["value"].unstack()
    assert (wide.loc["rotation"]["map"] != wide.loc["rotation"]["latent"]).any()


def test_records_say_budget_length_classes_and_versions(swept: Swept, digits: Dataset) -> None:
    records = scores_of(swept)
    assert set(records["num_classes"]) == {10}
    few = records[records["labels_per_class"] == 2]
    assert set(few["num_labels"]) == {20}
    assert set(few["label_fraction"]) == {20 / len(digits.train_labels)}
    assert set(records[records["labels_per_class"] == 0]["label_fraction"]) == {0.005, 0.05}
    trained = records[records["pretext"] == "rotation"]
    steps = round(0.2 * len(digits.unlabelled_inputs) / 64)
    assert set(trained["pretrain_steps"]) == {steps}
    assert set(trained["pretrain_samples"]) == {64 * steps}
    assert trained["pretrain_epochs"].to_numpy() == pytest.approx(64 * steps / len(digits.unlabelled_inputs))
    assert set(records[records["pretext"] == "random_init"]["pretrain_steps"]) == {0}
    versions = swept.records[swept.records["protocol"].isin(["knn", "linear_probe"])]
    assert set(zip(versions["protocol"], versions["protocol_version"], strict=True)) == {
        ("knn", 2),
        ("linear_probe", 1),
    }


def test_what_one_label_a_class_cannot_tell_is_missing_and_nowhere_zero(swept: Swept) -> None:
    records = swept.records
    one = records[(records["num_labels"] == 10) & records["protocol"].isin(["linear_probe", "knn"])]
    assert set(one["split"]) == {"test"}
    assert {"accuracy", "accuracy_after_0.2_epochs"} == set(one["metric"])
    assert (records[records["split"] == "budget"]["value"] > 0).all()
    two = records[(records["num_labels"] == 20) & records["protocol"].isin(["linear_probe", "knn"])]
    assert (two["split"] == "budget").sum() == (two["split"] == "test").sum() > 0


def test_optuna_shows_no_value_where_the_budget_tells_none(swept: Swept) -> None:
    storage = open_storage(swept.request.stores.storage)
    (name,) = [name for name in optuna.get_all_study_names(storage) if "/evaluate" in name]
    trials = optuna.load_study(study_name=name, storage=storage).trials
    assert len(trials) == len(swept.prepared.plan.evaluations)
    unheard = [
        t for t in trials if t.params["label_fraction"] == 0.005 and t.params["protocol"] in ("knn", "linear_probe")
    ]
    assert len(unheard) == 4 + 4 + 2  # two encoders by both protocols at both readings, pixels at one
    assert {(trial.state, trial.value) for trial in unheard} == {(optuna.trial.TrialState.PRUNED, None)}
    tuned = [trial for trial in trials if trial.params["protocol"] in NOT_HELD_OUT]
    assert {trial.value for trial in tuned} == {None}, "they hold no labels out"
    others = [trial for trial in trials if trial not in [*unheard, *tuned]]
    assert all(trial.state == optuna.trial.TrialState.COMPLETE and trial.value > 0 for trial in others)


def test_the_value_of_a_pretraining_is_the_share_of_its_latent_numbers_that_is_used(swept: Swept) -> None:
    storage = open_storage(swept.request.stores.storage)
    (name,) = [name for name in optuna.get_all_study_names(storage) if "/pretrain" in name]
    study = optuna.load_study(study_name=name, storage=storage)
    values = [trial.value for trial in study.trials if trial.value is not None]
    assert len(values) > 1
    assert all(0 < value <= 1 for value in values)
    assert study.metric_names == ["effective rank / latent size"]


def test_every_encoder_is_read_once_for_all_readings_and_workers_share_it(
    swept: Swept, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, stores = swept.prepared.plan, swept.request.stores
    folder = features_folder(stores, "read")
    frozen = [cell for cell in plan.pretrain if plan.readings(cell.cell_id)]
    assert len(list(folder.glob("*.safetensors"))) == len(frozen) == 4  # majority, pixels, random, rotation

    def refuse(*arguments: object) -> None:
        raise AssertionError("computed again")

    other = FeatureCache(folder, swept.worker.tracker, CPU)
    cells = {cell.reading: cell for cell in plan.evaluations if cell.pretrain.pretext == "rotation"}
    run_id = swept.worker.parents[cells["map"].pretrain.cell_id]
    with monkeypatch.context() as patched:
        patched.setattr(caches, "extract", refuse)
        encoder, read = other.load(cells["map"], digits, run_id, ("latent", "map"))
        _, latent = other.load(cells["latent"], digits, run_id, ("latent", "map"))
    fresh = extract(encoder, digits, CPU, ("latent", "map"))
    for features, expected in ((read, fresh["map"]), (latent, fresh["latent"])):
        assert features is not None
        torch.testing.assert_close(features.train, expected.train)
        torch.testing.assert_close(features.test, expected.test)
    assert (fresh["map"].train.shape[1], fresh["latent"].train.shape[1]) == (4 * 128, 8)


def test_a_reading_that_another_worker_did_not_need_is_computed(swept: Swept, digits: Dataset, tmp_path: Path) -> None:
    """A part of a suite may need fewer readings than the whole that shares its folder."""
    cells = {cell.reading: cell for cell in swept.prepared.plan.evaluations if cell.pretrain.pretext == "rotation"}
    run_id = swept.worker.parents[cells["map"].pretrain.cell_id]
    first = FeatureCache(tmp_path, swept.worker.tracker, CPU)
    first.load(cells["latent"], digits, run_id, ("latent",))
    for cache in (first, FeatureCache(tmp_path, swept.worker.tracker, CPU)):
        _, features = cache.load(cells["map"], digits, run_id, ("map",))
        assert features is not None
        assert features.test.shape == (500, 4 * 128)


def test_longer_baselines_take_their_multiples_of_the_steps_and_their_operations(swept: Swept, digits: Dataset) -> None:
    metrics = {
        (tags["pretext"], tags["seed"], tags["label_fraction"]): found for tags, found in logged(swept, "finetune")
    }
    (compute,) = {
        cell.compute_of
        for cell in swept.prepared.plan.evaluations
        if cell.pretrain.pretext == "supervised_compute" and cell.pretrain.seed == 0
    }
    assert compute is not None
    assert compute in swept.prepared.plan.pretrain, "what is matched is not what the suite runs"
    spent = flops_of(compute, digits, CPU)
    for fraction in ("0.005", "0.05"):
        steps = {
            name: metrics[f"supervised{name}", "0", fraction]["steps"] for name in ("_quarter", "_half", "", "_double")
        }
        assert steps == {"_quarter": 2, "_half": 4, "": 8, "_double": 16}
        usual, longer = (metrics[name, "0", fraction] for name in ("supervised", "supervised_compute"))
        one = (metrics["supervised_double", "0", fraction]["evaluate_flops"] - usual["evaluate_flops"]) / 8
        assert 0 <= longer["evaluate_flops"] - usual["evaluate_flops"] - spent < one
        assert longer["steps"] > 8


def logged(swept: Swept, protocol: str) -> list[tuple[dict[str, str], dict[str, float]]]:
    """Tags and metrics of every evaluation by a protocol, as MLflow has them."""
    tracker = swept.worker.tracker
    runs = tracker.client.search_runs([tracker.experiment_id], f"tags.protocol = '{protocol}'")
    return [(run.data.tags, run.data.metrics) for run in runs]


@pytest.fixture(scope="module")
def written(swept: Swept) -> Path:
    """The folder of its tables."""
    write_tables(swept.request, swept.prepared, records_of(swept.request, swept.prepared))
    return swept.request.stores.results / "read"


def test_tables_stand_by_reading_with_pixels_and_every_baseline_in_each(written: Path) -> None:
    text = (written / "table.md").read_text(encoding="utf-8")
    sections = {part.splitlines()[0]: part for part in text.split("\n## ") if ", latent size 8" in part.splitlines()[0]}
    named = ("linear_probe", "linear_probe, map", "knn", "knn, map")
    assert list(sections) == [f"{protocol}, latent size 8" for protocol in named]
    rows = {"majority_class", "raw_pixels", "random_init", "supervised", "supervised_double", "supervised_compute"}
    for section in sections.values():
        first = {line.split("|")[1].strip(" †§‡") for line in section.splitlines() if line.startswith("|")}
        assert rows | {"supervised_quarter", "supervised_half", "rotation"} <= first
        assert "0.5% (10, 1 a class)" in section
        assert "1.54% (20, 2 a class)" in section
    assert "nan" not in text.lower()
    assert (written / "report.html").stat().st_size > 10_000


def test_rows_of_an_older_version_of_a_plug_in_are_named(written: Path, tmp_path: Path) -> None:
    """Also when tables are made again of a published file, whose newest record says nothing of today's versions."""
    records = read_records(written / "records.csv")
    results = tmp_path / "results"
    (tmp_path / "read.py").write_text(SUITE_FILE)
    command = ["report", str(tmp_path / "read.py"), "--rebuild", "--results", str(results)]
    for version, said in ((2, False), (1, True)):
        (results / "read").mkdir(parents=True, exist_ok=True)
        knn = records["protocol"] == "knn"
        write_records(
            records.assign(protocol_version=records["protocol_version"].mask(knn, version)),
            results / "read" / "records.csv",
        )
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.output
        table, shown = (results / "read" / "table.md").read_text(encoding="utf-8"), " ".join(result.output.split())
        assert ("§ stale" in table) is said
        assert ("stale: " in shown) is said
        marked = {
            part.splitlines()[0] for part in table.split("\n## ") if "§ |" in part or "§** " in part or "§ (" in part
        }
        assert marked == ({"knn, latent size 8", "knn, map, latent size 8"} if said else set())
    named = shown.partition("stale: ")[2].partition(": ")[0]
    for row in ("raw_pixels knn", "random_init knn", "random_init knn, map", "rotation knn", "rotation knn, map"):
        assert row in named
    assert "linear_probe" not in named
    assert "supervised" not in named


def test_the_terminal_says_nothing_of_versions_it_was_not_told(written: Path) -> None:
    console = Console(record=True, width=120)
    print_summary(read_records(written / "records.csv"), console)
    assert "stale" not in console.export_text()
