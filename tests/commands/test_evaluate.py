"""`sslbench evaluate`: encoders of one's own from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.torch import save_file
from typer.testing import CliRunner, Result

from sslbench.commands.app import app
from sslbench.datasets._base import Dataset
from sslbench.engine.pretrain import build
from sslbench.report.records import read_records
from tests.conftest import CPU, pretrain_cell

MODEL = """
import torch

def make_encoder():
    return lambda batch: batch.flatten(1)

def make_fitted(inputs):
    assert inputs.dtype == torch.uint8 and len(inputs) == 1297
    return lambda batch: batch.flatten(1) - inputs.float().mean(dim=0).flatten() / 255

def make_nothing():
    raise OSError("no weights")

NUMBER = 7
"""

ASKED = ("evaluate", "digits", "--per-class", "2", "--seeds", "2", "--device", "cpu")


def invoke(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "120"}).invoke(app, list(arguments))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "my_model.py").write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_function_of_a_file_is_scored_and_put_beside_a_published_table(place: Path) -> None:
    told = invoke(*ASKED, "--encoder", "my_model.py:make_encoder", "--against", "digits", "--output", "mine.csv")
    assert told.exit_code == 0, told.output
    assert "test accuracy of own, %" in told.output
    assert "± 95% interval over 2 labelled subsets of the one encoder" in told.output
    assert "linear_probe beside digits, on the same labels" in told.output
    assert "supervised (finetune)" in told.output
    found = read_records(place / "mine.csv")
    assert set(found["num_labels"]) == {20}
    assert set(found["label_seed"]) == {0, 1}


def test_a_function_that_takes_one_argument_gets_the_unlabelled_inputs(place: Path) -> None:
    stated = ("--pretrain-dataset", "digits", "--pretrain-seconds", "0.1", "--pretrain-samples", "1297")
    told = invoke(*ASKED, "--encoder", "my_model.py:make_fitted", *stated, "--output", "mine.csv")
    assert told.exit_code == 0, told.output
    found = read_records(place / "mine.csv")
    assert set(found["pretrain_dataset"]) == {"digits"}
    assert set(found["pretrain_seconds"]) == {0.1}


def test_a_function_of_a_module_is_scored(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(place)
    told = invoke(*ASKED, "--encoder", "my_model:make_encoder")
    assert told.exit_code == 0, told.output
    assert "test accuracy of own, %" in told.output


def test_weights_are_scored_with_their_architecture(place: Path, digits: Dataset) -> None:
    weights = build(pretrain_cell("random_init", latent_dim=8), digits, CPU).encoder.state_dict()
    save_file({name: value.contiguous() for name, value in weights.items()}, "mine.safetensors")
    asked = ("--encoder", "mine.safetensors", "--latent-dim", "8", "--reading", "map", "--name", "mine")
    told = invoke(*ASKED, *asked, "--architecture", "conv")
    assert told.exit_code == 0, told.output
    assert "linear_probe, map" in told.output
    assert "holds weights alone" in invoke(*ASKED, *asked).output


@pytest.mark.parametrize(
    ("encoder", "told"),
    [
        ("other.py:make_encoder", "there is no file other.py"),
        ("my_model.py:make", "has no function 'make'"),
        ("my_model.py:NUMBER", "has no function 'NUMBER'"),
        ("my_model.py:make_nothing", "make_nothing() fails: OSError: no weights"),
        ("no_such_module_here:make", "is no .py file, nor a module"),
        ("nothing", "no records of 'nothing'"),
    ],
)
def test_what_is_no_encoder_is_told_in_one_line(place: Path, encoder: str, told: str) -> None:
    result = invoke(*ASKED, "--encoder", encoder)
    assert result.exit_code == 2
    assert told in result.output
    assert result.output.count("\n") == 1
