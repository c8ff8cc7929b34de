"""What was settled beforehand is kept beside the records, and nothing is kept where nothing was."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslbench.contract.spec import InputError
from sslbench.report.attachments import Attachments
from sslbench.report.attachments.files import PRIMARY_FILE, read_primary, write_primary
from sslbench.report.build import build, rebuild
from sslbench.report.records import from_records
from tests.made_up import probes, supervised


def test_the_protocol_is_read_as_it_was_written(tmp_path: Path) -> None:
    (path,) = write_primary("linear_probe, pooled", tmp_path)
    assert read_primary(tmp_path) == "linear_probe, pooled"
    assert write_primary("", tmp_path) == []
    assert not path.exists()
    assert read_primary(tmp_path) == ""


def test_a_file_that_names_none_is_named(tmp_path: Path) -> None:
    (tmp_path / PRIMARY_FILE).write_text('{"secondary": 1}')
    with pytest.raises(InputError, match=r"cannot read the primary protocol from .*primary\.json"):
        read_primary(tmp_path)


def test_a_rebuilt_page_still_says_what_was_named_beforehand(tmp_path: Path) -> None:
    records = from_records(probes("simclr", 0.8, 0.81) + supervised(0.7, 0.72))
    build(records, tmp_path, "t", attached=Attachments(primary="linear_probe"))
    said = "named before anything was run"
    assert said in (tmp_path / "report.html").read_text()
    rebuild(tmp_path, "t")
    assert said in (tmp_path / "report.html").read_text()
