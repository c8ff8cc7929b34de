"""`report.html`: one page that holds everything, loads nothing, and answers before it explains.

The template is filled by Jinja2 with autoescaping on. Charts are drawn by Observable Plot and D3, which stand in the
page (490 kB, ISC licence); the data they draw stands there too. Equal records, notes and files give equal bytes.

The first screen is the answer: a sentence, the curves, the labels saved. A chooser shows one table at a time, there
and below; without a script all of them are shown. What only a reviewer asks for is folded at the end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from sslbench.report.attachments.attachments import Attachments
from sslbench.report.page.answer import answers, notices, opening, subtitle
from sslbench.report.page.charts import Chart, Figure, curve_figure, page_data
from sslbench.report.page.compute import budget_part, compute_part
from sslbench.report.page.files import asset, template
from sslbench.report.page.insight import measure_part, optimism_part, share_part, spread_part
from sslbench.report.page.parts import Part
from sslbench.report.page.savings import SAVINGS_TEXT, saved_figure, savings_sheets
from sslbench.report.page.sections import (
    cost_part,
    environment_part,
    latent_part,
    others_part,
    outcome_part,
    picture_part,
)
from sslbench.report.scores.layout import Block, on_one_axis
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.tables.sheet import Sheet, Tables
from sslbench.report.words.findings import findings
from sslbench.report.words.reading import headline_text, marks_text
from sslbench.report.words.wording import block_title, several_places

LIBRARIES = ("d3-7.9.2.min.js", "plot-0.6.17.min.js")


class Drawing(NamedTuple):
    """A figure in its place on the page, and the number of its first chart."""

    figure: Figure
    first: int


@dataclass(frozen=True)
class View:
    """What is shown of one dataset, encoder, latent size and protocol: its two figures, its tables.

    Of accuracy there is a table per dataset that was pretrained on.
    """

    title: str
    curves: Drawing
    saved: Drawing | None
    accuracy: list[Sheet]
    savings: list[Sheet]


class _Charts(list[Chart]):
    """The charts of the page, numbered in the order they were placed."""

    def place(self, figure: Figure) -> Drawing:
        first = len(self)
        self.extend(chart for _, chart in figure.charts)
        return Drawing(figure, first)

    def place_all(self, parts: Sequence[Part | None]) -> list[tuple[Part, list[Drawing]]]:
        return [(part, [self.place(figure) for figure in part.figures]) for part in parts if part is not None]


def report_html(tables: Tables, analysis: Analysis, title: str, notes: Sequence[str], attached: Attachments) -> str:
    """The page as text."""
    layout, blocks = tables.layout, on_one_axis(tables.layout.blocks)
    found = findings(analysis)
    told = answers(found, blocks)
    charts = _Charts()
    views = _views(tables, analysis, blocks, charts)
    chapters = [latent_part(blocks), compute_part(analysis), others_part(tables.others)]
    chapters.append(picture_part(attached.exhibits or ()))
    drawn = charts.place_all(chapters)
    reviews = charts.place_all(_reviews(tables, analysis, attached))
    said = {answer.sentence for answer in told}
    return template("report.html").render(
        title=title,
        subtitle=subtitle(blocks),
        answers=told,
        views=views,
        several=several_places(tables.layout.blocks),
        opening=opening(found, blocks),
        findings=[one.sentence for one in found if one.sentence not in said],
        notices=notices(layout),
        reading=_reading(tables, analysis, notes),
        chapters=drawn,
        reviews=reviews,
        data=_script_json(page_data(charts, {row for block in blocks for row in block.rows})),
        ui_url=attached.ui_url.rstrip("/"),
        style=asset("style.css"),
        libraries=Markup("\n").join(asset(f"vendor/{name}") for name in LIBRARIES),
        script=asset("charts.js"),
        licences=str(asset("vendor/LICENSES.txt")),
    )


def unlinked(page: str) -> str:
    """A page whose run ids lead nowhere, for readers who do not have these runs."""
    return re.sub(r'(<dialog id="runs") data-ui="[^"]*"', r"\1", page)


def _views(tables: Tables, analysis: Analysis, blocks: Sequence[Block], charts: _Charts) -> list[View]:
    views = []
    for block in blocks:
        accuracy = [sheet for sheet in tables.accuracy if sheet.block and sheet.block.axis == block.axis]
        curves = charts.place(curve_figure(block))
        saved = saved_figure(analysis, block)
        drawn = charts.place(saved) if saved else None
        views.append(View(block_title(block, blocks), curves, drawn, accuracy, savings_sheets(analysis, block)))
    return views


def _reviews(tables: Tables, analysis: Analysis, attached: Attachments) -> list[Part | None]:
    """What is folded under one chapter at the end."""
    return [
        outcome_part(analysis),
        share_part(analysis),
        spread_part(analysis),
        optimism_part(analysis),
        measure_part(tables.measures, analysis),
        budget_part(analysis.budgets),
        cost_part(tables.costs, attached.tuned or (), tables.layout),
        environment_part(attached.environment, tables.layout),
    ]


def _reading(tables: Tables, analysis: Analysis, notes: Sequence[str]) -> list[str]:
    """How to read the tables: what the cells hold, what the marks mean, what the suite notes."""
    failed = ["A cell that reads failed has only failed runs; its reason shows when pointed at."]
    failed *= bool(tables.layout.gaps.failures)
    savings = () if analysis.multipliers.empty else SAVINGS_TEXT
    return [*tables.reading, *headline_text(analysis.primary), *marks_text(tables.layout), *failed, *savings, *notes]


def _script_json(data: dict[str, object]) -> Markup:
    """Data as JSON that can stand in a script element, whatever names it holds."""
    text = json.dumps(data, separators=(",", ":"), sort_keys=True, allow_nan=False)
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))
