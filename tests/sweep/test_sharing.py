"""Several runs of one suite at a time, on one machine and as if on several: each cell is done once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from sslbench.report.records import read_records
from tests.conftest import CIRCUMSTANCES, ONE_THREAD, SUITE_FILE, Swept, request_for, work_off


def start(
    suite_file: Path, place: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """A command on a suite whose stores are in a folder."""
    places = ("--home", str(place / "home"), "--data-root", str(place / "data"))
    command = [sys.executable, "-m", "sslbench", arguments[0], str(suite_file), *arguments[1:], *places]
    own = {**ONE_THREAD, **(environment or {})}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=own)


def ends(process: subprocess.Popen[str]) -> str:
    printed = process.communicate(timeout=300)[0]
    assert process.returncode == 0, printed
    return printed


def elsewhere(place: Path) -> dict[str, str]:
    """An environment in which Python believes to be on another machine."""
    folder = place / "elsewhere"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("import socket\nsocket.gethostname = lambda: 'elsewhere'\n")
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}


def runs(place: Path) -> pd.DataFrame:
    """Cell, status and owner of every run."""
    client = MlflowClient(f"sqlite:///{place / 'home' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id], max_results=1000)
    cells = [(one.info.status, one.data.tags) for one in found if "cell_id" in one.data.tags]
    about = [(tags["cell_id"], status, tags["owner"]) for status, tags in cells]
    return pd.DataFrame(about, columns=["cell_id", "status", "owner"])


def outcomes(place: Path) -> pd.DataFrame:
    return read_records(place / "home" / "results" / "small" / "records.csv").drop(columns=CIRCUMSTANCES)


def test_two_machines_share_a_suite_and_neither_closes_what_the_other_does(finished: Swept, tmp_path: Path) -> None:
    suite_file = finished.suite_file
    first = start(suite_file, tmp_path, "run", "--workers", "1")
    assert first.stdout is not None
    for line in first.stdout:
        if "pretrained" in line:
            break
    second = start(suite_file, tmp_path, "run", "--workers", "1", environment=elsewhere(tmp_path))
    ends(second)
    ends(first)
    done = runs(tmp_path)
    assert set(done["status"]) == {"FINISHED"}, "nothing was closed by the other"
    assert done["cell_id"].is_unique, "nothing was done twice"
    assert done["owner"].str.startswith("elsewhere:").nunique() == 2, "both worked"
    pd.testing.assert_frame_equal(outcomes(tmp_path), outcomes(finished.place))


def test_a_worker_that_is_killed_leaves_its_cell_to_the_next_and_one_that_drains_leaves_none(
    tiny: Swept, tmp_path: Path
) -> None:
    suite_file = tiny.suite_file
    for signal_, status in ((signal.SIGKILL, -9), (signal.SIGTERM, 0)):
        worker = start(suite_file, tmp_path, "worker")
        assert worker.stdout is not None
        for line in worker.stdout:
            if line.startswith("done:"):
                break
        worker.send_signal(signal_)
        rest = worker.communicate(timeout=120)[0]
        assert worker.returncode == status, rest
    assert "ended as asked" in rest
    assert set(runs(tmp_path)["status"]) <= {"FINISHED", "KILLED"}
    looked = ends(start(suite_file, tmp_path, "watch", "--once"))
    done = int(looked.split(": ")[1].split(" of ")[0])
    assert 0 < done < 18
    assert "waiting to be taken" in looked
    assert "nothing is left to take" in ends(start(suite_file, tmp_path, "worker"))
    finished = runs(tmp_path).query("status == 'FINISHED'")
    assert finished["cell_id"].is_unique
    assert len(finished) == 18
    assert "18 of 18 cells done" in ends(start(suite_file, tmp_path, "watch"))
    ends(start(suite_file, tmp_path, "run"))
    pd.testing.assert_frame_equal(outcomes(tmp_path), outcomes(tiny.place))


def test_an_encoder_that_was_lost_is_trained_again_for_what_is_still_missing(finished: Swept, tmp_path: Path) -> None:
    suite_file, quiet = finished.suite_file, outcomes(finished.place)
    part = ("--pretext", "autoencoder", "--seed", "0")
    ends(start(suite_file, tmp_path, "run", "--workers", "1", *part, "--fraction", "0.05"))
    (weights,) = (tmp_path / "home" / "artifacts" / "small").glob("*/artifacts/encoder.safetensors")
    weights.write_bytes(weights.read_bytes()[:-7])  # a full disk, say
    printed = ends(start(suite_file, tmp_path, "run", "--workers", "1", *part))
    assert "failed" not in printed
    client = MlflowClient(f"sqlite:///{tmp_path / 'home' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    where = "attributes.status = 'FINISHED' and tags.kind = 'evaluate'"
    accuracies = [one.data.metrics["accuracy"] for one in client.search_runs([experiment.experiment_id], where)]
    rows = quiet[(quiet["pretext"] == "autoencoder") & (quiet["seed"] == 0) & (quiet["split"] == "test")]
    assert sorted(accuracies) == sorted(rows["value"])


def test_a_plan_that_does_not_fit_into_the_queues_is_worked_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sslbench.stores.queue.WINDOW", 4)
    text = SUITE_FILE.replace('"raw_pixels", "random_init", "supervised", "autoencoder", "rotation"', '"random_init"')
    text = text.replace("(0, 1)", "(0, 1, 2, 3)").replace("epochs=1,", 'epochs=1, protocols=("knn",),')
    request = request_for(tmp_path, "small", text)
    prepared, worker = work_off(request)
    assert len(prepared.cells) == 8 + 2 * 8
    assert worker.tracker.finished().keys() == {cell_id for cell_id, _ in prepared.cells}
    Path(request.suite).write_text(text.replace("(0.05, 1.0)", "(0.05, 0.1, 0.2, 1.0)"))  # evaluations alone
    prepared, worker = work_off(request)
    assert worker.tracker.finished().keys() == {cell_id for cell_id, _ in prepared.cells}
