"""Published rows run again: inside their interval as they are, outside once a value was changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

from sslbench.commands.app import app
from sslbench.contract.cells import EvaluateCell, PretrainCell
from sslbench.contract.record import Record
from sslbench.contract.spec import InputError
from sslbench.datasets._base import Dataset
from sslbench.engine.evaluate import evaluate, extract
from sslbench.engine.pretrain import Pretraining
from sslbench.publishing.reproduce import Check, Published, Reproduction, choose
from sslbench.report.attachments import Answered
from sslbench.report.attachments.predictions import write_answers
from sslbench.report.records import from_records, read_records, write_records
from sslbench.sweep import suites
from sslbench.sweep.cells import Source
from sslbench.sweep.plan import make_plan
from tests.conftest import CPU, evaluate_cell, pretrain_cell
from tests.made_up import probes, supervised
from tests.report.test_report import record as made_up

SUITE_FILE = '''"""One pretext on the digits."""
from sslbench.contract.spec import Suite

SUITE = Suite(
    name="published",
    datasets=("digits",),
    encoders=("conv",),
    pretexts=("rotation",),
    latent_dims=(8,),
    seeds=(0, 1),
    epochs=0.5,
    label_fractions=(0.1,),
    protocols=("linear_probe", "knn"),
)
'''


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, digits: Dataset) -> Path:
    """A folder with a suite in benchmarks/ and its results, as a fresh checkout has them."""
    folder = tmp_path_factory.mktemp("published")
    suite_file = folder / "benchmarks" / "published.py"
    suite_file.parent.mkdir()
    suite_file.write_text(SUITE_FILE)
    plan = make_plan(suites.load(str(suite_file)), {"digits": Source.of("digits", digits)})
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as workers have: sums split among several round otherwise
    found = [made for cell in plan.pretrain for made in run(cell, plan.evaluate[cell.cell_id], digits)]
    torch.set_num_threads(threads)
    write_records([record for record, _ in found], folder / "results" / "published" / "records.csv")
    answers = {record.cell_id: stored for record, stored in found if record.protocol == "knn"}
    write_answers(answers, folder / "results" / "published")
    return folder


def run(cell: PretrainCell, evaluations: Sequence[EvaluateCell], digits: Dataset) -> Iterator[tuple[Record, Answered]]:
    """Pretrain and evaluate, as the sweep does, and record what came out and which answers were right."""
    training = Pretraining(cell, digits, CPU)
    assert list(training.reports())
    encoder = training.pretext.encoder
    features = extract(encoder, digits, CPU)["latent"]
    for one in evaluations:
        outcome = evaluate(one, digits, encoder, features, CPU)
        made = made_up(cell.pretext, one.protocol, one.label_fraction, cell.seed, outcome.accuracy, cell.latent_dim)
        answers = Answered("digits", len(outcome.right), np.packbits(outcome.right.numpy()).tobytes())
        yield dataclasses.replace(made, suite="published", cell_id=one.cell_id), answers


@pytest.fixture
def published(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(place)
    return place / "results" / "published" / "records.csv"


def reproduce(records: Path, *arguments: str) -> tuple[int, str]:
    fixed = ["reproduce", str(records), "--data-root", "data", "--workers", "1"]
    result = CliRunner().invoke(app, [*fixed, *arguments])
    return result.exit_code, " ".join(result.output.split())


def test_published_rows_lie_inside_their_interval(published: Path) -> None:
    code, output = reproduce(published)
    assert "4 rows run again: 4 inside, 0 outside their interval" in output
    assert output.count("500 of 500 answers agree") == 2  # of the two evaluations whose answers are published
    assert code == 0


def test_a_value_changed_beyond_its_interval_is_found_with_exit_code_1(published: Path, tmp_path: Path) -> None:
    records = read_records(published)
    chosen = choose(records, ["pretext=rotation,protocol=knn,seed=1"], published).index[0]
    records.loc[chosen, "value"] += 0.5
    copy = write_records(records, tmp_path / "records.csv")
    code, output = reproduce(copy, "--rows", "pretext=rotation,protocol=knn")
    assert code == 1
    assert output.count("inside row") == 1
    assert output.count("OUTSIDE row") == 1
    assert f"OUTSIDE row {chosen + 1} of {copy}, 10% knn of rotation d=8 s=1" in output


def test_rows_are_chosen_by_number_and_a_sample_is_always_the_same(published: Path) -> None:
    scores = choose(read_records(published), [], published)
    number = int(scores.index[0]) + 1
    assert [row.number for row in reproduction(published, [str(number)]).rows] == [number]
    first, second = (reproduction(published, [], sample=3).rows for _ in range(2))
    assert [row.title for row in first] == [row.title for row in second]
    assert len(first) == 3


def test_several_files_are_run_again_by_several_processes(published: Path, tmp_path: Path) -> None:
    records = read_records(published)
    changed = choose(records, ["protocol=knn,seed=1"], published).index[0]
    records.loc[changed, "value"] += 0.5
    other = write_records(records, tmp_path / "records.csv")
    suite = str(Path("benchmarks", "published.py").resolve())
    code, output = reproduce(published, str(other), "--suite", suite, "--workers", "2")
    assert code == 1, output
    assert "8 rows run again: 7 inside, 1 outside their interval" in output
    assert output.count("500 of 500 answers agree") == 2  # to the bit, from whatever process
    assert f"OUTSIDE row {changed + 1} of {other}, 10% knn of rotation d=8 s=1" in output


def test_a_wrong_number_of_processes_is_named(published: Path) -> None:
    code, output = reproduce(published, "--workers", "none")
    assert code == 2
    assert "--workers 'none' is neither a number of processes (1 to 9999) nor 'auto'" in output


def reproduction(path: Path, rows: list[str], sample: int | None = None) -> Reproduction:
    return Reproduction(path, Path("data"), rows, sample)


def test_stale_rows_are_left_out_unless_they_are_asked_for(published: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.py"
    changed.write_text(SUITE_FILE.replace("SUITE = Suite(", 'SUITE = Suite(settings={"knn": {"neighbours": 5}},'))
    code, output = reproduce(published, "--suite", str(changed))
    assert code == 0
    assert f"2 stale rows of {published} are left out" in output
    assert "2 rows run again: 2 inside" in output
    assert reproduce(published, "--suite", str(changed), "--rows", "protocol=knn")[0] == 2


def test_a_suite_that_no_longer_defines_a_cell_is_named(published: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.py"
    changed.write_text(SUITE_FILE.replace("epochs=0.5", "epochs=1"))
    code, output = reproduce(published, "--suite", str(changed), "--rows", "pretext=rotation")
    assert code == 2
    assert "no longer defines cell" in output


@pytest.fixture
def records() -> pd.DataFrame:
    return from_records(probes("simclr", 0.8, 0.82) + probes("simclr", 0.9, fraction=0.1) + supervised(0.7))


@pytest.mark.parametrize(
    ("rows", "values"),
    [
        ([], [0.7, 0.8, 0.82, 0.9]),
        (["pretext=simclr"], [0.8, 0.82, 0.9]),
        (["pretext=simclr,label_fraction=0.01"], [0.8, 0.82]),
        (["pretext=simclr, seed=1"], [0.82]),
        (["1-2"], [0.7, 0.8]),
        (["1,3-4"], [0.7, 0.82, 0.9]),
        (["4", "pretext=supervised"], [0.7, 0.9]),
    ],
)
def test_rows_may_be_numbers_or_conditions(records: pd.DataFrame, rows: list[str], values: list[float]) -> None:
    assert choose(records, rows, Path("r.csv"))["value"].tolist() == values


def test_rows_are_chosen_by_protocol_and_reading_as_the_file_says_them() -> None:
    read = [dataclasses.replace(one, reading="map", cell_id="map") for one in probes("simclr", 0.9)]
    records = from_records(probes("simclr", 0.8) + read)
    for rows, values in ((["protocol=linear_probe,reading=map"], [0.9]), (["protocol=linear_probe"], [0.8, 0.9])):
        assert choose(records, rows, Path("r.csv"))["value"].tolist() == values


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("pretxt=simclr", "unknown column 'pretxt'; choose one of suite, cell_id"),
        ("seed=first", "seed must be int, not 'first'"),
        ("pretext=byol", "'pretext=byol' names no test accuracy of r.csv"),
        ("simclr", "is neither numbers such as 3-8,12 nor conditions"),
        ("0", "there are records 1 to 4"),
        ("3-9", "there are records 1 to 4"),
        ("4-2", "there are records 1 to 4"),
    ],
)
def test_rows_that_are_not_there_are_named(records: pd.DataFrame, rows: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        choose(records, [rows], Path("r.csv"))


def check(value: float, again: float, *others: float) -> Check:
    return Check(Published(1, value, others, evaluate_cell(pretrain_cell("rotation"), 0.1, "knn")), again)


def test_the_interval_is_that_of_the_difference_of_two_runs_of_the_cell() -> None:
    found = check(0.80, 0.80, 0.82, 0.84)
    assert found.half_width == pytest.approx(4.302653 * 0.02 * 2**0.5, rel=1e-6)  # t of two degrees of freedom
    assert found.inside


def test_a_wrong_value_does_not_widen_its_own_interval() -> None:
    tampered = check(0.95, 0.80, 0.81, 0.82)
    assert tampered.half_width == pytest.approx(4.302653 * 0.01 * 2**0.5, rel=1e-6)
    assert not tampered.inside
    drifted = check(0.80, 0.65, 0.81, 0.82)
    assert not drifted.inside


def test_the_interval_covers_new_runs_at_its_nominal_rate() -> None:
    draws = np.random.default_rng(0).normal(0.8, 0.02, size=(4000, 4))
    inside = np.mean([check(first, again, *others).inside for first, again, *others in draws])
    assert 0.90 < inside < 0.96  # a little under 95%: of two spreads the smaller counts


def test_seeds_that_agree_to_the_last_digit_leave_half_a_point() -> None:
    assert check(0.8, 0.8049, 0.8, 0.8).inside
    assert not check(0.8, 0.8051, 0.8, 0.8).inside
    assert check(0.8, 0.8049).half_width == 0.005
