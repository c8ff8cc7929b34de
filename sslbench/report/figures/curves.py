"""`curves.png`: accuracy against label fraction, one panel per protocol and latent size."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from sslbench.contract.spec import BASELINES
from sslbench.report.records import pretext_rank
from sslbench.report.scores.layout import Block, Layout
from sslbench.report.statistics.spread import Estimate, estimate

#: Okabe and Ito's palette without black and yellow: told apart with any colour vision, and on white paper.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

Line = Literal["-", "--", "-.", ":"]

PANEL_WIDTH, PANEL_HEIGHT, LEGEND_WIDTH, CAPTION_HEIGHT = 4.0, 3.0, 2.6, 0.7  # inches
LINES: tuple[Line, ...] = ("-", "-.", ":")
RESOLUTION = 150  # dots per inch
INK, FAINT = "#333333", "#E4E4E4"


@dataclass(frozen=True)
class Look:
    """How a row is drawn in every panel."""

    color: str
    marker: str
    line: Line = "-"
    width: float = 1.6
    layer: float = 3.0


BASELINE_LOOKS = {
    "majority_class": Look("#B5B5B5", "", ":", 1.2, 2.0),
    "raw_pixels": Look("#8C8C8C", "x", "-", 1.1, 2.1),
    "random_init": Look("#6B6B6B", "+", "-.", 1.1, 2.2),
    "supervised": Look("#000000", ".", "--", 1.7, 2.9),
}


def draw_curves(layout: Layout, title: str) -> Figure:
    """Draw every block of the table as a panel; nothing of pyplot's global state is touched."""
    blocks = layout.blocks
    panel_rows = list(dict.fromkeys((block.place, block.protocol) for block in blocks))
    columns = list(dict.fromkeys(sorted(block.latent_dim for block in blocks)))
    width = PANEL_WIDTH * len(columns) + LEGEND_WIDTH
    height = PANEL_HEIGHT * len(panel_rows) + CAPTION_HEIGHT
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    grid = figure.subplots(len(panel_rows), len(columns), squeeze=False, sharey="row")
    by_place = {((block.place, block.protocol), block.latent_dim): block for block in blocks}
    looks = looks_of({row for block in blocks for row in block.rows})
    several = len({block.place for block in blocks}) > 1
    for place_row, key in enumerate(panel_rows):
        shown = [by_place[key, latent_dim] for latent_dim in columns if (key, latent_dim) in by_place]
        for place_column, latent_dim in enumerate(columns):
            axes: Axes = grid[place_row][place_column]
            if (key, latent_dim) in by_place:
                _draw_panel(axes, by_place[key, latent_dim], looks)
                axes.set_title(_panel_title(key, latent_dim, several), loc="left", fontsize=9.5, color=INK)
                axes.set_ylim(*limits(shown))
                if latent_dim == shown[0].latent_dim:
                    axes.set_ylabel("test accuracy, %", fontsize=9, color=INK)
            else:
                axes.set_axis_off()
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold", color=INK)
    figure.supxlabel(_caption(blocks), x=0.01, ha="left", fontsize=8, color=INK)
    handles = _legend_handles(looks, any(block.ceiling for block in blocks))
    figure.legend(handles=handles, loc="outside right upper", frameon=False, fontsize=9, handlelength=3.2)
    return figure


def curves_png(layout: Layout, title: str) -> bytes:
    """The figure as PNG; equal records give equal bytes (with the same matplotlib)."""
    buffer = io.BytesIO()
    draw_curves(layout, title).savefig(buffer, format="png", dpi=RESOLUTION, metadata={"Software": None})
    return buffer.getvalue()


