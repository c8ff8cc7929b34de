"""Records with strange names: refused in one line, or shown as they are written and as nothing else."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from sslbench.commands.app import app
from sslbench.contract.spec import InputError
from sslbench.report.build import build
from sslbench.report.readme import refreshed
from sslbench.report.records import from_records, read_records
from tests.made_up import probes, supervised


def named(dataset: str) -> pd.DataFrame:
    rows = [*probes("simclr", 0.8, 0.81), *supervised(0.7, 0.72)]
    return from_records([dataclasses.replace(row, dataset=dataset) for row in rows])


STRANGE = ("$\\frac{$", "<script>alert(1)</script>", "a|b", "folder:/tmp/ä ö/]", "100%", "![x](http://evil/x.png)")


@pytest.mark.parametrize("dataset", STRANGE)
def test_whatever_a_dataset_is_called_is_text(dataset: str, tmp_path: Path) -> None:
    build(named(dataset), tmp_path / "t", "t")
    page, table = (tmp_path / "t" / name for name in ("report.html", "table.md"))
    readme = refreshed("<!-- findings of t -->\n<!-- end --> <!-- index of all -->\n<!-- end -->", tmp_path, {})
    assert "<script>alert" not in page.read_text() + table.read_text() + readme
    assert "![x]" not in table.read_text() + readme
    (line,) = (line for line in readme.splitlines() if line.startswith("| [t]"))
    assert len(re.findall(r"(?<!\\)\|", line)) == 7
    pd.testing.assert_frame_equal(read_records(tmp_path / "t" / "records.csv"), named(dataset))


@pytest.mark.parametrize(
    ("dataset", "culprit"),
    [
        ("=cmd|' /C calc'!A0", "line 2: dataset must not begin as a formula does"),
        ("x" * 5000, "line 2: dataset must have at most 1000 characters"),
    ],
)
def test_what_a_spreadsheet_would_run_or_nobody_could_read_is_refused(
    dataset: str, culprit: str, tmp_path: Path
) -> None:
    path = tmp_path / "records.csv"
    named("digits").assign(dataset=dataset).to_csv(path, index=False)
    with pytest.raises(InputError, match=r"records\.csv") as refused:
        read_records(path)
    assert culprit in str(refused.value)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_another_encoding_is_told_in_one_line(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "records.csv"
    path.write_bytes(named("grün").to_csv(index=False).encode(encoding))
    with pytest.raises(InputError, match=r"cannot read records from .*records\.csv"):
        read_records(path)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "file:///etc/passwd", "127.0.0.1:5000"])
def test_run_ids_lead_to_pages_alone(address: str) -> None:
    told = CliRunner().invoke(app, ["report", "quick", "--rebuild", "--ui-url", address])
    assert told.exit_code == 2
    assert told.output.startswith(f"error: --ui-url '{address}' is no address")
