"""Scores of others, run again: the same encoder and labels give the same scores, and anything else is found."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import sslbench as sb
from sslbench.api.submissions import cell_of
from sslbench.commands.app import app
from sslbench.contract.spec import InputError
from sslbench.publishing.community import read_community
from sslbench.report.records import read_records, write_records

ROOT = Path(__file__).parents[2]

ENCODER = '''
import torch


def make_encoder(inputs):
    """The pixels around their mean, scaled by how much they vary."""
    mean, spread = inputs.float().mean(dim=0) / 255, inputs.float().std(dim=0) / 255 + 1e-3
    return lambda batch: ((batch - mean) / spread).flatten(1)
'''
TOML = """title = "Scaled pixels"
author = "A"
licence = "MIT"
url = "https://example.org/x"
encoder = "scaled.py:make_encoder"
"""


def invoke(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*arguments, "--device", "cpu"])
    return result.exit_code, " ".join(result.output.split())


@pytest.fixture(scope="module")
def sent_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what `sslbench evaluate` wrote of an encoder, and whose it is."""
    folder = tmp_path_factory.mktemp("sent") / "community"
    folder.mkdir()
    (folder / "scaled.py").write_text(ENCODER)
    (folder / "scaled.toml").write_text(TOML)
    budgets = ("--per-class", "2", "--fraction", "0.1", "--protocol", "linear_probe", "--protocol", "knn")
    stated = ("--pretrain-dataset", "digits", "--pretrain-samples", "1297", "--pretrain-flops", "1e6")
    place = ("--encoder", f"{folder}/scaled.py:make_encoder", "--name", "scaled", "--output", f"{folder}/scaled.csv")
    code, told = invoke("evaluate", "digits", *place, *budgets, *stated, "--seeds", "2")
    assert code == 0, told
    return folder


@pytest.fixture
def records(sent_in: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sent_in, tmp_path / "community") / "scaled.csv"


def change(path: Path, row: int, **columns: Any) -> str:
    """Change one test accuracy in the file; returns the identity of its cell there."""
    found = read_records(path)
    chosen = found.index[found["split"] == "test"][row]
    for column, value in columns.items():
        found.loc[chosen, column] = value
    write_records(found, path)
    return str(found.loc[chosen, "cell_id"])


def test_what_was_sent_in_as_it_was_scored_lies_inside(records: Path) -> None:
    code, told = invoke("reproduce", str(records))
    assert code == 0, told
    assert "8 rows run again: 8 inside, 0 outside their interval" in told
    assert "2 a class knn, labels 1 of scaled d=784 s=0" in told


def test_the_labels_are_the_same_so_that_a_point_is_outside(records: Path) -> None:
    value = read_records(records).query("split == 'test'")["value"].iloc[3]
    change(records, 3, value=value + 0.01)
    code, told = invoke("reproduce", str(records))
    assert code == 1, told
    assert "7 inside, 1 outside" in told


def test_an_encoder_that_cannot_be_had_is_not_verifiable(records: Path) -> None:
    toml = records.with_suffix(".toml")
    toml.write_text(TOML.replace('encoder = "scaled.py:make_encoder"', ""))
    code, told = invoke("reproduce", str(records))
    assert code == 0, told
    assert f"not verifiable: {records}, for scaled.toml says no encoder" in told
    assert "0 rows run again" in told
    toml.write_text(TOML.replace("scaled.py:make_encoder", "large.safetensors") + 'architecture = "conv"\n')
    assert (
        "large.safetensors does not lie beside it; https://example.org/x may have it"
        in invoke("reproduce", str(records))[1]
    )


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"num_labels": 21}, "num_labels must be"),
        ({"label_fraction": 0.2}, "cell_id must be"),
        ({"cell_id": "0123456789abcdef"}, "cell_id must be"),
        ({"latent_dim": 783}, "cell_id must be"),
    ],
)
def test_what_was_scored_by_other_rules_is_refused_before_its_code_is_run(
    records: Path, columns: dict[str, Any], told: str
) -> None:
    records.with_name("scaled.py").write_text("raise SystemExit('code of others was run')\n")
    cell_id = change(records, 0, **columns)
    code, output = invoke("reproduce", str(records))
    assert code == 2
    named = re.search(rf"{re.escape(str(records))} line (\d+): {told}", output)
    assert named is not None, output
    assert {cell_id, "test"} <= {*records.read_text().splitlines()[int(named[1]) - 1].split(",")}


def test_another_encoder_than_the_one_that_was_scored_is_told(records: Path) -> None:
    records.with_name("scaled.py").write_text(ENCODER.replace("flatten(1)", "flatten(1)[:, :12]"))
    code, told = invoke("reproduce", str(records), "--sample", "1")
    assert code == 2
    assert "its encoder is own with 12 numbers, that of the records own with 784" in told


def test_what_older_plug_ins_computed_is_left_out(records: Path) -> None:
    found = read_records(records)
    write_records(found.assign(protocol_version=1), records)  # knn is at its second version
    code, told = invoke("reproduce", str(records), "--sample", "1")
    assert code == 0, told
    assert f"4 stale rows of {records} are left out" in told


def test_costs_are_what_their_author_says(sent_in: Path) -> None:
    found = read_records(sent_in / "scaled.csv")
    assert set(found["pretrain_dataset"]) == {"digits"}
    assert set(found["pretrain_samples"]) == {1297}
    assert set(found["pretrain_flops"]) == {1e6}
    assert found["pretrain_seconds"].isna().all()
    with pytest.raises(InputError, match="pretrain_flops must be greater than or equal to 0, not -1"):
        sb.evaluate(lambda batch: batch.flatten(1), "digits", pretrain_flops=-1.0)


def test_the_cells_of_what_is_published_are_those_of_today_or_are_stale() -> None:
    for one in read_community(ROOT / "results"):
        for line in one.records.to_dict("records"):
            assert cell_of(line).cell_id == line["cell_id"], f"{one.name}: {line['cell_id']}"
