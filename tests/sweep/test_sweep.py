"""End to end on real digits: run, run again, be killed, go on."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from safetensors.numpy import load_file

from sslbench.datasets import load
from sslbench.engine.budget import draw_budget
from sslbench.publishing.reproduce import Reproduction, run_again
from sslbench.report.attachments.predictions import read_answers
from sslbench.report.records import read_records
from tests.conftest import CIRCUMSTANCES, CPU, Swept, in_place, run_to_the_end
from tests.forked import command


def outcomes(place: Path) -> pd.DataFrame:
    return read_records(place / "home" / "results" / "small" / "records.csv").drop(columns=CIRCUMSTANCES)


def test_every_cell_is_recorded_once(finished: Swept) -> None:
    records = outcomes(finished.place)
    scores = records[records["split"] == "test"]
    # Two seeds and two fractions of: majority 1, raw 2, random 2, supervised 1, two pretexts with three protocols.
    assert len(scores) == 2 * 2 * (1 + 2 + 2 + 1 + 3 + 3)
    assert scores["cell_id"].is_unique
    assert scores["value"].between(0, 1).all()


def test_the_run_ends_with_tables_and_files(finished: Swept) -> None:
    _, place, output = finished
    assert "linear_probe, latent size 8" in " ".join(output.split())
    names = {path.name for path in (place / "home" / "results" / "small").iterdir()}
    tables = {"records.csv", "table.md", "table.csv", "table.tex"}
    assert names == tables | {"curves.png", "report.html", "environment.json", "pictures", "right.npz"}


def test_a_pipe_is_told_of_every_pretraining_and_of_no_test_accuracy(finished: Swept) -> None:
    lines = finished.printed.splitlines()
    told = [line for line in lines if re.match(r"\[\d+/60\] pretrained ", line)]
    names = ("majority_class", "raw_pixels", "random_init", "supervised", "autoencoder", "rotation")
    assert {line.split()[2] for line in told} == set(names)
    assert len(told) == 12
    assert all(re.search(r"\(.* left\)$", line) for line in told)
    assert not any("linear_probe of" in line or "%" in line for line in told)


def test_published_rows_run_again_from_their_file_alone(finished: Swept) -> None:
    suite_file, place, _ = finished
    path = place / "home" / "results" / "small" / "records.csv"
    again = Reproduction(path, place / "data", ["seed=1,label_fraction=0.05"], suite=str(suite_file))
    checks = [check for _, together in run_again([again], CPU, 1) for check in together]
    assert len(checks) == 12
    assert [check.again for check in checks] == pytest.approx([check.row.value for check in checks], abs=0.004)


def test_running_again_does_nothing(finished: Swept) -> None:
    suite_file, place, _ = finished
    before = (place / "home" / "results" / "small" / "records.csv").read_bytes()
    output = run_to_the_end(suite_file, place)
    assert "everything is done: 48 evaluations" in " ".join(output.split())
    assert f"written: {place / 'home' / 'results' / 'small'}\n" in finished.printed
    assert (place / "home" / "results" / "small" / "records.csv").read_bytes() == before


def test_a_run_writes_nothing_outside_its_home_and_its_data(finished: Swept) -> None:
    assert {path.name for path in finished.place.iterdir()} <= {"small.py", "__pycache__", "home", "data"}


def test_a_run_ends_with_what_changed_since_its_tables_were_published(finished: Swept, tmp_path: Path) -> None:
    suite_file, place, output = finished
    assert "compared with" not in output
    home, results = ["--home", str(place / "home")], ["--results", str(tmp_path / "results")]
    command("publish", str(suite_file), *home, *results).ends()
    published = tmp_path / "results" / "small"
    assert (published / "table.md").read_bytes() == (place / "home" / "results" / "small" / "table.md").read_bytes()
    last = run_to_the_end(suite_file, place, *results).splitlines()[-1]
    assert last.startswith(f"compared with the published {published}: 24 cells in both, 0 changed, 0 outside;")


def test_mlflow_shows_parents_children_curves_weights_and_pictures(finished: Swept) -> None:
    client = MlflowClient(f"sqlite:///{finished.place / 'home' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    parent = client.search_runs([experiment.experiment_id], "attributes.run_name = 'autoencoder d=8 s=0'")[0]
    children = client.search_runs([experiment.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")
    assert {child.info.run_name for child in children} == {
        f"autoencoder d=8 s=0 · {fraction}% {protocol}"
        for fraction in (5, 100)
        for protocol in ("linear_probe", "knn", "finetune")
    }
    tuned = next(child for child in children if child.info.run_name.endswith("5% finetune"))
    axes = {"dataset": "digits", "pretext": "autoencoder", "encoder": "conv", "latent_dim": "8", "seed": "0"}
    axes |= {"protocol": "finetune", "reading": "latent", "label_fraction": "0.05", "num_labels": "65"}
    assert {name: tuned.data.params.get(name) for name in axes} == axes
    assert "budget_accuracy" not in tuned.data.metrics, "nothing is held out"
    assert 0 < tuned.data.metrics["train_accuracy"] <= 1
    note = experiment.tags["mlflow.note.content"]
    (report,) = client.search_runs([experiment.experiment_id], "tags.kind = 'report'")
    page = f"#/experiments/{experiment.experiment_id}/runs/{report.info.run_id}/artifacts/report.html"
    assert re.fullmatch(rf"`sslbench run .*`  \nA small sweep over the digits\.  \n\[.*\]\({page}\)", note)
    untrained = client.search_runs([experiment.experiment_id], "attributes.run_name = 'random_init d=8 s=0'")[0]
    assert "pretrain_flops" not in untrained.data.metrics, "nothing was trained, which its epochs say"
    assert untrained.data.metrics["pretrain_epochs"] == 0
    answered = "tags.kind = 'evaluate' and tags.pretext = 'majority_class'"
    for answer in client.search_runs([experiment.experiment_id], answered):
        assert "evaluate_flops" not in answer.data.metrics
        assert answer.data.metrics["accuracy"] < 0.2
    curve = client.get_metric_history(parent.info.run_id, "loss")
    assert len(curve) >= 10
    assert curve[-1].value < curve[0].value
    for metric in ("learning_rate", "inputs_per_second", "gradient_norm", "pretrain_seconds", "pretrain_flops"):
        assert parent.data.metrics[metric] > 0
    assert [item.dataset.name for item in parent.inputs.dataset_inputs] == ["digits"]
    pictures = {file.path for file in client.list_artifacts(parent.info.run_id, "pictures")}
    assert pictures == {f"pictures/{name}.png" for name in ("map", "neighbours", "reconstructions")}
    weights = load_file(client.download_artifacts(parent.info.run_id, "encoder.safetensors"))
    assert weights["project.weight"].shape == (8, 128)
    models = client.search_logged_models([experiment.experiment_id])
    kept = {model.name for model in models}
    assert "autoencoder d=8 s=0, conv on digits" in kept
    assert not any(name.startswith("supervised") for name in kept), "what it scores is a copy that was trained further"
    (model,) = (one for one in models if one.name == "autoencoder d=8 s=0, conv on digits")
    assert {metric.dataset_name for metric in model.metrics if metric.key == "accuracy"} == {
        f"digits, {fraction}% {protocol}" for fraction in (5, 100) for protocol in ("linear_probe", "knn", "finetune")
    }


def test_labelled_indices_are_logged_with_their_digest(finished: Swept, tmp_path: Path) -> None:
    client = MlflowClient(f"sqlite:///{finished.place / 'home' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    digits = load("digits", tmp_path)
    where = "tags.label_fraction = '0.05' and tags.seed = '1'"
    runs = client.search_runs([experiment.experiment_id], where)
    budget = draw_budget("digits", digits.train_labels, 0.05, 1)
    assert {run.data.tags["budget_digest"] for run in runs} == {budget.digest}
    stored = np.load(client.download_artifacts(runs[0].info.run_id, "labelled_indices.npz"))["indices"]
    assert stored.tolist() == budget.indices.tolist()


def test_every_evaluation_stores_its_answers_and_their_share_is_its_accuracy(finished: Swept, tmp_path: Path) -> None:
    folder = finished.place / "home" / "results" / "small"
    records = read_records(folder / "records.csv")
    scores = records[(records["metric"] == "accuracy") & (records["split"] == "test")]
    published = read_answers(folder)
    assert {cell_id: one.accuracy for cell_id, one in published.items()} == dict(
        zip(scores["cell_id"], scores["value"], strict=True)
    )
    client = MlflowClient(f"sqlite:///{finished.place / 'home' / 'mlflow.db'}")
    labels = load("digits", tmp_path).test_labels.numpy()
    for score in scores.sample(5, random_state=0).itertuples():
        answers = np.load(client.download_artifacts(str(score.run_id), "answers.npz"))["answers"]
        assert (answers == labels).tolist() == published[str(score.cell_id)].right.tolist()


def test_a_killed_sweep_goes_on_to_the_same_records(tiny: Swept, tmp_path: Path) -> None:
    suite_file = tiny.suite_file
    sweep = command(*in_place(suite_file, tmp_path), group=True)
    sweep.wait_for("pretrained", times=2)
    sweep.signal(signal.SIGKILL)  # parent and worker at once, in the middle of something
    sweep.ends(-signal.SIGKILL)
    assert not (tmp_path / "home" / "results").exists()
    output = run_to_the_end(suite_file, tmp_path)
    assert "everything is done" not in output
    pd.testing.assert_frame_equal(outcomes(tmp_path), outcomes(tiny.place))


def test_a_killed_worker_is_replaced_and_its_cell_done_again(tiny: Swept, tmp_path: Path) -> None:
    sweep = command(*in_place(tiny.suite_file, tmp_path, "--workers", "2"))
    sweep.wait_for("pretrained rotation")
    os.kill(_children(sweep.pid)[0], signal.SIGKILL)
    assert "died, exit code -9" in sweep.ends(1)
    pd.testing.assert_frame_equal(outcomes(tmp_path), outcomes(tiny.place))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_keep_what_is_finished(tiny: Swept, tmp_path: Path, number: signal.Signals) -> None:
    sweep = command(*in_place(tiny.suite_file, tmp_path, "--workers", "2"), group=True)
    sweep.wait_for("pretrained")
    os.kill(sweep.pid, number) if number == signal.SIGTERM else sweep.signal(number)
    assert "finished cells are kept" in " ".join(sweep.ends(130, timeout=60).split())
    client = MlflowClient(f"sqlite:///{tmp_path / 'home' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    statuses = {run.info.status for run in client.search_runs([experiment.experiment_id])}
    assert statuses <= {"FINISHED", "KILLED"}
    assert "FINISHED" in statuses


def test_two_suites_run_side_by_side_in_one_store(finished: Swept, tmp_path: Path) -> None:
    part = finished.suite_file.read_text().replace("seeds=(0, 1)", "seeds=(1,)").replace("(0.05, 1.0)", "(0.05,)")
    part = re.sub(r"pretexts=.*", 'pretexts=("autoencoder",),', part)
    running = {}
    for name in ("left", "right"):
        suite_file = tmp_path / f"{name}.py"
        suite_file.write_text(part.replace('name="small"', f'name="{name}"'))
        running[name] = command(*in_place(suite_file, tmp_path))
    for sweep in running.values():
        sweep.ends()
    left, right = (read_records(tmp_path / "home" / "results" / name / "records.csv") for name in running)
    pd.testing.assert_frame_equal(*(each.drop(columns=[*CIRCUMSTANCES, "suite"]) for each in (left, right)))
    # Same cells as in the whole suite; their values were computed with another number of threads.
    expected = outcomes(finished.place).query("pretext == 'autoencoder' and seed == 1 and label_fraction != 1")
    assert left["cell_id"].tolist() == expected["cell_id"].tolist()


def _children(pid: int) -> list[int]:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if listed:
            return [int(child) for child in listed]
    raise AssertionError(f"process {pid} has no children")
