"""A run with nothing to do shows the tables there are, unless they would be others by now."""

from __future__ import annotations

import dataclasses
import os
import time
from pathlib import Path

import pytest

from sslbench.publishing import environment, kept
from sslbench.publishing.kept import kept_records
from sslbench.publishing.publish import write_tables
from sslbench.report.records import read_records
from sslbench.sweep.plan import Selection
from sslbench.sweep.request import Prepared, Request, plan_request, records_of
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


def test_no_tables_are_none(request_done: Request, prepared: Prepared, tmp_path: Path) -> None:
    elsewhere = dataclasses.replace(request_done, stores=dataclasses.replace(request_done.stores, home=tmp_path))
    assert kept_records(elsewhere, prepared) is None
