"""The page's section on accuracy against compute: the Pareto front, and whether the budgets were equal."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sslbench.contract.settings import TunedArm
from sslbench.report.page.charts import Chart, Figure, Point
from sslbench.report.page.sections import Grid, Section
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.statistics.compute import front
from sslbench.report.words.numbers import NOT_RUN, percent
from sslbench.report.words.numbers import count as format_count
from sslbench.report.words.numbers import flops as format_flops
from sslbench.report.words.numbers import seconds as format_seconds
from sslbench.report.words.wording import unequal as words_of

#: A page stays light: with more points than this in one figure only the ends and the middle of the fractions are drawn.
MOST_POINTS = 1200


@dataclass(frozen=True)
class Cost:
    """A way to count cost: its column, its words, and how a value is written."""

    column: str
    words: str
    form: Callable[[float], str]


def _seconds(value: float) -> str:
    return f"{format_seconds(value)} s"


#: How budgets are written; samples and trials are counts.
FORMS: dict[str, Callable[[float], str]] = {"FLOPs": format_flops, "seconds": _seconds}

COSTS = (
    Cost("seconds", "seconds (tuning, pretraining, one evaluation)", _seconds),
    Cost("flops", "floating-point operations (tuning, pretraining, one evaluation)", format_flops),
)

TEXT = (
    "Each point is a row of the tables with its whole bill for one number: tuning (where a settings file says what it "
    "cost), pretraining and one evaluation, in seconds of this hardware or in operations of the networks. The line "
    "joins the rows that no other row beats: nothing is at least as accurate for less. Means are taken as they are; a "
    "row may be off the front by less than its interval. Operations are those of training networks and of representing "
    "inputs; what a probe solves on the representations is not counted, so `raw_pixels` costs none and is not drawn.",
)


def compute_section(analysis: Analysis) -> Section | None:
    """Accuracy against cost at every label fraction, and a check that budgets match."""
    if analysis.compute.empty:
        return None
    several = len(analysis.compute[["dataset", "encoder"]].drop_duplicates()) > 1
    figures = []
    for (dataset, encoder), part in analysis.compute.groupby(["dataset", "encoder"], sort=True):
        title = f"{dataset}, {encoder}" if several else "Accuracy against cost"
        charts = [
            (f"{percent(fraction)} of the labels, {cost.column}", chart)
            for cost in COSTS
            for fraction in _fractions(part)
            if (chart := _chart(part[part["label_fraction"] == fraction], fraction, cost, title)).points
        ]
        if charts:
            figures.append(Figure(title, tuple(charts), "Show"))
    return Section(
        "compute",
        "Accuracy against compute",
        (*TEXT, *_budget_text(analysis.budgets)),
        tuple(figures),
        tables=_budget_grids(analysis.budgets),
    )


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
    every = tuple(point for point, _ in points)
    return Chart("points", title, alt, cost.words, "test accuracy, %", points=every, front=first)


def _point(line: dict[Any, Any], x: float, y: float, cost: Cost, ahead: bool) -> Point:
    half = (line["high"] - line["low"]) / 2
    spread = "" if math.isnan(half) else f" ± {100 * half:.1f}"
    tip = (
        f"{line['pretext']}, {line['protocol']}, d={line['latent_dim']}\n"
        f"{y:.1f}{spread} %, {cost.form(x)}{', on the front' if ahead else ''}"
    )
    return Point(x, y, None, tip, line["pretext"])


def _budget_text(budgets: pd.DataFrame) -> tuple[str, ...]:
    """Whether the comparison is one at equal budgets, in words."""
    if budgets.empty:
        return ()
    unequal = budgets[~budgets["matched"].astype(bool)]
    if unequal.empty:
        return ("Budgets match: pretexts were given equal samples, operations, seconds and trials, within 25%.",)
    largest = unequal.sort_values("ratio", ascending=False, kind="stable").drop_duplicates("quantity")
    return (f"Budgets differ, at most like this: {'; '.join(map(words_of, largest.to_dict('records')))}.",)


def _budget_grids(budgets: pd.DataFrame) -> tuple[Grid, ...]:
    if budgets.empty:
        return ()
    rows = []
    for line in budgets.to_dict("records"):
        form = FORMS.get(line["quantity"], format_count)
        place = (line["dataset"], line["encoder"], str(line["latent_dim"]), line["quantity"])
        least, most = (
            f"{form(line['least'])} ({line['least_pretext']})",
            f"{form(line['most'])} ({line['most_pretext']})",
        )
        rows.append((*place, least, most, f"{line['ratio']:.2f}", "yes" if line["matched"] else "no"))
    columns = ("dataset", "encoder", "latent size", "budget", "least", "most", "ratio", "matched")
    return (Grid(columns, tuple(rows), names=4, title="Were budgets equal?").compact(),)


def tuning_grids(tuned: Sequence[TunedArm]) -> tuple[Grid, ...]:
    """What tuning cost and found, arm by arm; nothing if nothing was tuned."""
    if not tuned:
        return ()
    rows = [
        (
            one.pretext,
            *(f"{one.completed} of {one.trials}", format_seconds(one.seconds)),
            *(format_count(one.samples), format_flops(one.flops)),
            *(NOT_RUN if one.default_score is None else f"{one.default_score:.3f}", f"{one.score:.3f}"),
            ", ".join(f"{name} {value:.4g}" for name, value in sorted(one.settings.items())),
        )
        for one in tuned
    ]
    columns = ("pretext", "trials finished", "seconds", "samples", "compute", "before", "after", "settings found")
    caption = (
        f"All trials of an arm together. Scores by {', '.join(sorted({one.criterion for one in tuned}))}, of the "
        "settings each arm started from and of those it found; no test label is read."
    )
    return (Grid(columns, tuple(rows), title="What tuning cost", caption=caption),)
