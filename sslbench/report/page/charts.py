"""What the page's charts draw, as plain data; the drawing itself is `assets/charts.js` with Observable Plot."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from sslbench.contract.spec import BASELINES
from sslbench.contract.titles import CLASSICS, RAW_ROWS
from sslbench.report.figures.curves import PALETTE, bands, crowded, curve, drawn_rows, limits, looks_of, short_count
from sslbench.report.figures.savings import Bar
from sslbench.report.records import pretext_rank
from sslbench.report.scores.layout import Block, source_of
from sslbench.report.statistics.image_noise import accuracy_of
from sslbench.report.statistics.spread import Estimate, estimate
from sslbench.report.words.numbers import accuracy, counted, percent
from sslbench.report.words.wording import several_places, table_title

#: matplotlib's markers in the words of d3; both figures show a row alike.
SYMBOLS = {
    **{"o": "circle", "s": "square", "^": "triangle", "D": "diamond", "v": "wye", "P": "cross", "X": "star"},
    **{"x": "times", "+": "plus", ".": "circle", "": "asterisk", "*": "star"},
}
DASHES = {"-": "", "--": "7 4", "-.": "8 3 2 3", ":": "2 3"}

#: Baselines are drawn in tones that change with the page's light.
TONES = {
    "majority_class": "var(--chance)",
    **dict.fromkeys((*RAW_ROWS, *CLASSICS), "var(--raw)"),
    "random_init": "var(--init)",
    **{name: "currentColor" for name in BASELINES if name.startswith("supervised")},
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
    """One chart, axes in the units of their labels.

    Attributes:
        kind: `lines` over one another, `panels` of one line each, scattered `points`, or `saved` labels.
        alt: what the chart shows, in words.
        caption: what stands under it.
        ticks: (place, text) along x; none leaves them to the library.
        xdomain: of `saved`: what was measured, and room for arrows on both sides.
        level: a horizontal line, e.g. the ceiling.
        front: a line behind scattered points.
    """

    kind: str
    alt: str
    xlabel: str
    ylabel: str
    caption: str = ""
    logarithmic: bool = True
    ticks: tuple[tuple[float, str], ...] = ()
    xdomain: tuple[float, ...] = ()
    ydomain: tuple[float, float] | None = None
    level: float | None = None
    lines: tuple[Line, ...] = ()
    points: tuple[Point, ...] = ()
    front: tuple[Point, ...] = ()
    bars: tuple[Bar, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A chart with a choice: the charts it can show, by name of the choice; the first is shown first."""

    title: str
    charts: tuple[tuple[str, Chart], ...]
    asks: str = ""


def _looks(rows: Iterable[str]) -> dict[str, dict[str, str | float]]:
    """How every row is drawn: colour (a variable of the page's style), symbol, dashes, width."""
    looks: dict[str, dict[str, str | float]] = {}
    for row, look in looks_of(set(rows)).items():
        color = TONES[row] if row in TONES else f"var(--c{PALETTE.index(look.color)})"
        symbol, dash = SYMBOLS[look.marker], DASHES[look.line]
        looks[row] = {"color": color, "symbol": symbol, "dash": dash, "width": look.width + 0.2}
    return looks


def full_title(block: Block) -> str:
    """What a table is of, for those who do not see what stands around it."""
    return table_title(block.protocol, block.latent_dim, block.place)


def curve_figure(block: Block) -> Figure:
    """Accuracy against the number of labels in one table."""
    lines = tuple(_curve(block, row) for row in drawn_rows(block))
    grey = " Grey: training from scratch on as many labels." if crowded(block) else ""
    dotted = " Dotted: training from scratch on every label." if block.ceiling else ""
    chart = Chart(
        kind="panels" if crowded(block) else "lines",
        alt=_alt(f"Line chart of test accuracy against the number of labels, {full_title(block)}", lines),
        xlabel="labels used",
        ylabel="",
        caption=f"{bands([block])}{grey}{dotted}",
        ticks=tuple((counts[-1], short_count(counts[-1])) for counts in block.num_labels.values()),
        ydomain=limits([block]),
        level=round(100 * estimate(block.ceiling.values()).mean, 3) if block.ceiling else None,
        lines=lines,
    )
    return Figure("Test accuracy in % against labels", (("", chart),))


def _curve(block: Block, row: str) -> Line:
    return Line(row, tuple(_point(x, found, f"{row}\n{x:,} labels") for x, found in curve(block, row)))


def _point(x: float, found: Estimate, words: str) -> Point:
    half = None if math.isnan(found.half_width) else round(100 * found.half_width, 3)
    return Point(x, round(100 * found.mean, 3), half, f"{words}\n{accuracy(found)} %, {counted(found.n, 'seed')}")


def _alt(title: str, lines: Sequence[Line]) -> str:
    """A sentence per line: where it starts and where it ends."""
    ends = [f"{line.row} from {line.points[0].y:.1f} to {line.points[-1].y:.1f} %" for line in lines]
    return f"{title}: {'; '.join(ends)}."


def latent_figures(blocks: Sequence[Block]) -> list[Figure]:
    """Accuracy against the latent size, one figure per dataset, encoder and protocol, at a fraction one can choose.

    Nothing where only one latent size was run.
    """
    figures = []
    for where, protocol in dict.fromkeys((block.place, block.protocol) for block in blocks):
        group = [block for block in blocks if (block.place, block.protocol) == (where, protocol)]
        if len(group) > 1:
            title = f"{where}: {protocol}" if several_places(blocks) else protocol
            fractions = sorted({fraction for block in group for fraction in block.fractions})
            charts = ((f"{percent(at)} of the labels", _latent_chart(group, at, title)) for at in fractions)
            figures.append(Figure(title, tuple(charts), "Labels"))
    return figures


def _latent_chart(group: Sequence[Block], fraction: float, title: str) -> Chart:
    points: dict[str, list[Point]] = {}
    for row in dict.fromkeys(row for block in group for row in drawn_rows(block)):
        for block in group:
            if (row, fraction) in block.scores:
                found, words = accuracy_of(block.lines[row], fraction), f"{row}\nlatent size {block.latent_dim}"
                points.setdefault(row, []).append(_point(block.latent_dim, found, words))
    lines = tuple(Line(row, tuple(found)) for row, found in points.items())
    shown = f"Line chart of test accuracy against latent size with {percent(fraction)} of the labels, {title}"
    return Chart(
        kind="panels" if any(crowded(block) for block in group) else "lines",
        alt=_alt(shown, lines),
        xlabel="latent size",
        ylabel="test accuracy, %",
        ticks=tuple((block.latent_dim, str(block.latent_dim)) for block in group),
        lines=lines,
    )


def page_data(charts: Sequence[Chart], rows: Iterable[str]) -> dict[str, object]:
    """What the page's script draws: charts, and looks of the rows in the order of the legends."""
    drawn = [asdict(chart, dict_factory=_given) for chart in charts]
    order = sorted(rows, key=lambda row: (row in BASELINES, pretext_rank(source_of(row)[0]), row))
    return {"charts": drawn, "looks": _looks(rows), "order": order}


def _given(items: list[tuple[str, object]]) -> dict[str, object]:
    """What a chart has; what it lacks would only be weight."""
    return {name: value for name, value in items if value not in (None, "", ())}
