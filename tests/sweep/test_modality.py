"""Nothing in engine, protocols, sweep and report knows what an input is: a foreign modality runs through all of it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient
from PIL import Image

from sslbench.report.records import read_records
from tests.conftest import run_to_the_end

SUITE_FILE = Path(__file__).parents[1] / "modalities" / "vectors.py"
FIT = ("random_init", "supervised", "reversal", "simclr", "vicreg")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The suite of the toy modality run to its end: where, and what was printed."""
    place = tmp_path_factory.mktemp("vectors")
    return place, " ".join(run_to_the_end(SUITE_FILE, place).split())


@pytest.fixture(scope="module")
def records(finished: tuple[Path, str]) -> pd.DataFrame:
    found = read_records(finished[0] / "home" / "results" / "vectors" / "records.csv")
    return found[found["split"] == "test"]


def test_every_row_that_fits_is_recorded(records: pd.DataFrame) -> None:
    assert set(records["modality"]) == {"vector"}
    rows = set(zip(records["encoder"], records["pretext"], strict=True))
    assert rows == {("narrow", pretext) for pretext in FIT} | {("raw", "raw_pixels"), ("raw", "majority_class")}


def test_raw_pixels_are_the_numbers_themselves(records: pd.DataFrame) -> None:
    raw = records[records["pretext"] == "raw_pixels"]
    assert set(raw["latent_dim"]) == {10}
    assert raw[raw["protocol"] == "linear_probe"]["value"].item() > 0.9


def test_what_is_learned_beats_the_majority_class(records: pd.DataFrame) -> None:
    scores = records.groupby(["pretext", "protocol"])["value"].min()
    for pretext in ("reversal", "simclr", "vicreg"):
        for protocol in ("linear_probe", "knn", "finetune"):
            assert scores[pretext, protocol] > 0.6, (pretext, protocol)


def test_what_is_for_images_alone_is_left_out_with_the_reason(finished: tuple[Path, str]) -> None:
    output = finished[1]
    assert "needs inputs of modality 'image', not 'vector'" in output
    assert "encoder 'conv' takes inputs of modality 'image', not 'vector'" in output


def test_tables_curves_page_and_pictures_are_written(finished: tuple[Path, str]) -> None:
    folder = finished[0] / "home" / "results" / "vectors"
    assert {"records.csv", "table.md", "report.html", "curves.png"} <= {path.name for path in folder.iterdir()}
    assert "reversal" in (folder / "table.md").read_text()
    client = MlflowClient(f"sqlite:///{finished[0] / 'home' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("vectors")
    assert experiment is not None
    parent = client.search_runs([experiment.experiment_id], "attributes.run_name = 'reversal d=8 s=0 · narrow'")[0]
    names = {file.path for file in client.list_artifacts(parent.info.run_id, "pictures")}
    assert names == {f"pictures/{name}.png" for name in ("map", "neighbours", "reversed")}
    with Image.open(client.download_artifacts(parent.info.run_id, "pictures/reversed.png")) as drawn:
        drawn.load()
