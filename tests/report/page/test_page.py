"""`report.html`: one page that loads nothing, holds every number of the table, and says what is wrong with it.

Longer than other files because one parser, which reads the page back, serves all of it.
"""

from __future__ import annotations

import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sslbench.contract.spec import InputError
from sslbench.report.attachments.attachments import Attachments
from sslbench.report.attachments.exhibits import Exhibit, read_exhibits, shrink, write_exhibits
from sslbench.report.attachments.gaps import Failure, Gaps, read_gaps, write_gaps
from sslbench.report.page.render import PAGE, report_html
from sslbench.report.records import from_records
from sslbench.report.tables.markdown import table_markdown
from tests.made_up import probes, supervised

VOID = {"meta", "link", "br", "img", "input", "line", "path"}

#: The libraries are those of their packages, to the byte: nobody has to read them again.
DIGESTS = {
    "d3-7.9.2.min.js": "912111098ea99503a6f4967361d2bbdc9dbf58cf9c678c8e27e5b02d1a07f0c1",
    "plot-0.6.17.min.js": "4358086467740777dd788d6b27a95cebdbaefdd50c730a3060117073bd7134cb",
}


class Page(HTMLParser):
    """A page taken apart: every tag with its attributes, tables as text, and whether tags close in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.tables: list[list[list[str]]] = []
        self.texts: dict[str, list[str]] = {}
        self.scripts: dict[str, str] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        elif tag in ("h1", "h2", "h3", "li", "p", "title", "button", "option", "figcaption", "dd"):
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data
        for tag, texts in self.texts.items():
            if tag in self.open:
                texts[-1] += data
        if self.open and self.open[-1] == "script":
            self.scripts[self.tags[-1][1].get("id", str(len(self.scripts)))] = data

    def attributes(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def data(self) -> Any:
        return json.loads(self.scripts["data"])

    @property
    def accuracy(self) -> list[list[list[str]]]:
        return [table for table in self.tables if table[0][0] == "test accuracy, %"]


def page(records: pd.DataFrame, attached: Attachments | None = None, title: str = "tested") -> Page:
    return Page(report_html(records, title, ("Every training took `10` steps.",), attached or Attachments()))


def cell(found: Page, row: str, column: int = 1, table: int = 0) -> str:
    (line,) = [line for line in found.accuracy[table] if line[0].split(" ‡")[0] == row]
    return line[column]


def test_the_page_holds_the_tables_of_the_markdown_cell_by_cell(golden: pd.DataFrame) -> None:
    markdown = table_markdown(golden, "tested").split("## How to read this")[0]
    wanted = [
        [[text.strip().replace("**", "") for text in line.strip("|").split("|")] for line in block.splitlines()]
        for block in re.findall(r"(?:^\|.*\n)+", markdown, re.MULTILINE)
    ]
    shown = page(golden).accuracy
    assert len(shown) == len(wanted) >= 2
    for table, expected in zip(shown, wanted, strict=True):
        assert table[0][1:] == expected[0][1:]
        assert table[1:] == expected[2:]  # without the line of dashes


def test_what_is_bold_in_the_markdown_is_bold_in_the_page(golden: pd.DataFrame) -> None:
    text = report_html(golden, "tested", (), Attachments())
    markdown = table_markdown(golden, "tested").split("## How to read this")[0]
    bold = re.findall(r"<strong>(.*?)</strong>", text)
    assert sorted(bold) == sorted(re.findall(r"\*\*(.*?)(?: †)?\*\*", markdown))
    assert bold


def test_every_number_leads_to_the_runs_it_is_the_mean_of(golden: pd.DataFrame) -> None:
    found = page(golden)
    scores = golden[(golden["metric"] == "accuracy") & (golden["split"] == "test")].set_index("run_id")["value"]
    cells = found.data["cells"]
    buttons = [item for item in found.attributes("button") if "data-cell" in item]
    assert [int(item["data-cell"]) for item in buttons] == list(range(len(cells)))
    assert {run for _, runs in cells for _, _, run in runs} == set(scores.index)
    for _, runs in cells:
        for _, value, run in runs:
            assert value == pytest.approx(scores[run], abs=1e-6)
    shown = [text for table in found.accuracy for line in table[1:] if "ceiling" not in line[0] for text in line[1:]]
    numbers = [text for text in shown if text != "–"]
    for text, (_, runs) in zip(numbers, cells, strict=True):
        assert float(text.split()[0]) == pytest.approx(100 * sum(run[1] for run in runs) / len(runs), abs=0.051)


def test_nothing_is_loaded_from_anywhere(golden: pd.DataFrame) -> None:
    text = report_html(golden, "tested", (), Attachments())
    for tag, attributes in Page(text).tags:
        for name in ("src", "href", "srcset", "data", "action", "poster"):
            assert re.match(r"#|data:|$", attributes.get(name, "")), (tag, attributes)
    policies = [item["content"] for item in Page(text).attributes("meta") if "http-equiv" in item]
    assert len(policies) == 1
    assert policies[0].startswith("default-src 'none'; ")  # the browser holds the page to it
    style = (PAGE / "style.css").read_text() + (PAGE / "charts.js").read_text()
    assert not re.search(r"@import|url\(|https?:|fetch\(|XMLHttpRequest|import\(", style)


def test_equal_records_give_equal_bytes(golden: pd.DataFrame) -> None:
    shuffled = golden.sample(frac=1, random_state=0)
    assert report_html(golden, "t", (), Attachments()) == report_html(shuffled, "t", (), Attachments())


def test_the_libraries_are_the_published_ones_and_their_licence_stands_in_the_page(golden: pd.DataFrame) -> None:
    vendored = {path.name: path.read_bytes() for path in (PAGE / "vendor").glob("*.js")}
    assert {name: hashlib.sha256(content).hexdigest() for name, content in vendored.items()} == DIGESTS
    text = report_html(golden, "t", (), Attachments())
    assert "Copyright 2010-2026 Mike Bostock" in text
    assert "Copyright 2020-2025 Observable, Inc." in text
    assert "Permission to use, copy, modify" in text


def test_a_small_page_stays_small(golden: pd.DataFrame) -> None:
    assert len(report_html(golden, "t", (), Attachments()).encode()) < 600_000


HOSTILE = '</script><script>alert("x")</script><img src=http://evil onerror=alert(1)> & \u2028'


def test_hostile_names_stay_text() -> None:
    made = from_records(probes("simclr", 0.8, 0.82) + supervised(0.7, 0.71) + probes("rotation", 0.5, 0.6))
    hostile = made.assign(
        pretext=made["pretext"].replace("rotation", HOSTILE), run_id=HOSTILE, dataset=HOSTILE, device=HOSTILE
    )
    tame = page(made)
    failure = Failure(HOSTILE, "conv", HOSTILE, 32, 5, 5, 0.01, "linear_probe", HOSTILE, HOSTILE)
    found = page(hostile, Attachments({HOSTILE: HOSTILE}, gaps=Gaps(failures=(failure,))), HOSTILE)
    for tag in ("script", "img", "a"):
        assert len(found.attributes(tag)) == len(tame.attributes(tag)), tag
    assert HOSTILE in found.texts["title"][0]
    assert any(line[0] == HOSTILE for line in found.accuracy[0])
    assert {run for _, runs in found.data["cells"] for _, _, run in runs} == {HOSTILE}
    assert not any(name.startswith("on") for _, attributes in found.tags for name in attributes)


def test_a_complete_page_says_so_and_an_incomplete_one_what_is_missing() -> None:
    whole = from_records(probes("simclr", 0.8, 0.81) + supervised(0.7, 0.72))
    assert any("no evaluation is missing, failed or stale" in text for text in page(whole).texts["p"])
    made = probes("simclr", 0.8, 0.81) + supervised(0.7, 0.72) + supervised(0.8, 0.8, fraction=0.1)
    found = page(from_records(made + probes("rotation", 0.7)))
    assert cell(found, "simclr", 2) == "–"
    assert cell(found, "rotation").startswith("70.0 †")
    assert any(text.startswith("Missing: 5 evaluations have no record: rotation") for text in found.texts["p"])
    titles = [attributes.get("title") for attributes in found.attributes("td")]
    assert "missing: not run" in titles
    assert "fewer seeds than other cells" in titles


def test_a_failed_cell_reads_failed_with_its_reason_and_a_seed_that_failed_is_told() -> None:
    made = probes("simclr", 0.8, 0.81) + supervised(0.7, 0.72) + supervised(0.8, 0.8, fraction=0.1)
    failures = (
        Failure("digits", "conv", "simclr", 32, 0, 0, 0.1, "linear_probe", "TrainingError: loss is nan", "run-a"),
        Failure("digits", "conv", "supervised", 32, 2, None, None, None, "OSError: disk full", "run-b"),
        Failure("digits", "conv", "simclr", 32, 0, 0, 0.01, "linear_probe", "done again since", "run-c"),
    )
    found = page(from_records(made), Attachments(gaps=Gaps(failures=failures)))
    assert cell(found, "simclr", 2) == "failed"
    titles = " ".join(attributes.get("title", "") for attributes in found.attributes("td"))
    assert "seed 0 failed: TrainingError: loss is nan" in titles
    assert "done again since" not in titles


def test_a_cell_of_another_version_or_of_other_settings_is_marked_stale() -> None:
    records = from_records(probes("simclr", 0.8, 0.81) + probes("rotation", 0.7, 0.72) + supervised(0.7, 0.72))
    old = records["pretext"] == "rotation"
    records.loc[old, "sslbench_version"] = "0.0.9"
    records.loc[old, "started_at"] = "2025-01-01T00:00:00Z"
    first = (records["pretext"] == "simclr") & (records["seed"] == 0)
    records.loc[first, "config_hash"] = "other"
    records.loc[first, "started_at"] = "2025-01-01T00:00:00Z"
    found = page(records)
    assert "§" in cell(found, "rotation")
    assert "§" in cell(found, "simclr")
    assert "§" not in cell(found, "supervised")
    markdown = table_markdown(records, "t")
    assert next(line for line in markdown.splitlines() if line.startswith("| rotation")).count("§") == 1
    assert "§ stale: at least one seed" in markdown
    assert any("Stale §: 3 cells were computed" in text for text in found.texts["p"])


def test_a_collapsed_encoder_is_marked_and_named() -> None:
    records = from_records(probes("simclr", 0.8, 0.81) + supervised(0.7, 0.72))
    flag = records[records["pretext"] == "simclr"].assign(metric="collapsed", split="unlabelled", value=1.0)
    measured = [
        flag.assign(metric=f"representation.{name}", protocol="diagnostics", label_fraction=0.0)
        for name in ("rankme", "alpha_req", "lidar", "uniformity", "alignment", "per_dimension_std")
    ]
    found = page(pd.concat([records, flag.assign(protocol="diagnostics", label_fraction=0.0), *measured]))
    assert any(line[0] == "simclr ‡" for line in found.accuracy[0])
    assert any("Collapsed ‡ in at least one seed: simclr." in text for text in found.texts["p"])


def test_one_can_find_ones_way_by_headings_keyboard_and_screen_reader(golden: pd.DataFrame) -> None:
    found = page(golden, Attachments(exhibits=(exhibit("simclr"),)))
    assert len(found.attributes("h1")) == 1
    ids = {attributes["id"] for _, attributes in found.tags if "id" in attributes}
    links = {attributes["href"][1:] for attributes in found.attributes("a") if attributes["href"].startswith("#")}
    assert links <= ids
    assert {"answer", "tables", "curves", "cost", "environment", "pictures"} <= links
    assert len(ids) == sum("id" in attributes for _, attributes in found.tags)
    assert all(attributes["alt"] for attributes in found.attributes("img"))
    assert all(text.strip() for text in found.texts["button"])
    tabbable = [item for item in found.attributes("button") if "data-cell" in item and item["tabindex"] == "0"]
    assert len(tabbable) == len(found.accuracy)
    drawings = found.attributes("svg")
    assert all(item.get("aria-hidden") == "true" or len(item["aria-label"]) > 20 for item in drawings)
    assert all(re.search(r"from [\d.]+ to [\d.]+ %", chart["alt"]) for chart in found.data["charts"] if chart["lines"])
    assert {"scope"} <= set(found.attributes("th")[0])


def test_charts_hold_the_means_and_intervals_of_the_tables(golden: pd.DataFrame) -> None:
    found = page(golden)
    (choice,) = [item["data-chart"] for item in found.attributes("div") if item.get("id") == "curves-0"]
    chart = found.data["charts"][int(choice)]
    lines = {line["row"]: line["points"] for line in chart["lines"]}
    assert "majority_class" not in lines
    for row, points in lines.items():
        texts = [text for text in next(line for line in found.accuracy[0] if line[0] == row)[1:] if text != "–"]
        assert [point["tip"].split("\n")[2].split(" %")[0] for point in points] == [
            text.split(" (")[0].replace(" †", "") for text in texts
        ]
    assert {line["row"] for line in chart["lines"]} <= set(found.data["looks"])


def test_rows_are_told_apart_without_colour() -> None:
    records = from_records([made for index in range(14) for made in probes(f"task{index:02d}", 0.5 + index / 100, 0.6)])
    looks = page(records).data["looks"]
    assert len({(look["symbol"], look["dash"]) for look in looks.values()}) == 14


def exhibit(pretext: str) -> Exhibit:
    import io

    from PIL import Image

    png = io.BytesIO()
    Image.linear_gradient("L").resize((1800, 900)).save(png, format="png")
    return Exhibit("digits", "conv", pretext, 128, 0, "map", shrink(png.getvalue()))


def test_pictures_are_embedded_small_and_survive_their_folder(golden: pd.DataFrame, tmp_path: Path) -> None:
    shown = (exhibit("simclr"), exhibit("barlow_twins"))
    found = page(golden, Attachments(exhibits=shown)).attributes("img")
    assert [item["src"][:22] for item in found] == ["data:image/png;base64,"] * 2
    assert {(item["width"], item["height"]) for item in found} == {("900", "450")}
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "old.png").write_bytes(b"")
    write_exhibits(shown, tmp_path)
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == [
        "digits-conv-barlow_twins-d128-s0-map.png",
        "digits-conv-simclr-d128-s0-map.png",
    ]
    assert set(read_exhibits(tmp_path)) == set(shown)


def test_gaps_survive_their_file_and_go_with_it(tmp_path: Path) -> None:
    failures = (Failure("digits", "conv", "simclr", 32, 0, None, None, None, "OSError: ö", "run"),)
    for gaps in (Gaps(4, 1, failures), Gaps(4, 2), Gaps(4, 0, failures)):
        write_gaps(gaps, tmp_path)
        assert read_gaps(tmp_path) == gaps
    write_gaps(Gaps(4, 0), tmp_path)
    assert not (tmp_path / "gaps.json").exists()
    assert read_gaps(tmp_path) == Gaps()
    (tmp_path / "gaps.json").write_text('{"planned": 1, "missing": 0, "failures": [{"dataset": 1}]}')
    with pytest.raises(InputError, match="cannot read gaps from"):
        read_gaps(tmp_path)


def test_an_unfinished_suite_is_said_to_be_one() -> None:
    records = from_records(probes("simclr", 0.8, 0.81) + supervised(0.7, 0.72))
    texts = page(records, Attachments(gaps=Gaps(1330, 1326))).texts["p"]
    assert any(text.startswith("Unfinished: 1,326 of the 1,330 evaluations of the suite have no") for text in texts)
    assert not any("no evaluation is missing" in text for text in texts)
