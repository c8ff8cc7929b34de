"""`curves.png`: accuracy against the number of labels, one panel per table; one per row where rows would overlap."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from sslbench.contract.spec import BASELINES
from sslbench.report.records import pretext_rank
from sslbench.report.scores.layout import Block, Layout, on_one_axis, source_of
from sslbench.report.statistics.image_noise import accuracy_of
from sslbench.report.statistics.spread import Estimate, estimate
from sslbench.report.words.numbers import span
from sslbench.report.words.reading import CEILING
from sslbench.report.words.wording import block_title

#: Okabe and Ito's palette without black and yellow: told apart with any colour vision, and on white paper.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

LineStyle = Literal["-", "--", "-.", ":"]
LINES: tuple[LineStyle, ...] = ("-", "-.", ":")
ELSEWHERE: tuple[LineStyle, ...] = ("--", ":")  # pretrained on another dataset

#: More lines than this in one panel hide one another's bands: each row then has a panel of its own.
MOST_LINES = 6

PANEL_WIDTH, PANEL_HEIGHT, LEGEND_WIDTH, CAPTION_HEIGHT = 4.0, 3.0, 2.6, 0.7  # inches
ENTRY_HEIGHT = 0.23  # of the legend
SMALL_WIDTH, SMALL_HEIGHT, SMALL_COLUMNS = 1.9, 1.5, 5
SIZE, SMALL_SIZE = 9.0, 8.0  # of the text in a panel
MOST_TICKS, MOST_SMALL_TICKS = 9, 4  # numbers that a panel has room for
RESOLUTION = 150  # dots per inch
INK, FAINT = "#333333", "#E4E4E4"

Columns = tuple[tuple[int, Estimate], ...]  # (number of labels, accuracy), fewest labels first


@dataclass(frozen=True)
class Look:
    """How a row is drawn in every panel."""

    color: str
    marker: str
    line: LineStyle = "-"
    width: float = 1.6
    layer: float = 3.0

    @property
    def style(self) -> dict[str, Any]:
        """As matplotlib's lines take it."""
        return {"color": self.color, "marker": self.marker, "linestyle": self.line, "linewidth": self.width}


BASELINE_LOOKS = {
    "majority_class": Look("#B5B5B5", "", ":", 1.2, 2.0),
    "raw_pixels": Look("#8C8C8C", "x", "-", 1.1, 2.1),
    "raw_values": Look("#8C8C8C", "x", "-", 1.1, 2.1),
    "minirocket": Look("#8C8C8C", "*", "-", 1.3, 2.1),
    "tfidf": Look("#8C8C8C", "*", "-", 1.3, 2.1),
    "random_init": Look("#6B6B6B", "+", "-.", 1.1, 2.2),
    "supervised_quarter": Look("#000000", "", ":", 0.9, 2.5),
    "supervised_half": Look("#000000", "", "-.", 0.9, 2.6),
    "supervised": Look("#000000", ".", "--", 1.7, 2.9),
    "supervised_double": Look("#000000", "", "-", 0.9, 2.7),
    "supervised_compute": Look("#000000", "+", "-", 1.3, 2.8),
}
OWN = Look(PALETTE[0], "o")  # of a row in its own panel, where the title says which it is
REFERENCE = Look("#6B6B6B", ".", "--", 1.4, 2.0)  # of `supervised` there


def draw_curves(layout: Layout, title: str) -> Figure:
    """Draw every table as a panel, or as one small panel per row, those of the primary protocol first.

    Nothing of pyplot's global state is touched.
    """
    blocks = sorted(on_one_axis(layout.blocks), key=lambda block: block.protocol != layout.primary)
    figure = Figure(layout="constrained", facecolor="white")
    small = any(crowded(block) for block in blocks)
    rows = {row for block in blocks for row in block.rows}
    sources = _sources(rows)
    looks = looks_of(rows)
    if small:
        looks = {f"pretrained on {source or 'the same dataset'}": look for source, look in sources.items()}
        looks = {**(looks if len(sources) > 1 else {}), "supervised": REFERENCE}
    handles = _legend_handles(looks, any(block.ceiling for block in blocks))
    if small:
        _small_panels(figure, blocks, sources)
        figure.legend(handles=handles, loc="outside upper right", ncols=2, frameon=False, fontsize=9, handlelength=3.2)
    else:
        _panels(figure, blocks, looks, ENTRY_HEIGHT * len(handles) + CAPTION_HEIGHT)
        figure.legend(handles=handles, loc="outside right upper", frameon=False, fontsize=9, handlelength=3.2)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold", color=INK)
    figure.supxlabel(_caption(blocks), x=0.01, ha="left", fontsize=8, color=INK)
    return figure


@matplotlib.rc_context({"text.parse_math": False})  # a $ in a name is a $
def curves_png(layout: Layout, title: str) -> bytes:
    """The figure as PNG; equal records give equal bytes (with the same matplotlib)."""
    return png_of(draw_curves(layout, title))


