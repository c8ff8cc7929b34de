"""A suite run from Python, and what it trained loaded and scored again."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from safetensors.torch import load as parse_weights
from safetensors.torch import save_file

import sslbench as sb
from sslbench.api import sweeps
from sslbench.contract.spec import InputError
from sslbench.encoders import ENCODERS
from sslbench.publishing.publish import publish
from sslbench.report.records import read_records
from sslbench.stores.addresses import locate
from sslbench.sweep.asked import Selection
from tests.conftest import request_for, work_off
from tests.forked import Forked

SUITE_FILE = '''"""The digits."""
from sslbench.contract.spec import Suite

SUITE = Suite(
    name="told", datasets=("digits",), encoders=("conv",), latent_dims=(8,), seeds=(0, 1), epochs=0.2,
    pretexts=("random_init", "supervised", "rotation", "vae"), label_fractions=(0.05,), protocols=("linear_probe",),
    readings=("latent", "map"), settings={"finetune": {"min_steps": 4, "max_steps": 4}},
)
'''


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the suite, its home, and its tables published with encoders."""
    folder = tmp_path_factory.mktemp("told")
    (folder / "told.py").write_text(SUITE_FILE)

    def run() -> None:
        found = sb.run(folder / "told.py", home=folder / "home", data_root=folder / "data", device="cpu", workers=1)
        publish("told", locate(folder / "home"), folder / "results", encoders=True)
        found.to_pickle(folder / "found.pickle")

    Forked(run).ends()
    return folder


def test_a_run_returns_what_its_tables_are_made_of(place: Path) -> None:
    ran = pd.read_pickle(place / "found.pickle")
    pd.testing.assert_frame_equal(ran, sb.records("told", home=place / "home"))
    pd.testing.assert_frame_equal(ran, sb.records(place / "results" / "told"))
    assert len(ran) == 2 * (2 + 1 + 2 + 2)
    again = sb.run(
        place / "told.py", pretexts=("rotation",), home=place / "home", data_root=place / "data", device="cpu"
    )
    pd.testing.assert_frame_equal(again, ran[ran["pretext"] == "rotation"].reset_index(drop=True))


def test_a_run_with_nothing_to_do_reads_its_tables(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"home": place / "home", "data_root": place / "data", "device": "cpu"}
    kept = sb.records("told", long=True, home=place / "home")
    monkeypatch.setattr(sweeps, "kept_suite", lambda request: kept)
    monkeypatch.setattr(sweeps, "prepare_request", lambda request: pytest.fail("data was loaded"))
    pd.testing.assert_frame_equal(sb.run(place / "told.py", **asked), pd.read_pickle(place / "found.pickle"))


def test_a_run_warns_of_what_the_suite_itself_does_not_have(place: Path, tmp_path: Path) -> None:
    asked = {"pretexts": ("random_init",), "seeds": (2,), "device": "cpu", "workers": 1}
    with pytest.warns(UserWarning, match=r"not in suite 'told' itself, so not in its tables: seed 2"):
        found = sb.run(place / "told.py", home=tmp_path, data_root=place / "data", **asked)
    assert set(found["seed"]) == {2}


@pytest.mark.parametrize("reading", ["latent", "map"])
def test_a_loaded_encoder_scores_as_it_did(place: Path, reading: str) -> None:
    encoder = sb.load_encoder(place / "results" / "told", pretext="rotation", data_root=place / "data")
    assert not encoder.training
    asked = {"label_fractions": (0.05,), "readings": (reading,), "seeds": (0,), "data_root": place / "data"}
    again = sb.evaluate(encoder, "digits", device="cpu", **asked)
    ran = sb.records(place / "results" / "told")
    row = ran[(ran["pretext"] == "rotation") & (ran["seed"] == 0) & (ran["reading"] == reading)]
    assert again[again["split"] == "test"]["value"].tolist() == row["accuracy"].tolist()
    beside = sb.compare_with_published(again, place / "results" / "told").set_index(["pretext", "protocol"])
    protocol = "linear_probe" if reading == "latent" else "linear_probe, map"
    assert beside.loc[("rotation", protocol), "difference"] == 0


