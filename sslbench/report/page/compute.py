"""Accuracy against compute: the Pareto front, and whether the budgets were equal."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import pandas as pd

from sslbench.report.page.charts import Chart, Figure, Point
from sslbench.report.page.parts import PLACE, Line, Part, Say, places, pretext_of, said, sheet_of
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.statistics.compute import front
from sslbench.report.tables.sheet import Sheet
from sslbench.report.words.numbers import count, flops, percent, three_digits
from sslbench.report.words.wording import unequal as words_of

#: A page stays light: with more points than this in one figure only the ends and the middle of the fractions are drawn.
MOST_POINTS = 1200


class Cost(NamedTuple):
    """A way to count cost: its column, its words, and how a value is written."""

    column: str
    words: str
    form: Callable[[float], str]


def _seconds(value: float) -> str:
    return f"{three_digits(value)} s"


#: How budgets are written; samples and trials are counts.
FORMS: dict[str, Callable[[float], str]] = {"FLOPs": flops, "seconds": _seconds}

COSTS = (
    Cost("seconds", "seconds (tuning, pretraining, one evaluation)", _seconds),
    Cost("flops", "floating-point operations (tuning, pretraining, one evaluation)", flops),
)

TEXT = (
    "Each point is a row of the tables with its whole bill for one number: tuning (where a settings file says what it "
    "cost), pretraining and one evaluation, in seconds of this hardware or in operations of the networks. The line "
    "joins the rows that no other row beats: nothing is at least as accurate for less. Means are taken as they are; a "
    "row may be off the front by less than its interval. Operations are those of training networks and of representing "
    "inputs; what a probe solves on the representations is not counted, so `raw_pixels` costs none and is not drawn."
)


def compute_part(analysis: Analysis) -> Part | None:
    """Accuracy against cost at every label fraction."""
    figures = []
    for where, part in places(analysis.compute):
        title = f"{where}accuracy against cost"
        charts = tuple(
            (f"{percent(fraction)} of the labels, {cost.column}", chart)
            for cost in COSTS
            for fraction in _fractions(part)
            if (chart := _chart(part[part["label_fraction"] == fraction], fraction, cost, title)).points
        )
        if charts:
            figures.append(Figure(title[0].upper() + title[1:], charts, "Show"))
    return Part("compute", "Accuracy against compute", (TEXT,), tuple(figures)) if figures else None


def _fractions(part: pd.DataFrame) -> list[float]:
    fractions = sorted(set(part["label_fraction"]))
    if len(part) <= MOST_POINTS or len(fractions) <= 3:
        return fractions
    return [fractions[0], fractions[len(fractions) // 2], fractions[-1]]


def _chart(part: pd.DataFrame, fraction: float, cost: Cost, title: str) -> Chart:
    drawn = part[part[cost.column] > 0]
    # As far as it is shown: means of equal costs may differ in their last bit, which must not decide who is in front.
    costs = [float(f"{value:.4g}") for value in drawn[cost.column].tolist()]
    gains = [round(100 * value, 3) for value in drawn["accuracy"].tolist()]
    points = [
        (_point(line, x, y, cost, ahead), ahead)
        for line, x, y, ahead in zip(drawn.to_dict("records"), costs, gains, front(costs, gains), strict=True)
    ]
    points.sort(key=lambda item: (item[0].x, item[0].y, item[0].tip))
    first = tuple(point for point, ahead in points if ahead)
    best = f" The front ends at {first[-1].y:.1f} % ({first[-1].row})." if first else ""
    alt = f"Scatter chart of test accuracy against {cost.words} with {percent(fraction)} of the labels, {title}.{best}"
    return Chart("points", alt, cost.words, "test accuracy, %", points=tuple(point for point, _ in points), front=first)


def _point(line: Line, x: float, y: float, cost: Cost, ahead: bool) -> Point:
    half = (line["high"] - line["low"]) / 2
    spread = "" if math.isnan(half) else f" ± {100 * half:.1f}"
    tip = (
        f"{pretext_of(line)}, {line['protocol']}, d={line['latent_dim']}\n"
        f"{y:.1f}{spread} %, {cost.form(x)}{', on the front' if ahead else ''}"
    )
    return Point(x, y, None, tip, pretext_of(line))


def budget_part(budgets: pd.DataFrame) -> Part | None:
    """Whether the comparison is one at equal budgets."""
    if budgets.empty:
        return None
    unequal = budgets[~budgets["matched"].astype(bool)]
    text = "Budgets match: pretexts were given equal samples, operations, seconds and trials, within 25%."
    if not unequal.empty:
        largest = unequal.sort_values("ratio", ascending=False, kind="stable").drop_duplicates("quantity")
        text = f"Budgets differ, at most like this: {'; '.join(map(words_of, largest.to_dict('records')))}."
    return Part("budgets", "Were budgets equal?", (text,), sheets=(_budget_sheet(budgets),))


def _budget_sheet(budgets: pd.DataFrame) -> Sheet:
    def end(name: str) -> Say:
        return lambda line: f"{FORMS.get(line['quantity'], count)(line[name])} ({line[f'{name}_pretext']})"

    columns = (
        *(*PLACE, ("latent size", said("latent_dim")), ("budget", said("quantity"))),
        *(("least", end("least")), ("most", end("most"))),
        *(("ratio", lambda line: f"{line['ratio']:.2f}"), ("matched", lambda line: "yes" if line["matched"] else "no")),
    )
    return sheet_of(budgets, columns, 4)
