"""Figures in prose: what stands between two marks of a Markdown file is written from `results/`, never by hand.

Three marks are known, each closed by `<!-- end -->`:

* `<!-- findings of SUITE -->`: the first sentences of the report and what it says of fine-tuning and of more compute
  for training from scratch, as a list; with `: DATASET` the first ones on one of several, and what is said of a way
  that trains no network;
* `<!-- table of SUITE: HEADING -->`: the table under that heading of `table.md`;
* `<!-- index of results -->`: a line for every published suite, with links as seen from the folder of results.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from sslbench.contract.errors import InputError
from sslbench.report.scores.layout import lay_out_folder
from sslbench.report.statistics import Analysis
from sslbench.report.statistics.compute import processor_seconds
from sslbench.report.tables import tables_of
from sslbench.report.tables.markdown import plain, table_markdown
from sslbench.report.words.findings import findings
from sslbench.report.words.numbers import NOT_RUN, span
from sslbench.report.words.reading import STALE
from sslbench.report.words.sentence import Finding

SENTENCES = 3

INDEX_HEAD = ("| suite | answer | seeds | CPU hours | run | code |", "| --- | --- | --: | --: | --- | --- |")

_MARK = re.compile(
    r"(?P<open><!-- (?P<kind>findings|table|index) of (?P<suite>[\w.-]+)(?:: (?P<heading>[^\n]*?))? -->\n)"
    r".*?(?P<close><!-- end -->)",
    re.DOTALL,
)


def refreshed(text: str, results: Path, versions: Mapping[tuple[str, str], int]) -> str:
    """The text with every marked passage written anew from `results/<suite>/records.csv`.

    Args:
        versions: of the plug-ins as they are now, by kind and name: numbers of others are marked as stale.

    Raises:
        InputError: there are no such records, or they have no such table, or no findings on that dataset.
    """
    return _MARK.sub(
        lambda mark: f"{mark['open']}\n{plain(_passage(mark, results, versions))}\n\n{mark['close']}", text
    )


def _passage(mark: re.Match[str], results: Path, versions: Mapping[tuple[str, str], int]) -> str:
    if mark["kind"] == "index":
        lines = [_index_line(path.parent, versions) for path in sorted(results.glob("*/records.csv"))]
        return "\n".join([*INDEX_HEAD, *lines])
    layout = lay_out_folder(results / mark["suite"], versions)
    if mark["kind"] == "findings":
        where = f"On {mark['heading']} (" if mark["heading"] else ""
        found = [one for one in findings(Analysis(layout)) if one.sentence.startswith(where)]
        if not found:
            raise InputError(f"suite {mark['suite']!r} has no findings on dataset {mark['heading']!r} alone")
        more = [one for one in found[SENTENCES:] if one.topic in (("classic",) if where else ("fine-tuned", "compute"))]
        return "\n".join(f"- {one.sentence}" for one in [*found[:SENTENCES], *more])
    page = table_markdown(tables_of(layout), mark["suite"])
    section = re.search(rf"^##+ {re.escape(str(mark['heading']))}\n\n(.*?)(?=\n\n)", page, re.DOTALL | re.MULTILINE)
    if section is None:
        headings = ", ".join(re.findall(r"^##+ (.*)$", page, re.MULTILINE))
        raise InputError(f"no table {mark['heading']!r} of suite {mark['suite']!r}; choose one of {headings}")
    return section[1]


def _answer(found: Sequence[Finding]) -> str:
    """The first sentence; of several datasets a clause each, for no one of them speaks for the others."""
    told = [(one.subject, one.brief) for one in reversed(found) if one.subject and one.brief]
    brief = {subject[:2]: f"{subject.dataset} {words}" for subject, words in told}
    if len(brief) > 1:
        return f"On {'; on '.join(reversed(brief.values()))}."
    return found[0].sentence if found else ""


def _index_line(folder: Path, versions: Mapping[tuple[str, str], int]) -> str:
    """What a published suite answers first, on how many seeds, what it cost, when and by which code it was run."""
    layout, name = lay_out_folder(folder, versions), folder.name
    answer = _answer(findings(Analysis(layout)))
    stale = f" {STALE}: in part by older versions of plug-ins." if layout.stale else ""
    seeds = span(sorted({len(some) for block in layout.blocks for some in block.replicates.values()}))
    records, hours = layout.records, processor_seconds(layout.every) / 3600
    days = sorted({str(start)[:10] for start in records["started_at"]})
    commits = list(dict.fromkeys(records.sort_values("started_at")["git_commit"].astype(str)))
    when, code = " to ".join(dict.fromkeys([days[0], days[-1]])), ", ".join(commit or NOT_RUN for commit in commits)
    links = f"[{name}]({name}/table.md), [page]({name}/report.html)"
    answer = answer.replace("|", "\\|")
    return f"| {links} | {answer}{stale} | {seeds} | {hours:.1f} | {when} | {code} |"