def looks_of(rows: set[str]) -> dict[str, Look]:
    """A look for every row: six colours, then the same colours with other lines; the marker changes throughout."""
    looks = {row: BASELINE_LOOKS[row] for row in BASELINES if row in rows}
    for index, pretext in enumerate(sorted(rows - set(BASELINES))):
        line = LINES[index // len(PALETTE) % len(LINES)]
        looks[pretext] = Look(PALETTE[index % len(PALETTE)], MARKERS[index % len(MARKERS)], line)
    return looks


def _panel_title(key: tuple[str, str], latent_dim: int, several: bool) -> str:
    place, protocol = key
    title = f"{protocol}, latent size {latent_dim}"
    return f"{place}: {title}" if several else title


def _draw_panel(axes: Axes, block: Block, looks: Mapping[str, Look]) -> None:
    for row in block.rows:
        points = _points(block, row)
        if points:
            _draw_line(axes, points, looks[row])
    if block.ceiling:
        axes.axhline(
            100 * estimate(block.ceiling.values()).mean, color="#000000", linestyle=":", linewidth=1, zorder=1.5
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(list(block.fractions)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([f"{100 * fraction:g}%" for fraction in block.fractions])
    axes.set_xlabel("labels used", fontsize=9, color=INK)
    axes.tick_params(labelsize=8.5, colors=INK, length=2.5, labelleft=True)
    axes.grid(True, color=FAINT, linewidth=0.7, zorder=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#9A9A9A")


def _draw_line(axes: Axes, points: Mapping[float, Estimate], look: Look) -> None:
    fractions = list(points)
    means = [100 * point.mean for point in points.values()]
    known = [0.0 if math.isnan(point.half_width) else 100 * point.half_width for point in points.values()]
    low = [mean - half for mean, half in zip(means, known, strict=True)]
    high = [mean + half for mean, half in zip(means, known, strict=True)]
    axes.fill_between(fractions, low, high, color=look.color, alpha=0.11, linewidth=0, zorder=look.layer - 1)
    axes.plot(
        fractions,
        means,
        color=look.color,
        linestyle=look.line,
        linewidth=look.width,
        marker=look.marker,
        markersize=5.5,
        markeredgecolor=look.color if look.marker in "x+" else "white",
        markeredgewidth=1.0 if look.marker in "x+" else 0.6,
        zorder=look.layer,
    )


def _points(block: Block, row: str) -> dict[float, Estimate]:
    return {
        fraction: estimate(block.scores[row, fraction].values())
        for fraction in block.fractions
        if (row, fraction) in block.scores
    }


def limits(blocks: Sequence[Block]) -> tuple[float, float]:
    """Room for every mean but the majority class, which would squeeze the rest into a corner.

    Bands may leave the panel: with two seeds they are wider than all differences together.
    """
    means = [
        100 * estimate(scores.values()).mean
        for block in blocks
        for (row, _), scores in block.scores.items()
        if row != "majority_class"
    ]
    low, high = (min(means), max(means)) if means else (0.0, 100.0)
    margin = max(0.08 * (high - low), 0.5)
    return max(low - margin, 0.0), min(high + margin, 100.5)


def _legend_handles(looks: Mapping[str, Look], ceiling: bool) -> list[Line2D]:
    ordered = sorted(looks, key=lambda row: (row in BASELINES, pretext_rank(row)))
    handles = [
        Line2D([], [], color=look.color, linestyle=look.line, linewidth=look.width, marker=look.marker, label=row)
        for row, look in ((row, looks[row]) for row in ordered)
        if row != "majority_class"
    ]
    if ceiling:
        handles.append(Line2D([], [], color="#000000", linestyle=":", linewidth=1, label="ceiling (supervised, 100%)"))
    return handles


def _caption(blocks: Sequence[Block]) -> str:
    """What the bands are, and the one row that is left to words."""
    seeds = sorted({len(scores) for block in blocks for scores in block.scores.values()})
    spread = str(seeds[-1]) if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    text = "One seed, no bands." if seeds == [1] else f"Bands: 95% confidence intervals over {spread} seeds."
    chance = [
        100 * estimate(scores.values()).mean
        for block in blocks
        for (row, _), scores in block.scores.items()
        if row == "majority_class"
    ]
    if not chance:
        return text
    low, high = f"{min(chance):.1f}", f"{max(chance):.1f}"
    return f"{text} Majority class, not drawn: {low if low == high else f'{low} to {high}'}%."
