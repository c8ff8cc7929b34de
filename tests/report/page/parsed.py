"""A page read back: what stands in it, in which order, and what its charts draw."""

from __future__ import annotations

import io
import json
from html.parser import HTMLParser
from typing import Any

import pandas as pd
from PIL import Image

from sslbench.report.attachments.attachments import Attachments
from sslbench.report.attachments.exhibits import Exhibit, shrink
from sslbench.report.page.render import report_html
from sslbench.report.records import conform
from sslbench.report.scores.layout import lay_out
from sslbench.report.statistics import Analysis
from sslbench.report.tables.sheet import tables_of
from tests.made_up import tuned_arm

VOID = {"meta", "link", "br", "img", "input", "line", "path"}
TEXTS = ("h1", "h2", "h3", "li", "p", "title", "button", "option", "figcaption", "summary", "noscript")


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
        elif tag in TEXTS:
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

    def at(self, tag: str, **wanted: str) -> int:
        """Where the first tag with these attributes stands."""
        return next(
            place for place, (name, found) in enumerate(self.tags) if name == tag and wanted.items() <= found.items()
        )

    @property
    def data(self) -> Any:
        return json.loads(self.scripts["data"])

    @property
    def accuracy(self) -> list[list[list[str]]]:
        return [table for table in self.tables if table[0][0] == "test accuracy, %"]

    @property
    def runs(self) -> list[list[tuple[str, float, str]]]:
        """(seed, value, run) behind each number."""
        return [json.loads(item["data-runs"]) for item in self.attributes("button") if "data-runs" in item]

    def charts(self, kind: str) -> list[Any]:
        return [chart for chart in self.data["charts"] if chart["kind"] == kind]


def html(records: pd.DataFrame, attached: Attachments | None = None, title: str = "tested") -> str:
    given = attached or Attachments()
    tables = tables_of(lay_out(conform(records, "the records"), given.gaps))
    analysis = Analysis(tables.layout, given.tuned or ())
    return report_html(tables, analysis, title, ("Every training took `10` steps.",), given)


def page(records: pd.DataFrame, attached: Attachments | None = None, title: str = "tested") -> Page:
    return Page(html(records, attached, title))


def cell(found: Page, row: str, column: int = 1, table: int = 0) -> str:
    (line,) = [line for line in found.accuracy[table] if line[0].split(" ‡")[0] == row]
    return line[column]


def exhibit(pretext: str) -> Exhibit:
    png = io.BytesIO()
    Image.linear_gradient("L").resize((1800, 900)).save(png, format="png")
    return Exhibit("digits", "conv", pretext, 128, 0, "map", shrink(png.getvalue()))


def everything() -> Attachments:
    """All a page can have besides records."""
    return Attachments({"python": "3.11"}, exhibits=(exhibit("simclr"),), tuned=(tuned_arm("simclr", 8, 10, 1e12),))
