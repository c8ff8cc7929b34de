"""`report.html`: one page that holds everything, loads nothing, and answers before it explains.

The template is filled by Jinja2 with autoescaping on. Charts are drawn by Observable Plot and D3, which stand in the
page (490 kB, ISC licence); the data they draw stands there too. Equal records, notes and files give equal bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from sslbench.contract.titles import protocol_rank
from sslbench.report.attachments.attachments import Attachments
from sslbench.report.page.charts import Chart, Figure, legend_rows, page_looks
from sslbench.report.page.compute import compute_section, tuning_grids
from sslbench.report.page.data import embedded, legend_look
from sslbench.report.page.insight import (
    correlation_grids,
    measure_figures,
    optimism_section,
    share_section,
    spread_section,
)
from sslbench.report.page.savings import outcome_section, savings_section
from sslbench.report.page.sections import (
    Section,
    cost_section,
    curve_section,
    environment_section,
    latent_section,
    measure_section,
    picture_section,
)
from sslbench.report.page.tables import tables
from sslbench.report.scores.layout import Block, Layout
from sslbench.report.statistics.analysis import Analysis, analyse
from sslbench.report.tables.sheet import Tables
from sslbench.report.words.findings import findings
from sslbench.report.words.numbers import duration, percent
from sslbench.report.words.reading import COLLAPSED, STALE, marks_text
from sslbench.report.words.wording import missing_line

PAGE = Path(__file__).parent / "assets"
LIBRARIES = ("d3-7.9.2.min.js", "plot-0.6.17.min.js")


#: Tables of a section that stand open; those after them are opened one by one.
UNFOLDED = 12


@dataclass(frozen=True)
class Notice:
    """A line under the findings about what the numbers lack; `clean` if they lack nothing."""

    text: str
    clean: bool = False


@dataclass(frozen=True)
class Drawing:
    """A figure as the template places it: which charts it can show, as (name, index)."""

    anchor: str
    title: str
    asks: str
    caption: str
    alt: str
    choices: tuple[tuple[str, int], ...]


def report_html(data: Tables, title: str, notes: Sequence[str], attached: Attachments) -> str:
    """The page as text.

    Raises:
        InputError: two records claim the same cell and seed.
    """
    layout = data.layout
    records, blocks = layout.records, layout.blocks
    views, runs = tables(data)
    analysis = analyse(layout, attached.tuned or ())
    sections = _sections(data, blocks, analysis, attached)
    looks = page_looks({row for block in blocks for row in block.rows})
    charts: list[Chart] = []
    drawn = [_placed(section, charts) for section in sections]
    return _template().render(
        title=title,
        subtitle=_subtitle(records, blocks),
        contents=[("answer", "The answer"), ("tables", "Accuracy"), *((part.anchor, part.title) for part in sections)],
        findings=[_with_code(finding.sentence) for finding in findings(analysis)],
        notices=_notices(blocks, layout),
        facts=_facts(records),
        tables=views,
        unfolded=UNFOLDED,
        legend_text=[_with_code(paragraph) for paragraph in (*data.reading, *_marks_text(layout), *notes)],
        sections=drawn,
        legend_rows=legend_rows(blocks, looks),
        looks={row: legend_look(look) for row, look in looks.items()},
        data=embedded(charts, looks, runs, attached.ui_url),
        style=_asset("style.css"),
        libraries=Markup("\n").join(_asset(f"vendor/{name}") for name in LIBRARIES),
        script=_asset("charts.js"),
        licences=(PAGE / "vendor" / "LICENSES.txt").read_text(encoding="utf-8"),
    )


def _sections(data: Tables, blocks: Sequence[Block], analysis: Analysis, attached: Attachments) -> list[Section]:
    parts = [
        curve_section(blocks),
        latent_section(blocks),
        savings_section(analysis),
        outcome_section(analysis),
        share_section(analysis),
        compute_section(analysis),
        measure_section(data.measures, measure_figures(data.layout.records, analysis), correlation_grids(analysis)),
        optimism_section(analysis),
        spread_section(analysis),
        picture_section(attached.exhibits or ()),
        cost_section(data, tuning_grids(attached.tuned or ())),
        environment_section(attached.environment, data.layout.records),
    ]
    return [part for part in parts if part is not None]


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


def _placed(section: Section, charts: list[Chart]) -> dict[str, object]:
    """A section with its figures' charts given numbers, in order of the page."""
    figures = [_drawing(figure, f"{section.anchor}-{number}", charts) for number, figure in enumerate(section.figures)]
    return {
        "anchor": section.anchor,
        "title": section.title,
        "text": [_with_code(paragraph) for paragraph in section.text],
        "figures": figures,
        "tables": section.tables,
        "pictures": section.pictures,
        "bars": section.bars,
    }


