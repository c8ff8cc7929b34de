"""What tuning found is one class: in a settings file, beside published records, and in a report."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from sslbench.contract.settings import read_tuning, write_tuning
from sslbench.contract.spec import InputError
from sslbench.report.attachments.tuned import read_tuned, tuning_json, write_tuned
from tests.made_up import tuned_arm

ROOT = Path(__file__).parents[3]
SETTINGS = ROOT / "benchmarks" / "settings" / "quick.json"
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
