"""Scores of others: what is sent in is held to its rules before anything of it is shown or run."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sslbench.commands.app import app
from sslbench.contract.spec import InputError
from sslbench.publishing.community import is_submission, read_community, read_submission
from sslbench.report.records import write_records
from tests.conftest import GOLDEN
from tests.made_up import probes

ROOT = Path(__file__).parents[2]
TOML = """title = "Ours: it (really) works"
author = "Ada Lovelace & José"
licence = "MIT"
url = "https://example.org/ours"
encoder = "ours.py:make"
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A submission of two rows, as `sslbench evaluate` writes it; returns its records."""
    rows = [replace(one, suite="ours", seed=0, label_seed=one.seed) for one in probes("ours", 0.8, 0.82)]
    path = write_records(rows, tmp_path / "community" / "ours.csv")
    path.with_suffix(".toml").write_text(TOML, encoding="utf-8")
    path.with_suffix(".py").write_text("def make():\n    return lambda batch: batch.flatten(1)\n")
    return path


def test_what_keeps_the_rules_is_read(place: Path) -> None:
    (found,) = read_community(place.parent.parent)
    assert found.author == "Ada Lovelace & José"
    assert found.records["value"].tolist() == [0.8, 0.82]
    assert found.standing == "can be run again"
    place.with_suffix(".toml").write_text(TOML.replace('encoder = "ours.py:make"\n', ""), encoding="utf-8")
    assert read_submission(place).standing == "not verifiable"


def test_a_file_is_somebodys_where_it_lies_or_by_what_lies_beside_it(place: Path, tmp_path: Path) -> None:
    assert is_submission(place)
    assert not is_submission(write_records(probes("simclr", 0.8), tmp_path / "quick" / "records.csv"))


def test_a_damaged_file_is_passed_over_with_a_line_that_names_it(place: Path) -> None:
    results = place.parent.parent
    (place.parent / "theirs.csv").write_bytes(b"suite,cell_id\xff\n\x00")
    told: list[str] = []
    (found,) = read_community(results, told.append)
    assert found.name == "ours"
    (line,) = told
    assert line.startswith(f"scores of others passed over: cannot read records from {place.parent / 'theirs.csv'}: ")
    with pytest.raises(InputError, match=r"theirs\.csv"):
        read_community(results)


def test_what_one_damaged_file_stops_is_what_was_asked_of_it(place: Path, tmp_path: Path) -> None:
    results = place.parent.parent
    damaged = place.rename(place.with_name("theirs.csv"))
    quick = results / "quick"
    quick.mkdir()
    shutil.copy(GOLDEN / "quick.csv", quick / "records.csv")
    written = CliRunner().invoke(app, ["report", "quick", "--rebuild", "--results", str(results)])
    assert written.exit_code == 0, written.output
    (line,) = (line for line in written.output.splitlines() if "warning:" in line)
    assert line == f"warning: scores of others passed over: {damaged} line 2: suite must be theirs"
    assert (quick / "table.md").is_file()
    page = tmp_path / "leaderboard.html"
    for command in (["reproduce", str(damaged)], ["leaderboard", "--results", str(results), "--output", str(page)]):
        told = CliRunner().invoke(app, command)
        assert (told.exit_code, told.output.strip()) == (2, f"error: {damaged} line 2: suite must be theirs")
    assert not page.exists()


def test_what_is_published_of_others_keeps_the_rules() -> None:
    assert {one.name for one in read_community(ROOT / "results")} >= {"hog", "pca"}


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("device", "=HYPERLINK(1)", "device must not begin as a formula does"),
        ("git_commit", "<b>x</b>", "git_commit must be plain"),
        ("started_at", "@SUM(A1)", "started_at must not begin as a formula does"),
        ("run_id", "-2+3", "run_id must not begin as a formula does"),
        ("dataset", "folder:mine", "dataset must be one that everybody has: fashion_mnist"),
        ("suite", "quick", "suite must be ours"),
        ("pretext", "supervised", "pretext must be ours"),
        ("seed", "1", "seed must be 0"),
        ("metric", "accuracy_after_2_epochs", "metric must be accuracy"),
        ("split", "unlabelled", "split must be test or budget"),
        ("protocol", "guess", "protocol must be linear_probe or knn or finetune"),
        ("label_fraction", "0", "label_fraction must be above 0"),
        ("label_fraction", "1.5", "label_fraction must be less than or equal to 1, not 1.5"),
        ("label_fraction", "", "label_fraction must be above 0"),
        ("value", "", "value must be a finite number, not nan"),
        ("value", "82", "value must be less than or equal to 1, not 82"),
        ("value", "best", "value must be float, not 'best'"),
    ],
)
def test_a_cell_that_breaks_a_rule_is_named_with_its_line_and_column(
    place: Path, column: str, value: str, told: str
) -> None:
    head, first, second = place.read_text().splitlines()
    cells = second.split(",")
    cells[head.split(",").index(column)] = value
    place.write_text("\n".join([head, first, ",".join(cells)]) + "\n")
    with pytest.raises(InputError) as refused:
        read_submission(place)
    assert str(refused.value).startswith(f"{place} line 3: {told}")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("author", "auther", "does not know 'auther'; it says title, author, licence, url"),
        ('licence = "MIT"\n', "", "lacks 'licence'"),
        ("Ada Lovelace", "<script>", "author must be 1 to 200 letters, digits and"),
        ("Ada Lovelace", "=cmd()", "author must be 1 to 200 letters"),
        ("https://example.org/ours", "javascript:alert(1)", "url must be an address that begins with https://"),
        ("https://example.org/ours", "https://example.org/' onclick='", "url must be an address"),
        ("ours.py:make", "sub/../ours.py:make", "encoder must be NAME.py:FUNCTION or NAME.safetensors beside it"),
        ("ours.py:make", "theirs.py:make", "theirs.py does not lie beside it"),
        ("ours.py:make", "ours.safetensors", "holds weights alone; say its architecture too"),
        ('title = "', 'title = 7 # "', "title must be a valid string"),
        ("title", "title =", "cannot read"),
    ],
)
def test_what_is_wrong_with_whose_they_are_is_named(place: Path, old: str, new: str, told: str) -> None:
    place.with_suffix(".toml").write_text(TOML.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read_submission(place)
    assert "ours.toml" in str(refused.value)
    assert told in str(refused.value)


def test_the_name_of_a_pretext_is_taken(place: Path) -> None:
    with pytest.raises(InputError, match="has the name of one of sslbench's own pretexts"):
        read_submission(place.rename(place.with_name("simclr.csv")))


def test_the_same_evaluation_twice_is_refused(place: Path) -> None:
    head, first, second = place.read_text().splitlines()
    again = second.split(",")
    again[head.split(",").index("cell_id")] = "another"
    place.write_text("\n".join([head, first, second, ",".join(again)]) + "\n")
    with pytest.raises(InputError, match=r"ours\.csv: two records for digits conv ours"):
        read_submission(place)
