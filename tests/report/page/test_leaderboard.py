"""One page over everything that is published: complete, as published, and safe to open."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sslbench.contract.spec import InputError
from sslbench.publishing.leaderboard import leaderboard
from sslbench.report.attachments.community import Submission
from sslbench.report.page.leaderboard import leaderboard_html
from sslbench.report.records import from_records, read_records
from sslbench.report.scores import evaluations, lay_out
from tests.made_up import probes, supervised
from tests.report.page.parsed import Page

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def page() -> Page:
    few = [*probes("simclr", 0.8, 0.82), *supervised(0.7, 0.74)]
    more = [*probes("simclr", 0.9, 0.92, fraction=0.1), *supervised(0.85, 0.86, fraction=0.1)]
    tables = {"small": lay_out(from_records([*few, *more])), "large": lay_out(from_records(probes("byol", 0.85)))}
    own = [replace(row, pretext="mine", encoder="own", seed=0, label_seed=row.seed) for row in probes("x", 0.75, 0.77)]
    mine = Submission(
        "mine", from_records(own), "Mine <script>alert(1)</script>", 'A "B"', "MIT", "https://example.org"
    )
    return Page(leaderboard_html(tables, [mine], "../"))


def test_every_row_stands_there_the_best_with_few_labels_first(page: Page) -> None:
    (table,) = page.tables
    assert table[0][:4] == ["pretext", "encoder", "1%", "10%"]
    assert [line[0] for line in table[1:]] == [
        *("byollinear_probe", "simclrlinear_probe", "minelinear_probe; by others", "supervisedfinetune")
    ]
    byol, simclr, mine, scratch = table[1:]
    assert simclr[2:4] == ["81.0±\N{NO-BREAK SPACE}12.7", "91.0±\N{NO-BREAK SPACE}12.7"]
    assert byol[2:4] == ["85.0", "–"]
    assert simclr[1] == "conv, 32"
    assert simclr[4].startswith("1 to 10×")  # scratch needs more than 10 labels and less than 100: none were between
    assert scratch[4] == "–"
    assert simclr[5:8] == ["2.5 TFLOPs", "10.5", "10 GFLOPs"]
    assert mine[5:7] == ["2.5 TFLOPsstated", "10.5stated"]
    assert mine[-1].endswith("not verifiable")


def test_names_lead_to_where_the_numbers_come_from(page: Page) -> None:
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert sorted(set(links)) == ["../large/report.html", "../small/report.html", "https://example.org"]


def test_what_strangers_wrote_is_text(page: Page) -> None:
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert "Mine <script>alert(1)</script>, by A" in page.tables[0][3][-1]


def test_what_is_published_is_what_the_results_give() -> None:
    committed = (ROOT / "results" / "leaderboard.html").read_text(encoding="utf-8")
    assert leaderboard(ROOT / "results") == committed, "sslbench leaderboard writes it anew"
    page = Page(committed)
    lines = sum(len(table) - 1 for table in page.tables)
    folders = sorted((ROOT / "results").glob("*/records.csv")) + sorted((ROOT / "results" / "community").glob("*.csv"))
    rows = 0
    for path in folders:
        scored = evaluations(read_records(path))
        names = ["dataset", "pretrain_dataset", "encoder", "pretext", "latent_dim", "protocol"]
        rows += len(scored[names].drop_duplicates())
    assert lines == rows


def test_links_lead_from_wherever_the_page_lies(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no tables in"):
        leaderboard(tmp_path)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "digits").symlink_to(ROOT / "results" / "digits")
    assert 'href="../results/digits/report.html"' in leaderboard(tmp_path / "results", tmp_path / "docs")


def test_it_needs_no_torch(tmp_path: Path) -> None:
    for name in ("digits", "community"):
        (tmp_path / name).symlink_to(ROOT / "results" / name)
    ask = "import sys; from sslbench.publishing.leaderboard import leaderboard; from pathlib import Path; "
    ask += "leaderboard(Path(sys.argv[1])); print({'torch', 'mlflow', 'optuna'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", ask, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.stdout == "set()\n", done.stderr
