"""Several runs of one suite at a time, on one machine and as if on several: each cell is done once."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from sslbench.report.records import read_records
from tests.conftest import CIRCUMSTANCES, SUITE_FILE, Swept, request_for, work_off
from tests.forked import Forked, command


def start(suite_file: Path, place: Path, *arguments: str, before: Callable[[], None] | None = None) -> Forked:
    """A command on a suite whose stores are in a folder."""
    places = ("--home", str(place / "home"), "--data-root", str(place / "data"))
    on = () if arguments[0] == "watch" else ("--device", "cpu")
    return command(arguments[0], str(suite_file), *arguments[1:], *places, *on, before=before)


def elsewhere() -> None:
    """Believe to be on another machine."""
    socket.gethostname = lambda: "elsewhere"


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


def test_two_machines_share_a_suite_and_neither_closes_what_the_other_does(tiny: Swept, tmp_path: Path) -> None:
    suite_file = tiny.suite_file
    first = start(suite_file, tmp_path, "run", "--workers", "1")
    first.wait_for("pretrained")
    second = start(suite_file, tmp_path, "run", "--workers", "1", before=elsewhere)
    second.ends()
    first.ends()
    done = runs(tmp_path)
    assert set(done["status"]) == {"FINISHED"}, "nothing was closed by the other"
    assert done["cell_id"].is_unique, "nothing was done twice"
    assert done["owner"].str.startswith("elsewhere.").nunique() == 2, "both worked"
    pd.testing.assert_frame_equal(outcomes(tmp_path), outcomes(tiny.place))


def test_a_worker_that_is_killed_leaves_its_cell_to_the_next_and_one_that_drains_leaves_none(
    tiny: Swept, tmp_path: Path
) -> None:
    suite_file = tiny.suite_file
    for signal_, status in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 0)):
        worker = start(suite_file, tmp_path, "worker")
        worker.wait_for("done:")
        worker.signal(signal_)
        rest = worker.ends(status, timeout=120)
    assert "ended as asked" in rest
    assert set(runs(tmp_path)["status"]) <= {"FINISHED", "KILLED"}
    looked = start(suite_file, tmp_path, "watch", "--once").ends()
    done = int(looked.split(": ")[1].split(" of ")[0])
    assert 0 < done < 18
    assert "waiting to be taken" in looked
    assert "nothing is left to take" in start(suite_file, tmp_path, "worker").ends()
    finished = runs(tmp_path).query("status == 'FINISHED'")
    assert finished["cell_id"].is_unique
    assert len(finished) == 18
    assert "18 of 18 cells done" in start(suite_file, tmp_path, "watch").ends()
    start(suite_file, tmp_path, "run").ends()
    pd.testing.assert_frame_equal(outcomes(tmp_path), outcomes(tiny.place))


def test_an_encoder_that_was_lost_is_trained_again_for_what_is_still_missing(finished: Swept, tmp_path: Path) -> None:
    suite_file, quiet = finished.suite_file, outcomes(finished.place)
    part = ("--pretext", "autoencoder", "--seed", "0")
    start(suite_file, tmp_path, "run", "--workers", "1", *part, "--fraction", "0.05").ends()
    (weights,) = (tmp_path / "home" / "artifacts" / "small").glob("*/artifacts/encoder.safetensors")
    weights.write_bytes(weights.read_bytes()[:-7])  # a full disk, say
    printed = start(suite_file, tmp_path, "run", "--workers", "1", *part).ends()
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
