"""What tuning found is one class: in a settings file, beside published records, and in a report."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from sslbench.contract.settings import TunedArm, read_tuning, write_tuning
from sslbench.contract.spec import InputError
from sslbench.report.attachments import Attachments
from sslbench.report.attachments.files import read_tuned, tuning_json, write_tuned
from sslbench.report.build import build
from sslbench.report.records import from_records
from sslbench.report.scores import lay_out
from sslbench.report.words.wording import outside_notes
from tests.made_up import probes, supervised, tuned_arm

ROOT = Path(__file__).parents[3]
SETTINGS = ROOT / "benchmarks" / "settings" / "quick_tuned.json"
PUBLISHED = ROOT / "results" / "quick_tuned"


def test_a_settings_file_is_written_as_it_was_read(tmp_path: Path) -> None:
    write_tuning(read_tuning(SETTINGS), tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == SETTINGS.read_bytes()


def test_what_is_published_of_a_settings_file_is_what_it_holds() -> None:
    published = read_tuning(SETTINGS).published()
    assert [arm.pretext for arm in published] == sorted(read_tuning(SETTINGS).arms)
    assert tuning_json(published) == (PUBLISHED / "tuning.json").read_text(encoding="utf-8")


def test_the_published_file_is_written_as_it_was_read(tmp_path: Path) -> None:
    write_tuned(read_tuned(PUBLISHED), tmp_path)
    assert (tmp_path / "tuning.json").read_bytes() == (PUBLISHED / "tuning.json").read_bytes()


def test_tuning_survives_its_file_but_for_what_is_not_published_and_goes_with_it(tmp_path: Path) -> None:
    arm = tuned_arm("simclr", 10, 125.0, 2.5e12)
    write_tuned((arm,), tmp_path)
    assert read_tuned(tmp_path) == (dataclasses.replace(arm, trial=None, epochs=None),)
    write_tuned((), tmp_path)
    assert read_tuned(tmp_path) == ()


@pytest.mark.parametrize("content", ["", "[1]", "{", json.dumps([{"pretext": "simclr"}])])
def test_a_file_that_holds_no_tuning_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "tuning.json").write_text(content)
    with pytest.raises(InputError, match="cannot read tuning from") as caught:
        read_tuned(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("num_labels", "served"), [(59, False), (60, True), (600, True), (601, False)])
def test_settings_serve_the_budgets_they_are_meant_for(num_labels: int, served: bool) -> None:
    arm = dataclasses.replace(tuned_arm("simclr", 10, 1.0, 1.0), serves_from=60, serves_to=600)
    assert arm.serves(num_labels) is served
    assert tuned_arm("simclr", 10, 1.0, 1.0).serves(num_labels), "old published files do not say"


def test_the_settings_file_says_whom_it_serves_and_so_does_what_is_published_of_it() -> None:
    budget = read_tuning(SETTINGS).budget
    assert (budget.num_labels, budget.serves_from, budget.serves_to) == (600, 600, 6000)
    assert {(arm.serves_from, arm.serves_to) for arm in read_tuned(PUBLISHED)} == {(600, 6000)}


def test_a_settings_file_that_says_not_whom_it_serves_is_refused(tmp_path: Path) -> None:
    content = json.loads(SETTINGS.read_text(encoding="utf-8"))
    del content["budget"]["serves_to"]
    (tmp_path / "old.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"old\.json is not a settings file: .*serves_to"):
        read_tuning(tmp_path / "old.json")


RECORDS = from_records(
    [
        *probes("simclr", 0.7, 0.8, fraction=0.05),  # 50 labels
        *probes("simclr", 0.8, 0.9, fraction=1.0),  # 1,000
        *probes("rotation", 0.6, 0.7, fraction=0.05),
        *supervised(0.6, 0.7, fraction=0.05),
        *supervised(0.8, 0.9, fraction=1.0),
    ]
)


def serving(pretext: str, low: int, high: int) -> TunedArm:
    return dataclasses.replace(tuned_arm(pretext, 10, 1.0, 1.0), serves_from=low, serves_to=high)


def test_budgets_that_settings_were_not_tuned_for_are_named_with_their_rows() -> None:
    blocks = lay_out(RECORDS).blocks
    few = [serving("rotation", 10, 100), serving("simclr", 10, 100), serving("supervised", 10, 100)]
    (said,) = outside_notes(blocks, few)
    assert said == (
        "Tuned settings of simclr, supervised are meant for 10 to 100 labels; at 100% (1,000) they are used "
        "beyond that."
    )
    many = [serving("rotation", 100, 1000), serving("simclr", 100, 1000)]
    assert outside_notes(blocks, many) == [
        "Tuned settings of rotation, simclr are meant for 100 to 1,000 labels; at 5% (50) they are used beyond that."
    ]
    assert outside_notes(blocks, [serving("simclr", 50, 1000), serving("moco", 1, 1)]) == []
    assert outside_notes(blocks, [tuned_arm("simclr", 10, 1.0, 1.0)]) == []


def test_tables_and_page_say_it_and_say_it_again_when_made_from_the_folder_alone(tmp_path: Path) -> None:
    said = "Tuned settings of simclr are meant for 10 to 100 labels; at 100% (1,000) they are used beyond that."
    build(RECORDS, tmp_path, "t", ("A note.",), Attachments(tuned=(serving("simclr", 10, 100),)))
    for _ in range(2):
        table, page = ((tmp_path / name).read_text(encoding="utf-8") for name in ("table.md", "report.html"))
        assert f"- A note.\n\n- {said}\n" in table
        assert said in page
        build(RECORDS, tmp_path, "t", ("A note.",))
    build(RECORDS, tmp_path, "t", ("A note.",), Attachments(tuned=()))
    assert said not in (tmp_path / "table.md").read_text(encoding="utf-8")
