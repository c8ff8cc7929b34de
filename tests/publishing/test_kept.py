"""A run with nothing to do shows the tables there are, unless they would be others by now."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sslbench.publishing import environment, kept
from sslbench.publishing.kept import kept_records, kept_suite
from sslbench.publishing.publish import write_tables
from sslbench.report.records import read_records
from sslbench.sweep.asked import Request, Selection
from sslbench.sweep.request import Prepared, plan_request, records_of
from tests.conftest import request_for, work_off

SUITE_FILE = '''"""Two encoders that nothing trains."""
from sslbench.contract.spec import Suite

SUITE = Suite(
    name="two", datasets=("digits",), encoders=("conv",), latent_dims=(8,), seeds=(0,), epochs=1,
    pretexts=("random_init", "raw_pixels"), label_fractions=(0.05,), protocols=("linear_probe",),
)
'''


@pytest.fixture(scope="module")
def request_done(tmp_path_factory: pytest.TempPathFactory) -> Request:
    """A suite that ran in this process, with its tables written by a checkout in which nothing was changed."""
    folder = tmp_path_factory.mktemp("kept")
    request = request_for(folder, "two", SUITE_FILE)
    prepared, _ = work_off(request)
    with pytest.MonkeyPatch.context() as clean:
        clean.setattr(environment, "git_commit", lambda: "abc")
        write_tables(request, prepared, records_of(request, prepared))
    return request


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "git_commit", lambda: "abc")


@pytest.fixture
def prepared(request_done: Request) -> Prepared:
    found = plan_request(request_done)
    assert found.finished
    return found


def test_tables_of_the_same_runs_and_the_same_code_are_kept(request_done: Request, prepared: Prepared) -> None:
    records = kept_records(request_done, prepared)
    assert records is not None
    assert records.equals(read_records(request_done.stores.results / "two" / "records.csv"))


def test_a_part_of_the_suite_is_that_part_of_the_tables(request_done: Request) -> None:
    part = dataclasses.replace(request_done, selection=Selection(pretexts=("raw_pixels",)))
    records = kept_records(part, plan_request(part))
    assert records is not None
    assert set(records["pretext"]) == {"raw_pixels"}


def test_a_suite_that_lost_a_row_has_its_tables_written_again(request_done: Request) -> None:
    part = dataclasses.replace(request_done, selection=Selection(pretexts=("raw_pixels",)))
    assert kept_records(request_done, plan_request(part)) is None


def test_other_runs_have_their_tables_written_again(request_done: Request, prepared: Prepared) -> None:
    others = dict.fromkeys(prepared.done, "another run")
    assert kept_records(request_done, dataclasses.replace(prepared, done=others)) is None


@pytest.mark.parametrize("commit", ["abd", "abc+"])
def test_other_code_writes_them_again(
    request_done: Request, prepared: Prepared, commit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "git_commit", lambda: commit)
    assert kept_records(request_done, prepared) is None


def test_another_version_of_a_package_writes_them_again(
    request_done: Request, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = kept.environment()
    monkeypatch.setattr(kept, "environment", lambda: {**now, "packages": {"numpy": "0"}})
    assert kept_records(request_done, prepared) is None


def test_a_suite_file_that_was_changed_since_has_them_written_again(request_done: Request, prepared: Prepared) -> None:
    file = Path(request_done.suite)
    before = file.stat().st_mtime
    os.utime(file, (time.time() + 5, time.time() + 5))
    assert kept_records(request_done, prepared) is None
    os.utime(file, (before, before))
    assert kept_records(request_done, prepared) is not None


def test_a_whole_suite_is_known_to_be_done_without_a_plan(request_done: Request, prepared: Prepared) -> None:
    records, planned = kept_suite(request_done), kept_records(request_done, prepared)
    assert records is not None
    assert planned is not None
    assert records.equals(planned)


def test_nothing_to_do_is_told_and_shown_without_torch_or_mlflow(request_done: Request) -> None:
    stores = request_done.stores
    at = ["--home", str(stores.home), "--data-root", str(request_done.data_root)]
    program = (
        "import sys\n"
        "from sslbench.publishing import environment\n"
        "environment.git_commit = lambda: 'abc'\n"
        "from sslbench.commands.app import app\n"
        f"app({['run', request_done.suite, *at]!r}, standalone_mode=False)\n"
        "print('imported:', {'torch', 'mlflow', 'optuna'} & set(sys.modules))\n"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "everything is done: 2 evaluations" in told
    assert "random_init" in told
    assert "as written before:" in told
    assert told.endswith("imported: set()\n")


def test_what_a_whole_suite_would_need_a_plan_for_is_not_told_without(request_done: Request) -> None:
    part = dataclasses.replace(request_done, selection=Selection(pretexts=("raw_pixels",)))
    assert kept_suite(part) is None
    assert kept_suite(dataclasses.replace(request_done, plugins=("mine.py",))) is None
    assert kept_suite(dataclasses.replace(request_done, device="cuda")) is None


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("gaps.json", {"planned": 3, "missing": 1, "failures": []}),
        ("environment.json", {"plug_ins_of": "mine 1.0"}),
    ],
)
def test_tables_that_lack_something_or_show_plug_ins_need_a_plan(
    request_done: Request, tmp_path: Path, file: str, content: dict[str, object]
) -> None:
    home = tmp_path / "home"
    shutil.copytree(request_done.stores.home, home)
    moved = dataclasses.replace(request_done, stores=dataclasses.replace(request_done.stores, home=home))
    assert kept_suite(moved) is not None
    place = home / "results" / "two" / file
    before = json.loads(place.read_text()) if place.exists() else {}
    place.write_text(json.dumps({**before, **content}))
    assert kept_suite(moved) is None


def test_a_suite_of_ones_own_files_needs_a_plan(request_done: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "is_own", lambda name: name == "digits")
    assert kept_suite(request_done) is None


def test_a_store_that_lost_a_run_needs_a_plan(request_done: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "finished_of", lambda uri, suite: {})
    assert kept_suite(request_done) is None


def test_no_tables_are_none(request_done: Request, prepared: Prepared, tmp_path: Path) -> None:
    elsewhere = dataclasses.replace(request_done, stores=dataclasses.replace(request_done.stores, home=tmp_path))
    assert kept_records(elsewhere, prepared) is None
