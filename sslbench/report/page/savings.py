"""Labels saved: the plot of the first screen, and the tables of multipliers, crossovers and areas."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sslbench.report.figures.savings import Bar, bars_of, edges_of, measured, of_block, saved_text, ticks
from sslbench.report.page.charts import Chart, Figure, full_title
from sslbench.report.page.parts import Line, by_fraction, pretext_of, sheet_of
from sslbench.report.scores.evaluations import ROW_KEY
from sslbench.report.scores.layout import Block
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.statistics.crossing import WIDEST
from sslbench.report.statistics.label_efficiency import OVERTAKEN, OVERTAKEN_BETWEEN
from sslbench.report.tables.sheet import Sheet
from sslbench.report.words.numbers import NOT_RUN, fraction_interval, percent, rounded_percent, within
from sslbench.report.words.reading import AREAS_TEST

SAVINGS_TEXT = (
    "Label multiplier: how many times more labels training from scratch (`supervised`) needs to be as accurate (Newell "
    "& Deng 2020, arXiv:2003.14323), with its 95% confidence set, from paired seeds. 2 means that half the labels are "
    "saved, below 1 that pretraining costs labels. `>` and `<` mark what lies beyond the measured label budgets: more "
    "than the data holds, or fewer than the smallest budget.",
    "How computed: the mean curve is made monotone and interpolated linearly on the logarithmic label axis, but never "
    f"across more than a factor of {WIDEST} in labels: between budgets further apart the answer is a bound, written "
    "`1 to 5`. No law of the curve is supposed (power laws: Viering & Loog 2022, arXiv:2103.10948). The confidence set "
    "holds every number of labels at which a paired t-test does not tell the two apart, whether the curve between two "
    "budgets is straight or has a corner.",
    "Crossover: the share of labels from which training from scratch is ahead. Area: mean accuracy when every doubling "
    f"of the labels counts the same, and its difference to `supervised` in points ({AREAS_TEST}).",
)


def saved_figure(analysis: Analysis, block: Block) -> Figure | None:
    """Labels saved by every row of a table, at a label fraction one can choose; None without `supervised`."""
    charts = [
        (f"{percent(at)} ({block.num_labels[at][-1]:,})", _saved_chart(block, at, bars))
        for at, bars in bars_of(analysis, block).items()
    ]
    return Figure("Labels saved", tuple(charts), "with labels") if charts else None


def _saved_chart(block: Block, fraction: float, bars: Sequence[Bar]) -> Chart:
    labels = block.num_labels[fraction][-1]
    least, most = measured(block, labels)
    edges = edges_of(least, most)
    found = "; ".join(f"{one.row} {one.text}" for one in bars)
    return Chart(
        kind="saved",
        alt=f"Plot of how many times more labels training from scratch needs, with {percent(fraction)} of the labels, "
        f"{full_title(block)}: {found}.",
        xlabel="labels from scratch ÷ labels with pretraining",
        ylabel="",
        caption=f"Labels that training from scratch needs for the same accuracy, divided by the {labels:,} used here. "
        "At 1× no labels are saved; right of it pretraining saves labels, left of it it costs labels. Lines: 95% "
        "intervals, with arrows where the data does not bound them; faint: single seeds; shaded: beyond the label "
        "budgets that were run.",
        ticks=ticks(edges, labels),
        xdomain=(*edges, least, most),
        bars=tuple(bars),
    )


def savings_sheets(analysis: Analysis, block: Block) -> list[Sheet]:
    """Multipliers, crossovers and areas of a table; none where `supervised` was not run."""
    found, overtaken = of_block(block, analysis.multipliers), of_block(block, analysis.crossovers)
    if found.empty:
        return []
    merged = overtaken.merge(of_block(block, analysis.areas), on=list(ROW_KEY), suffixes=("", "_area"))
    columns = (
        ("pretext", pretext_of),
        ("crossover", _crossover),
        ("area, %", lambda line: _area(line["area"], line["low_area"], line["high_area"])),
        (
            "difference to supervised",
            lambda line: _area(line["difference"], line["difference_low"], line["difference_high"], signed=True),
        ),
        ("outcome", lambda line: line["outcome_area"] or NOT_RUN),
    )
    return [
        by_fraction(found, [("label multiplier", pretext_of)], saved_text, "Label multipliers"),
        sheet_of(merged, columns, 1, "Crossover and area"),
    ]


def _crossover(line: Line) -> str:
    ends = fraction_interval(line["low"], line["high"])
    if line["outcome"] == OVERTAKEN_BETWEEN:
        return f"{rounded_percent(line['least'])} to {rounded_percent(line['most'])} {ends}"
    return (
        f"{rounded_percent(line['label_fraction'])} {ends}"
        if line["outcome"] == OVERTAKEN
        else line["outcome"] or NOT_RUN
    )


def _area(value: float, low: float, high: float, signed: bool = False) -> str:
    return NOT_RUN if math.isnan(value) else within(value, (high - low) / 2, signed=signed)
