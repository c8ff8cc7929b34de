"""`report.html`: one page that holds everything, loads nothing, and answers before it explains.

The template is filled by Jinja2 with autoescaping on. Charts are drawn by Observable Plot and D3, which stand in the
page (490 kB, ISC licence); the data they draw stands there too. Equal records, notes and files give equal bytes.

The first screen is the answer: a sentence, the curves, the labels saved. A chooser shows one table at a time, there
and below; without a script all of them are shown. What only a reviewer asks for is folded at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from sslbench.report.attachments.attachments import Attachments
from sslbench.report.page.answer import answers, notices, opening, subtitle
from sslbench.report.page.charts import Chart, Figure, curve_figure, embedded
from sslbench.report.page.compute import budget_part, compute_part
from sslbench.report.page.grids import Grid, Part
from sslbench.report.page.insight import measure_part, optimism_part, share_part, spread_part
from sslbench.report.page.savings import SAVINGS_TEXT, saved_figure, savings_grids, seed_multipliers
from sslbench.report.page.sections import cost_part, environment_part, latent_part, outcome_part, picture_part
from sslbench.report.page.tables import TableView, tables
from sslbench.report.records import conform
from sslbench.report.scores.blocks import Block, place
from sslbench.report.scores.marks import STALE_TEXT, Evidence, evidence_of
from sslbench.report.scores.measures import COLLAPSED
from sslbench.report.statistics.analysis import Analysis, analyse
from sslbench.report.statistics.summary import cells_of
from sslbench.report.tables.markdown import legend
from sslbench.report.words.findings import findings

PAGE = Path(__file__).parent / "assets"
LIBRARIES = ("d3-7.9.2.min.js", "plot-0.6.17.min.js")


@dataclass(frozen=True)
class Drawing:
    """A figure as the template places it: which charts it can show, as (name, index)."""

    title: str
    asks: str
    alt: str
    choices: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class View:
    """What is shown of one dataset, encoder, latent size and protocol: its two figures, its tables."""

    curves: Drawing
    saved: Drawing | None
    accuracy: TableView
    savings: list[Grid]


class _Charts(list[Chart]):
    """The charts of the page, numbered in the order they were placed."""

    def place(self, figure: Figure) -> Drawing:
        first = len(self)
        self.extend(chart for _, chart in figure.charts)
        choices = tuple((name, first + number) for number, (name, _) in enumerate(figure.charts))
        return Drawing(figure.title, figure.asks, self[first].alt, choices)


def report_html(records: pd.DataFrame, title: str, notes: Sequence[str], attached: Attachments) -> str:
    """The page as text.

    Raises:
        InputError: two records claim the same cell and seed.
    """
    records = conform(records, "the records")  # sums depend on the order of what is summed
    blocks = place(records)
    evidence = evidence_of(records, attached.gaps)
    accuracies, runs = tables(blocks, evidence)
    analysis = analyse(records, [one.cost for one in attached.tuned or ()])
    found = findings(analysis)
    charts = _Charts()
    views = _views(blocks, accuracies, analysis, charts)
    chapters = [
        part
        for part in (latent_part(blocks), compute_part(analysis), picture_part(attached.exhibits or ()))
        if part is not None
    ]
    reviews = _reviews(records, analysis, attached)
    told = answers(found, blocks)
    first = {answer.sentence for answer in told}
    rows = list(dict.fromkeys(row for block in blocks for row in block.rows))
    return _template().render(
        title=title,
        subtitle=subtitle(records, blocks),
        contents=[
            *(("answer", "The answer"), ("tables", "Tables")),
            *((part.anchor, part.title) for part in chapters),
            ("reviewers", "For reviewers"),
        ],
        answers=[(_with_code(answer.sentence), answer.tables) for answer in told],
        views=views,
        opening=opening(found, blocks),
        findings=[_with_code(one.sentence) for one in found if one.sentence not in first],
        notices=notices(blocks, evidence),
        reading=[_with_code(text) for text in _reading(blocks, evidence, analysis, notes)],
        chapters=[(part, [charts.place(figure) for figure in part.figures]) for part in chapters],
        reviews=[(part, [charts.place(figure) for figure in part.figures]) for part in reviews],
        with_code=_with_code,
        data=embedded(charts, rows, runs, attached.ui_url),
        style=_asset("style.css"),
        libraries=Markup("\n").join(_asset(f"vendor/{name}") for name in LIBRARIES),
        script=_asset("charts.js"),
        licences=(PAGE / "vendor" / "LICENSES.txt").read_text(encoding="utf-8"),
    )


def _views(
    blocks: Sequence[Block], accuracies: Sequence[TableView], analysis: Analysis, charts: _Charts
) -> list[View]:
    alone = seed_multipliers(analysis.evaluations)
    views = []
    for block, accuracy in zip(blocks, accuracies, strict=True):
        curves = charts.place(curve_figure(block, blocks))
        saved = saved_figure(analysis, alone, block)
        views.append(View(curves, saved and charts.place(saved), accuracy, savings_grids(analysis, block)))
    return views


def _reviews(records: pd.DataFrame, analysis: Analysis, attached: Attachments) -> list[Part]:
    """What is folded under one chapter at the end."""
    parts = [
        outcome_part(analysis),
        share_part(analysis),
        spread_part(analysis),
        optimism_part(analysis),
        measure_part(records, analysis),
        budget_part(analysis.budgets),
        cost_part(records, attached.tuned or ()),
        environment_part(attached.environment, records),
    ]
    return [part for part in parts if part is not None]


def _reading(blocks: Sequence[Block], evidence: Evidence, analysis: Analysis, notes: Sequence[str]) -> list[str]:
    """How to read the tables: what the cells hold, what the marks mean, what the suite notes."""
    said = legend(blocks, [cells_of(block) for block in blocks])
    if evidence.collapsed:
        said.append(f"{COLLAPSED} a collapsed representation in at least one seed: see the measures below.")
    if evidence.stale:
        said.append(STALE_TEXT)
    if evidence.gaps.failures:
        said.append("A cell that reads failed has only failed runs; its reason shows when pointed at.")
    return [*said, *(() if analysis.multipliers.empty else SAVINGS_TEXT), *notes]


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string((PAGE / "report.html").read_text(encoding="utf-8"))


@cache
def _asset(name: str) -> Markup:
    """A style or script of our own, put into the page as it is."""
    return Markup((PAGE / name).read_text(encoding="utf-8"))


def _with_code(text: str) -> Markup:
    """Text with `code` between backticks, everything else escaped."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(parts)
    )
