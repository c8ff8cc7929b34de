"""What the page's charts draw, as plain data; the drawing itself is `page/charts.js` with Observable Plot."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sslbench.report.figures.curves import PALETTE, Look, limits, looks_of
from sslbench.report.scores.layout import Block
from sslbench.report.statistics.spread import Estimate, estimate
from sslbench.report.words.numbers import accuracy as format_estimate
from sslbench.report.words.numbers import percent
from sslbench.report.words.wording import several_places, table_title

#: matplotlib's markers in the words of d3; both figures show a row alike.
SYMBOLS = {
    **{"o": "circle", "s": "square", "^": "triangle", "D": "diamond", "v": "wye", "P": "cross", "X": "star"},
    **{"x": "times", "+": "plus", ".": "circle", "": "asterisk"},
}
DASHES = {"-": "", "--": "7 4", "-.": "8 3 2 3", ":": "2 3"}

#: Baselines are drawn in tones that change with the page's light.
TONES = {
    "majority_class": "var(--chance)",
    "raw_pixels": "var(--raw)",
    "random_init": "var(--init)",
    "supervised": "currentColor",
}


@dataclass(frozen=True)
class Point:
    """One point: where it is, how far its interval reaches (None without one), and what hovering says."""

    x: float
    y: float
    half: float | None
    tip: str
    row: str = ""


@dataclass(frozen=True)
class Line:
    """The points of one row, in order."""

    row: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Chart:
    """One chart, lines or scattered points, axes in the units of their labels.

    Attributes:
        alt: what the chart shows, in words.
        ticks: (place, text) along x; none leaves them to the library.
        level: a horizontal line, e.g. the ceiling.
        front: a line behind scattered points.
    """

    kind: str
    title: str
    alt: str
    xlabel: str
    ylabel: str
    logarithmic: bool = True
    ticks: tuple[tuple[float, str], ...] = ()
    ydomain: tuple[float, float] | None = None
    level: float | None = None
    lines: tuple[Line, ...] = ()
    points: tuple[Point, ...] = ()
    front: tuple[Point, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A chart with a choice: the charts it can show, by name of the choice; the first is shown first."""

    title: str
    charts: tuple[tuple[str, Chart], ...]
    asks: str = ""
    caption: str = field(default="")


def page_looks(rows: set[str]) -> dict[str, dict[str, str | float]]:
    """How every row is drawn: colour (a variable of the page's style), symbol, dashes, width."""
    return {row: _page_look(row, look) for row, look in looks_of(rows).items()}


def _page_look(row: str, look: Look) -> dict[str, str | float]:
    color = TONES[row] if row in TONES else f"var(--c{PALETTE.index(look.color)})"
    return {"color": color, "symbol": SYMBOLS[look.marker], "dash": DASHES[look.line], "width": look.width + 0.2}


def curve_figures(blocks: Sequence[Block]) -> list[Figure]:
    """Accuracy against the share of labels, one figure per block; the majority class is left to the tables."""
    several = several_places(blocks)
    figures = []
    for block in blocks:
        title = table_title(block.protocol, block.latent_dim, block.place if several else "")
        lines = tuple(line for row in block.rows if row != "majority_class" for line in _curve(block, row))
        ticks = tuple((fraction, percent(fraction)) for fraction in block.fractions)
        level = round(100 * estimate(block.ceiling.values()).mean, 3) if block.ceiling else None
        chart = Chart(
            kind="lines",
            title=title,
            alt=_alt(f"Line chart of test accuracy against the share of labels, {title}", lines),
            xlabel="labels used",
            ylabel="test accuracy, %",
            ticks=ticks,
            ydomain=limits([other for other in blocks if _panel_row(other) == _panel_row(block)]),
            level=level,
            lines=lines,
        )
        figures.append(Figure(title, (("", chart),)))
    return figures


def _panel_row(block: Block) -> tuple[str, str]:
    return block.place, block.protocol


def _curve(block: Block, row: str) -> list[Line]:
    points = []
    for fraction in block.fractions:
        scores = block.scores.get((row, fraction))
        if scores:
            labels = f"{percent(fraction)}, {block.num_labels[fraction][-1]:,} labels"
            points.append(_point(fraction, estimate(scores.values()), f"{row}\n{labels}"))
    return [Line(row, tuple(points))] if points else []


def _point(x: float, accuracy: Estimate, words: str) -> Point:
    half = None if math.isnan(accuracy.half_width) else round(100 * accuracy.half_width, 3)
    seeds = "1 seed" if accuracy.n == 1 else f"{accuracy.n} seeds"
    return Point(x, round(100 * accuracy.mean, 3), half, f"{words}\n{format_estimate(accuracy)} %, {seeds}")


def _alt(title: str, lines: Sequence[Line]) -> str:
    """A sentence per line: where it starts and where it ends."""
    ends = [f"{line.row} from {line.points[0].y:.1f} to {line.points[-1].y:.1f} %" for line in lines]
    return f"{title}: {'; '.join(ends)}."


def latent_figures(blocks: Sequence[Block]) -> list[Figure]:
    """Accuracy against the latent size, one figure per dataset, encoder and protocol, at a fraction one can choose.

    Nothing where only one latent size was run.
    """
    several = several_places(blocks)
    groups: dict[tuple[str, str], list[Block]] = {}
    for block in blocks:
        groups.setdefault(_panel_row(block), []).append(block)
    figures = []
    for (where, protocol), group in groups.items():
        if len(group) < 2:
            continue
        title = f"{where}: {protocol}" if several else protocol
        fractions = sorted({fraction for block in group for fraction in block.fractions})
        charts = [
            (f"{percent(fraction)} of the labels", _latent_chart(group, fraction, title)) for fraction in fractions
        ]
        figures.append(Figure(title, tuple(charts), "Labels"))
    return figures


def _latent_chart(group: Sequence[Block], fraction: float, title: str) -> Chart:
    rows = list(dict.fromkeys(row for block in group for row in block.rows if row != "majority_class"))
    lines = [_latent_line(group, row, fraction) for row in rows]
    drawn = tuple(line for line in lines if line.points)
    name = f"Line chart of test accuracy against latent size with {percent(fraction)} of the labels, {title}"
    return Chart(
        kind="lines",
        title=title,
        alt=_alt(name, drawn),
        xlabel="latent size",
        ylabel="test accuracy, %",
        ticks=tuple((block.latent_dim, str(block.latent_dim)) for block in group),
        lines=drawn,
    )


def _latent_line(group: Sequence[Block], row: str, fraction: float) -> Line:
    points = [
        _point(
            block.latent_dim, estimate(block.scores[row, fraction].values()), f"{row}\nlatent size {block.latent_dim}"
        )
        for block in group
        if (row, fraction) in block.scores
    ]
    return Line(row, tuple(points))


def legend_rows(blocks: Sequence[Block], looks: Mapping[str, object]) -> list[str]:
    """The rows that can be toggled, in table order."""
    order = dict.fromkeys(row for block in blocks for row in block.rows)
    return [row for row in order if row in looks and row != "majority_class"]
