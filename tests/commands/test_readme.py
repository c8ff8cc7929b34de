"""The README shows what was published."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sslbench.contract.spec import InputError
from sslbench.publishing.versions import current_versions
from sslbench.report import readme
from sslbench.report.readme import SENTENCES, refreshed
from sslbench.report.scores.layout import Layout, lay_out_folder
from sslbench.report.statistics import Analysis

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
VERSIONS = current_versions()


@pytest.fixture(scope="module", autouse=True)
def once() -> Iterator[None]:
    """A suite is analysed once, however often it is spoken of."""
    analysed: dict[int, Analysis] = {}
    laid_out = functools.cache(lambda folder: lay_out_folder(folder, VERSIONS))

    def said(layout: Layout) -> Analysis:
        if id(layout) not in analysed:
            analysed[id(layout)] = Analysis(layout)
        return analysed[id(layout)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readme, "lay_out_folder", lambda folder, _: laid_out(folder))
        patch.setattr(readme, "Analysis", said)
        yield


def test_the_index_of_results_holds_every_published_suite_as_it_is() -> None:
    index = (ROOT / "results" / "README.md").read_text(encoding="utf-8")
    assert refreshed(index, ROOT / "results", VERSIONS) == index
    published = {path.parent.name for path in (ROOT / "results").glob("*/records.csv")}
    lines = {line.split("]")[0][3:]: line for line in index.splitlines() if line.startswith("| [")}
    assert lines.keys() == published
    assert re.search(
        r"\| On brown .* is [\d.]+ points .*; on glosses .*; on newsgroups .*; on sentences_domain", lines["text"]
    )
    assert re.search(r"\| On digits from fashion_mnist: .*; on fashion_mnist from digits: ", lines["transfer"])
    assert all("[page](" in line and line.count("|") == 7 for line in lines.values())
    for target in re.findall(r"\]\(([^)#]+)\)", index):
        assert (ROOT / "results" / target).exists(), target


def test_its_findings_and_tables_are_the_published_ones() -> None:
    assert README.count("<!-- findings of quick -->") == 1
    assert README.count("<!-- table of quick:") == 1
    assert refreshed(README, ROOT / "results", VERSIONS) == README


def test_passages_between_marks_are_written_anew_and_nothing_else() -> None:
    text = "before\n<!-- findings of quick -->\nstale\n<!-- end -->\nafter\n"
    fresh = refreshed(text, ROOT / "results", VERSIONS)
    assert fresh.startswith("before\n<!-- findings of quick -->\n\n- ")
    assert fresh.endswith("\n\n<!-- end -->\nafter\n")
    assert fresh.count("\n- ") == SENTENCES + 3, "and on fine-tuning, and on more compute at two latent sizes"
    assert "and fine-tuning, the one pretrained encoder is not above" in fresh
    assert "stale" not in fresh


def test_findings_of_one_of_several_datasets() -> None:
    fresh = refreshed("<!-- findings of text: newsgroups -->\n<!-- end -->", ROOT / "results", VERSIONS)
    assert fresh.count("\n- On newsgroups (bag): ") == SENTENCES + 1
    assert "TF-IDF, which trains no network, is above" in fresh
    with pytest.raises(InputError, match="suite 'text' has no findings on dataset 'digits' alone"):
        refreshed("<!-- findings of text: digits -->\n<!-- end -->", ROOT / "results", VERSIONS)


def test_a_mark_that_names_no_table_lists_the_tables() -> None:
    with pytest.raises(InputError, match=r"choose one of .*linear_probe, latent size 128"):
        refreshed("<!-- table of quick: latent size 7 -->\n<!-- end -->", ROOT / "results", VERSIONS)


def test_files_it_links_to_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target