def png_of(figure: Figure) -> bytes:
    """A figure as PNG, without what depends on when and where it was drawn."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=RESOLUTION, metadata={"Software": None})
    return buffer.getvalue()


def looks_of(rows: set[str]) -> dict[str, Look]:
    """A look for every row: six colours, then the same colours with other lines; the marker changes throughout.

    A pretext looks the same wherever it was pretrained, but for the line.
    """
    looks = {row: BASELINE_LOOKS[row] for row in BASELINES if row in rows}
    sources = _sources(rows)
    pretexts = sorted({source_of(row)[0] for row in rows} - set(BASELINES))
    for row in sorted(rows - set(BASELINES)):
        pretext, source = source_of(row)
        index = pretexts.index(pretext)
        line = sources[source].line if source else LINES[index // len(PALETTE) % len(LINES)]
        looks[row] = Look(PALETTE[index % len(PALETTE)], MARKERS[index % len(MARKERS)], line)
    return looks


def _sources(rows: set[str]) -> dict[str, Look]:
    """How a row's own panel draws what was pretrained on the dataset itself, the first, and on others, by name."""
    others = sorted({source_of(row)[1] for row in rows} - {""})
    lines = zip(others, cycle(PALETTE[1:]), cycle(MARKERS[1:]), cycle(ELSEWHERE))
    return {"": OWN, **{name: Look(color, marker, line) for name, color, marker, line in lines}}


def drawn_rows(block: Block) -> tuple[str, ...]:
    """The rows of a block that have a curve, baselines last; the majority class would squeeze them into a corner.

    A row that was run at one budget has none, unless no row has.
    """
    points = {name: len(block.lines[name].fractions) for name in block.rows if name in block.lines}
    fewest = min(2, max(points.values(), default=0))
    rows = [name for name, count in points.items() if name != "majority_class" and count >= fewest]
    return tuple(sorted(rows, key=lambda row: row in BASELINES))


def crowded(block: Block) -> bool:
    """Whether its rows would hide one another in one panel."""
    return len(drawn_rows(block)) > MOST_LINES


def panels_of(block: Block) -> dict[str, list[str]]:
    """The rows that share a panel where there are many: those of one pretext, whatever they were pretrained on."""
    found: dict[str, list[str]] = {}
    for row in drawn_rows(block):
        found.setdefault(source_of(row)[0], []).append(row)
    return found


def curve(block: Block, row: str) -> Columns:
    """The points of a row: how many labels, and how accurate."""
    return tuple(
        (block.num_labels[fraction][-1], accuracy_of(block.lines[row], fraction))
        for fraction in block.fractions
        if (row, fraction) in block.scores
    )


def bands(blocks: Sequence[Block]) -> str:
    """What the bands around curves are, in words."""
    seeds = sorted({len(scores) for block in blocks for scores in block.scores.values()})
    also = " and test inputs" if any(row.answers for block in blocks for row in block.lines.values()) else ""
    return "One seed, no bands." if seeds == [1] else f"Bands: 95% confidence intervals over {span(seeds)} seeds{also}."


def limits(blocks: Sequence[Block]) -> tuple[float, float]:
    """Room for every mean that is drawn. Bands may leave the panel: with two seeds they are wider than all else."""
    means = [100 * point.mean for block in blocks for row in drawn_rows(block) for _, point in curve(block, row)]
    low, high = (min(means), max(means)) if means else (0.0, 100.0)
    margin = max(0.08 * (high - low), 0.5)
    return max(low - margin, 0.0), min(high + margin, 100.5)