def test_an_encoder_is_loaded_by_the_name_of_its_table(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    asked = {"pretext": "rotation", "data_root": place / "data"}
    named, found = sb.load_encoder("told", **asked), sb.load_encoder(place / "results" / "told", **asked)
    batch = torch.rand(3, 1, 8, 8)
    torch.testing.assert_close(named(batch), found(batch), rtol=0, atol=0)


def test_an_encoder_is_loaded_from_its_run_and_from_a_file_of_weights(place: Path) -> None:
    shipped = sb.load_encoder(place / "results" / "told", pretext="vae", data_root=place / "data")
    long = sb.records("told", long=True, home=place / "home")
    trained = long[(long["pretext"] == "vae") & (long["seed"] == 0) & (long["split"] == "unlabelled")]
    of_run = sb.load_encoder(trained["run_id"].iloc[0], home=place / "home", data_root=place / "data")
    path = place / "mine.safetensors"
    save_file(shipped.state_dict(), path)
    asked = {"architecture": "conv", "latent_dim": 8, "dataset": "digits", "data_root": place / "data"}
    of_file = sb.load_encoder(path, **asked)
    batch = torch.rand(3, 1, 28, 28)
    assert torch.equal(shipped(batch), of_run(batch))
    assert torch.equal(shipped(batch), of_file(batch))
    with pytest.raises(InputError, match="do not fit conv with latent size 9"):
        sb.load_encoder(path, **{**asked, "latent_dim": 9})


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("nothing.safetensors", "there is no file nothing.safetensors"),
        ("0" * 32, "has no encoder"),
        ("quick", "ships encoders of pretexts .none.; choose"),
        ("fashion_mnist", r"autoencoder \(conv on fashion_mnist\); .*; choose one of them, not none named"),
    ],
)
def test_an_encoder_that_is_not_there_is_told_with_what_is(place: Path, source: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        sb.load_encoder(source, home=place / "home")


def test_every_encoder_that_ships_fits_the_row_it_is_of() -> None:
    results = Path(__file__).parents[2] / "results"
    files = sorted(results.glob("*/encoders/*.safetensors"))
    assert len(files) > 5
    shapes = {"fashion_mnist": (1, 28, 28), "cifar10_jpeg": (3, 32, 32)}
    for file in files:
        records = read_records(file.parents[1] / "records.csv")
        row = records[records["cell_id"] == file.stem].iloc[0]
        spec = dataclasses.replace(sb.load_dataset("digits").input_spec, shape=shapes[row["dataset"]])
        encoder = ENCODERS.get(row["encoder"])(spec, int(row["latent_dim"]))
        encoder.load_state_dict(parse_weights(file.read_bytes()))


def photographs(place: Path) -> str:
    """Forty images of nothing, as a dataset of one's own."""
    for number, picture in enumerate(np.random.default_rng(0).integers(0, 255, (40, 28, 28), dtype=np.uint8)):
        path = place / "photos" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
    return f"folder:{place / 'photos'}"


def test_an_encoder_trained_on_files_of_ones_own_is_loaded_for_them(tmp_path: Path) -> None:
    photos = photographs(tmp_path)
    request = request_for(tmp_path, "own", SUITE_FILE.replace("told", "own").replace("digits", photos))
    request = dataclasses.replace(request, selection=Selection(pretexts=("rotation",), seeds=(0,)))
    _, worker = work_off(request)
    (run,) = worker.tracker.client.search_runs([worker.tracker.experiment_id], "tags.kind = 'pretrain'")
    asked = {"home": tmp_path / "home", "data_root": tmp_path / "data"}
    with pytest.raises(InputError, match=r"was trained on folder:photos@\w+: say dataset"):
        sb.load_encoder(run.info.run_id, **asked)
    encoder = sb.load_encoder(run.info.run_id, dataset=photos, **asked)
    assert encoder(torch.rand(2, *encoder.input_spec.shape)).shape == (2, 8)
    with pytest.warns(UserWarning, match=r"has 8 test inputs: an accuracy of 80% is known to ±28 points at best"):
        sb.evaluate(encoder, photos, label_fractions=(1.0,), seeds=(0,), device="cpu")


def test_few_files_of_ones_own_are_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sslbench.api.sweeps._with_a_bar", lambda *_: [])
    request = request_for(tmp_path, "own", SUITE_FILE.replace("told", "own").replace("digits", photographs(tmp_path)))
    with pytest.warns(UserWarning, match=r"has 8 test inputs"):
        sb.run(request.suite, home=tmp_path / "home", data_root=tmp_path / "data", device="cpu")


def test_lists_name_what_there_is() -> None:
    assert sb.list_pretexts()["simclr"].startswith("Contrast two random views")
    assert {"digits", "ucr:NAME", "folder:PATH"} <= set(sb.list_datasets())
    assert sb.load_dataset("digits").sizes["test"] == 500


def test_importing_the_interface_loads_nothing_heavy() -> None:
    program = (
        "import sys, sslbench as sb\n"
        "assert 'evaluate' in dir(sb) and not {'torch', 'mlflow', 'pandas'} & set(sys.modules)\n"
        "try:\n    sb.nothing\nexcept AttributeError as error:\n    print(error)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "module 'sslbench' has no attribute 'nothing'"