def _drawing(figure: Figure, anchor: str, charts: list[Chart]) -> Drawing:
    first = len(charts)
    charts.extend(chart for _, chart in figure.charts)
    choices = tuple((name, first + number) for number, (name, _) in enumerate(figure.charts))
    return Drawing(anchor, figure.title, figure.asks, figure.caption, charts[first].alt, choices)


def _subtitle(records: pd.DataFrame, blocks: Sequence[Block]) -> str:
    """What was compared, on what, how often."""
    datasets = sorted(set(records["dataset"]))
    rows = dict.fromkeys(row for block in blocks for row in block.rows)
    seeds = len({replicate for block in blocks for replicate in block.replicates})
    fractions = sorted({fraction for block in blocks for fraction in block.fractions})
    spread = percent(fractions[0]) if len(fractions) == 1 else f"{percent(fractions[0])} to {percent(fractions[-1])}"
    times = "1 repetition" if seeds == 1 else f"{seeds} repetitions"
    return f"{', '.join(datasets)}: {len(rows)} ways to train, from {spread} of the labels, {times} each."


def _facts(records: pd.DataFrame) -> list[tuple[str, str]]:
    scores = records[(records["metric"] == "accuracy") & (records["split"] == "test")]
    trained = scores[scores["pretrain_samples"] > 0]
    encoders = trained.drop_duplicates(["dataset", "pretrain_dataset", "encoder", "pretext", "latent_dim", "seed"])
    spent = encoders["pretrain_seconds"].sum() + scores["evaluate_seconds"].sum()
    return [
        ("encoders", ", ".join(sorted(set(trained["encoder"])) or ["none"])),
        ("latent sizes", ", ".join(str(size) for size in sorted(set(trained["latent_dim"])))),
        ("protocols", ", ".join(sorted(set(scores["protocol"]) - {"majority_class"}, key=protocol_rank))),
        ("pretrainings", f"{len(encoders):,}"),
        ("evaluations", f"{len(scores):,}"),
        ("processor time", duration(float(spent))),
    ]


def _notices(blocks: Sequence[Block], evidence: Layout) -> list[Notice]:
    """What the numbers lack, each as one line; one line to say so if they lack nothing."""
    found = []
    missing = missing_line(blocks)
    if missing:
        found.append(Notice(missing[0].upper() + missing[1:]))
    gaps = evidence.gaps
    if gaps.missing:
        of = f"{gaps.missing:,} of the {gaps.planned:,} evaluations of the suite have no record yet"
        found.append(Notice(f"Unfinished: {of}. What follows is of the others and may change."))
    if gaps.failures:
        cells = "1 cell" if len(gaps.failures) == 1 else f"{len(gaps.failures)} cells"
        reasons = sorted({failure.reason for failure in gaps.failures})
        found.append(Notice(f"Failed: {cells}, for: {'; '.join(reasons)}."))
    if evidence.stale:
        cells = "1 cell was" if len(evidence.stale) == 1 else f"{len(evidence.stale)} cells were"
        found.append(Notice(f"Stale {STALE}: {cells} computed by another version or with other settings."))
    if evidence.collapsed:
        names = sorted({pretext for *_, pretext, _ in evidence.collapsed})
        found.append(Notice(f"Collapsed {COLLAPSED} in at least one seed: {', '.join(names)}."))
    if not found:
        return [Notice("Complete: no evaluation is missing, failed or stale, and no representation collapsed.", True)]
    return found


def _marks_text(evidence: Layout) -> list[str]:
    """What the marks mean that `table.md` does not have."""
    said = marks_text(evidence)
    if evidence.gaps.failures:
        said.append("A cell that reads failed has only failed runs; its reason shows when pointed at.")
    return said