def short_count(number: int) -> str:
    """A number of labels as an axis has room for: `600`, `3k`, `1.5M`."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return str(number)


def spaced(numbers: Sequence[int], most: int) -> list[int]:
    """Those of increasing numbers that a logarithmic axis has room to name, the first and the last among them."""
    room = math.log(numbers[-1] / numbers[0]) / most
    kept = [numbers[0]]
    for number in numbers[1:-1]:
        if math.log(number / kept[-1]) >= room and math.log(numbers[-1] / number) >= room:
            kept.append(number)
    return [*kept, numbers[-1]]


def _panels(figure: Figure, blocks: Sequence[Block], looks: Mapping[str, Look], least_height: float) -> None:
    """A row of panels per place and protocol, a column per latent size."""
    keys = list(dict.fromkeys((block.place, block.protocol) for block in blocks))
    sizes = sorted({block.latent_dim for block in blocks})
    height = PANEL_HEIGHT * len(keys) + CAPTION_HEIGHT
    figure.set_size_inches(PANEL_WIDTH * len(sizes) + LEGEND_WIDTH, max(height, least_height))
    grid = figure.subplots(len(keys), len(sizes), squeeze=False, sharey="row")
    for axes in grid.flat:
        axes.set_axis_off()
    for block in blocks:
        key = block.place, block.protocol
        axes = grid[keys.index(key)][sizes.index(block.latent_dim)]
        axes.set_axis_on()
        for row in drawn_rows(block):
            _draw_line(axes, curve(block, row), looks[row])
        shown = [other for other in blocks if (other.place, other.protocol) == key]
        _dress(axes, block, limits(shown), block_title(block, blocks), SIZE)
        axes.set_xlabel("labels used", fontsize=9, color=INK)
        if block is shown[0]:
            axes.set_ylabel("test accuracy, %", fontsize=9, color=INK)


def _small_panels(figure: Figure, blocks: Sequence[Block], sources: Mapping[str, Look]) -> None:
    """Every block as a group of panels, one per pretext, `supervised` in grey in each."""
    owners = [[row for row in panels_of(block) if row != "supervised"] for block in blocks]
    counts = [-(-len(rows) // SMALL_COLUMNS) for rows in owners]
    height = SMALL_HEIGHT * sum(counts) + 0.3 * len(blocks) + CAPTION_HEIGHT
    figure.set_size_inches(SMALL_WIDTH * SMALL_COLUMNS, height)
    groups = figure.subfigures(len(blocks), 1, squeeze=False, height_ratios=counts)[:, 0]
    for group, block, lines, rows in zip(groups, blocks, counts, owners, strict=True):
        group.suptitle(block_title(block, blocks), x=0.01, ha="left", fontsize=9.5)
        group.supylabel("test accuracy, %", fontsize=8.5, color=INK)
        group.supxlabel("labels used", fontsize=8.5, color=INK)
        grid = list(group.subplots(lines, SMALL_COLUMNS, squeeze=False, sharey=True).flat)
        for axes, row in zip(grid, rows, strict=False):
            _draw_line(axes, curve(block, "supervised"), REFERENCE)
            for line in panels_of(block)[row]:
                _draw_line(axes, curve(block, line), sources[source_of(line)[1]])
            _dress(axes, block, limits([block]), row, SMALL_SIZE)
        for axes in grid[len(rows) :]:
            axes.set_axis_off()


def _dress(axes: Axes, block: Block, ydomain: tuple[float, float], title: str, size: float) -> None:
    """Axes, grid, title and the line of the ceiling."""
    if block.ceiling:
        mean = 100 * estimate(block.ceiling.values()).mean
        axes.axhline(mean, color="#000000", linestyle=":", linewidth=1, zorder=1.5)
    labels = [block.num_labels[fraction][-1] for fraction in block.fractions]
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(labels))
    axes.xaxis.set_minor_locator(NullLocator())
    shown = spaced(labels, MOST_TICKS if size > SMALL_SIZE else MOST_SMALL_TICKS)
    axes.set_xticklabels([short_count(number) if number in shown else "" for number in labels])
    axes.set_ylim(*ydomain)
    axes.set_title(title, loc="left", fontsize=size + 0.5, color=INK)
    axes.tick_params(labelsize=size - 0.5, colors=INK, length=2.5, labelleft=True)
    axes.grid(True, color=FAINT, linewidth=0.7, zorder=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#9A9A9A")


def _draw_line(axes: Axes, points: Columns, look: Look) -> None:
    labels = [number for number, _ in points]
    means = [100 * point.mean for _, point in points]
    halves = [0.0 if math.isnan(point.half_width) else 100 * point.half_width for _, point in points]
    low, high = ([mean + side * half for mean, half in zip(means, halves, strict=True)] for side in (-1, 1))
    axes.fill_between(labels, low, high, color=look.color, alpha=0.11, linewidth=0, zorder=look.layer - 1)
    axes.plot(
        labels,
        means,
        **look.style,
        markersize=5.5,
        markeredgecolor=look.color if look.marker in "x+" else "white",
        markeredgewidth=1.0 if look.marker in "x+" else 0.6,
        zorder=look.layer,
    )


def _legend_handles(looks: Mapping[str, Look], ceiling: bool) -> list[Line2D]:
    ordered = sorted(looks, key=lambda row: (row in BASELINES, pretext_rank(row)))
    handles = [Line2D([], [], label=row, **looks[row].style) for row in ordered if row != "majority_class"]
    if ceiling:
        handles.append(Line2D([], [], color="#000000", linestyle=":", linewidth=1, label=CEILING))
    return handles


def _caption(blocks: Sequence[Block]) -> str:
    """What the bands are, and the one row that is left to words."""
    chance = [
        round(100 * estimate(scores.values()).mean, 1)
        for block in blocks
        for (row, _), scores in block.scores.items()
        if row == "majority_class"
    ]
    if not chance:
        return bands(blocks)
    low, high = min(chance), max(chance)
    return f"{bands(blocks)} Majority class, not drawn: {low if low == high else f'{low} to {high}'}%."
