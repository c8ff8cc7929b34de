"""Figures in prose: what stands between two marks of a Markdown file is written from `results/`, never by hand.

Two marks are known, each closed by `<!-- end -->`:

* `<!-- findings of SUITE -->`: the first sentences of the report, as a list;
* `<!-- table of SUITE: HEADING -->`: the table under that heading of `table.md`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from sslbench.contract.spec import InputError
from sslbench.report.attachments.predictions import read_answers
from sslbench.report.attachments.primary import read_primary
from sslbench.report.records import read_records
from sslbench.report.scores import lay_out
from sslbench.report.statistics import analyse
from sslbench.report.tables import tables_of
from sslbench.report.tables.markdown import table_markdown
from sslbench.report.words.findings import findings

SENTENCES = 3

_MARK = re.compile(
    r"(?P<open><!-- (?P<kind>findings|table) of (?P<suite>[\w.-]+)(?:: (?P<heading>[^\n]*?))? -->\n)"
    r".*?(?P<close><!-- end -->)",
    re.DOTALL,
)


def refreshed(text: str, results: Path, versions: Mapping[tuple[str, str], int]) -> str:
    """The text with every marked passage written anew from `results/<suite>/records.csv`.

    Args:
        versions: of the plug-ins as they are now, by kind and name: numbers of others are marked as stale.

    Raises:
        InputError: there are no such records, or their table has no such heading.
    """
    return _MARK.sub(lambda mark: f"{mark['open']}\n{_passage(mark, results, versions)}\n\n{mark['close']}", text)


def _passage(mark: re.Match[str], results: Path, versions: Mapping[tuple[str, str], int]) -> str:
    folder = results / mark["suite"]
    records, primary = read_records(folder / "records.csv"), read_primary(folder)
    layout = lay_out(records, primary=primary, versions=versions, answers=read_answers(folder))
    if mark["kind"] == "findings":
        found = findings(analyse(layout))[:SENTENCES]
        return "\n".join(f"- {finding.sentence}" for finding in found)
    page = table_markdown(tables_of(layout), mark["suite"])
    section = re.search(rf"^##+ {re.escape(str(mark['heading']))}\n\n(.*?)(?=\n\n)", page, re.DOTALL | re.MULTILINE)
    if section is None:
        headings = ", ".join(re.findall(r"^##+ (.*)$", page, re.MULTILINE))
        raise InputError(f"no table {mark['heading']!r} of suite {mark['suite']!r}; choose one of {headings}")
    return section[1]
