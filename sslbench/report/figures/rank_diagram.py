"""The critical-difference diagram of mean ranks (Demšar 2006, figure 1)."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sslbench.report.statistics.ranks import Ranks
from sslbench.report.words.wording import title_of

WIDTH, ROW_HEIGHT, HEAD = 7.0, 0.26, 1.1  # inches
INK, GROUP = "#333333", "#D55E00"
_STEP = 0.5  # between lines, in the unit of the vertical axis


def rank_figure(ranks: Ranks, title: str) -> Figure:
    """Names hang on an axis of mean ranks, best on the left; a thick bar joins rows that are not told apart.

    Without tests (`ranks.reason`) ranks are shown without bars. Nothing of pyplot's global state is touched.
    """
    lines = math.ceil(len(ranks.names) / 2)
    height = HEAD + ROW_HEIGHT * (lines + len(ranks.groups))
    figure = Figure(figsize=(WIDTH, height), layout="constrained", facecolor="white")
    axes = figure.subplots()
    axes.set_axis_off()
    _draw_axis(axes, len(ranks.names))
    lowest = _draw_groups(axes, ranks)
    _draw_names(axes, ranks, lowest)
    _draw_reach(axes, ranks)
    axes.set_ylim(lowest - _STEP * lines, 1.3)
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    return figure


def _draw_axis(axes: Axes, rows: int) -> None:
    axes.plot([1, max(rows, 2)], [0, 0], color=INK, linewidth=1)
    for rank in range(1, max(rows, 2) + 1):
        axes.plot([rank, rank], [0, 0.12], color=INK, linewidth=1)
        axes.text(rank, 0.18, str(rank), ha="center", va="bottom", fontsize=8, color=INK)


def _draw_groups(axes: Axes, ranks: Ranks) -> float:
    """Draw one bar per group, each lower than the last; return where names may begin."""
    place = dict(zip(ranks.names, ranks.mean_ranks, strict=True))
    for index, group in enumerate(ranks.groups):
        level = -_STEP * (index + 1) / 2
        ends = [place[group[0]] - 0.04, place[group[-1]] + 0.04]
        axes.plot(ends, [level, level], color=GROUP, linewidth=3.5, solid_capstyle="butt")
    return -_STEP * (len(ranks.groups) + 1) / 2


def _draw_names(axes: Axes, ranks: Ranks, lowest: float) -> None:
    """The better half hangs to the left, the other to the right, so that no line crosses a name."""
    rows = max(len(ranks.names), 2)
    half = math.ceil(len(ranks.names) / 2)
    for index, (name, rank) in enumerate(zip(ranks.names, ranks.mean_ranks, strict=True)):
        left = index < half
        level = lowest - _STEP * (index if left else len(ranks.names) - 1 - index)
        edge = 0.8 if left else rows + 0.2
        axes.plot([rank, rank, edge], [0, level, level], color=INK, linewidth=0.9)
        label = f"{title_of(name)}  {rank:.2f}" if left else f"{rank:.2f}  {title_of(name)}"
        edge += -0.05 if left else 0.05
        axes.text(edge, level, label, ha="right" if left else "left", va="center", fontsize=9, color=INK)


def _draw_reach(axes: Axes, ranks: Ranks) -> None:
    if math.isnan(ranks.critical_difference):
        return
    level = 0.75
    axes.plot([1, 1 + ranks.critical_difference], [level, level], color=GROUP, linewidth=2)
    label = f"critical difference {ranks.critical_difference:.2f}, {len(ranks.blocks)} label budgets"
    axes.text(1, level + 0.1, label, ha="left", va="bottom", fontsize=8, color=INK)
