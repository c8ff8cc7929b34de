"""Scores of others beside a table: paired on the same labels, and of no say in anything else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sslbench.contract.record import Record
from sslbench.report.attachments import Attachments
from sslbench.report.attachments.community import Submission
from sslbench.report.build import build
from sslbench.report.records import from_records
from sslbench.report.scores import lay_out
from sslbench.report.tables.community import community_sheets
from tests.made_up import probes, supervised

OURS = from_records([*probes("simclr", 0.8, 0.82), *supervised(0.7, 0.74), *probes("simclr", 0.9, fraction=0.1)])


def theirs(*rows: Record, name: str = "ours", **said: str) -> Submission:
    told = {"title": "Ours", "author": "Ada", "licence": "MIT", "url": "https://example.org", **said}
    own = [replace(row, suite=name, pretext=name, encoder="own", seed=0, label_seed=row.seed) for row in rows]
    return Submission(name, from_records(own), **told)


def test_differences_are_paired_over_the_labelled_subsets_that_both_have() -> None:
    sent_in = theirs(*probes("x", 0.75, 0.77, 0.79), *probes("x", 0.6, fraction=0.5), encoder="x.py:make")
    (sheet,) = community_sheets(lay_out(OURS), [sent_in])
    assert sheet.title == "digits"
    assert sheet.headings[-1] == "1%"  # no table has half of the labels
    ((*names, cost, score),) = ([entry.text for entry in row] for row in sheet.rows)
    assert names == ["ours", "linear_probe", "32"]
    assert cost == "2.5 TFLOPs"
    assert score == "77.0 ± 5.0 (+4.0)"  # of three subsets; the two that scratch has differ by 5 and 3
    assert "supervised (conv, latent size 32)" in sheet.notes[0]
    assert sheet.notes[1] == "ours: Ours, by Ada (MIT), https://example.org; can be run again."


def test_scores_on_other_data_or_other_shares_of_the_labels_are_left_out() -> None:
    elsewhere = [replace(row, dataset="other") for row in probes("x", 0.7)]
    for rows in (elsewhere, probes("x", 0.6, fraction=0.5)):
        assert community_sheets(lay_out(OURS), [theirs(*rows)]) == ()


def test_without_scratch_there_is_no_difference() -> None:
    (sheet,) = community_sheets(lay_out(from_records(probes("simclr", 0.8))), [theirs(*probes("x", 0.7))])
    assert sheet.rows[0][-1].text == "70.0"
    assert sheet.notes == ("ours: Ours, by Ada (MIT), https://example.org; not verifiable.",)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """Two folders, without and with a score of others that is above everything; their files."""
    best = theirs(*probes("x", 0.99, 0.99), author="Ada & <b>")  # a name that should never get so far
    found = {}
    for name, community in (("without", ()), ("with", (best,))):
        folder = tmp_path_factory.mktemp(name)
        build(OURS, folder, "t", attached=Attachments(community=community))
        found[name] = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    return found


def test_they_are_a_group_of_their_own_in_the_page_and_in_markdown(built: dict[str, dict[str, bytes]]) -> None:
    page, table = (built["with"][name].decode() for name in ("report.html", "table.md"))
    assert '<section id="others">' in page
    assert '<a href="#others">Scores of others</a>' in page
    assert "<b>" not in page
    assert "## Scores of others" in table
    assert "99.0 ± 0.0 (+27.0)" in table
    assert "Scores of others" not in built["without"]["table.md"].decode()


def test_nothing_else_changes(built: dict[str, dict[str, bytes]]) -> None:
    assert built["with"].keys() == built["without"].keys()
    changed = {name for name, content in built["with"].items() if content != built["without"][name]}
    assert changed == {"report.html", "table.md"}
    before = built["without"]["table.md"].decode()
    head, _, rest = built["with"]["table.md"].decode().partition("## Scores of others\n\n")
    assert before == head + rest[rest.index("## Cost") :]


def test_others_stand_where_they_are_published(tmp_path: Path) -> None:
    build(OURS, tmp_path, "t", attached=Attachments(community=(theirs(*probes("x", 0.7)),)))
    assert "ours" not in (tmp_path / "records.csv").read_text()
    assert "ours" not in (tmp_path / "table.csv").read_text()
