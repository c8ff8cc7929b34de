"""`saved.png`: how many labels every pretext saves with the fewest labels, on the axis of multiples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from sslbench.contract.spec import BASELINES, REFERENCE_PROTOCOLS
from sslbench.contract.titles import RAW_ROWS
from sslbench.report.figures.curves import FAINT, INK, PALETTE, LineStyle, png_of, short_count
from sslbench.report.records import pretext_rank
from sslbench.report.scores.layout import Block, on_one_axis
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.statistics.contest import CONTROL
from sslbench.report.statistics.label_efficiency import BELOW, BETWEEN, BEYOND, REACHED
from sslbench.report.words.numbers import times, times_interval
from sslbench.report.words.wording import block_title, column_title

#: The fewest label budgets of a table are drawn, so many.
MOST_BUDGETS = 3

PANEL_WIDTH, ROW_HEIGHT, MARGIN_HEIGHT = 3.6, 0.27, 1.1  # inches

#: Points between the edges of a panel, over which tips of arrows reach, and the names and numbers beside it.
TEXT_GAP = 8

#: Letters of the caption that fit below one panel.
LETTERS = 52

CAPTION = (
    "Labels that training from scratch needs for the same accuracy, as a multiple of those used here. Right of 1 "
    "pretraining saves labels. Lines: 95% intervals, with arrows where the data does not bound them; faint: single "
    "seeds; shaded: beyond the label budgets that were run."
)


@dataclass(frozen=True)
class Bar:
    """One row of a labels-saved plot, all on the axis of multiples; None where there is nothing to draw.

    Attributes:
        at: the estimate; None where it lies beyond the label budgets that were measured.
        low: left end of what is drawn, the edge of the plot where it is open.
        arrows: `<`, `>`, both or neither: the ends that are open.
        interval: whether `low` to `high` is a 95% interval; if not, it only says on which side the estimate lies.
        seeds: every seed alone, with `<` or `>` where it lies beyond what was measured.
        text: the numbers.
    """

    row: str
    at: float | None
    low: float | None
    high: float | None
    arrows: str
    interval: bool
    seeds: tuple[tuple[float, str], ...]
    text: str
    tip: str


def of_block(block: Block, frame: pd.DataFrame) -> pd.DataFrame:
    """The lines of a frame that stand in a table, in its order; raw values have one reading, which stands in all."""
    keys = ["dataset", "encoder", "latent_dim"]
    origins = frame["pretrain_dataset"].isin({row.pretrain_dataset for row in block.lines.values()})
    same = (frame[keys] == [getattr(block, name) for name in keys]).all(axis=1)
    raw = (frame["pretext"].isin(RAW_ROWS)) & (frame["protocol"] == block.protocol.partition(", ")[0])
    return frame[same & origins & (raw | (frame["protocol"] == block.protocol))]


def bars_of(analysis: Analysis, block: Block) -> dict[float, list[Bar]]:
    """What every row of a table saves, by label fraction, pretexts first; empty without `supervised`.

    Training from scratch for another length saves no labels, whatever it is worth.
    """
    part, seeds = (of_block(block, frame) for frame in (analysis.multipliers, analysis.seed_multipliers))
    part = part[~part["pretext"].isin(REFERENCE_PROTOCOLS)]
    names = {(row.pretext, row.pretrain_dataset): name for name, row in block.lines.items()}
    part, seeds = (frame.assign(row=_named(frame, names)) for frame in (part, seeds))
    found = {}
    for fraction, lines in part.groupby("label_fraction", sort=True):
        edges = edges_of(*measured(block, int(lines["num_labels"].max())))
        drawn = seeds[seeds["label_fraction"] == fraction].to_dict("records")
        ordered = sorted(lines.to_dict("records"), key=_place)
        found[float(str(fraction))] = [
            _bar(line, [one for one in drawn if one["row"] == line["row"]], edges) for line in ordered
        ]
    return found


def _place(line: Mapping[Any, Any]) -> tuple[Any, ...]:
    return line["pretext"] in BASELINES, pretext_rank(line["pretext"]), line["row"]


def _named(frame: pd.DataFrame, names: Mapping[tuple[str, str], str]) -> list[str]:
    return [names[key] for key in zip(frame["pretext"].tolist(), frame["pretrain_dataset"].tolist(), strict=True)]


def _bar(line: Mapping[Any, Any], alone: Sequence[Mapping[Any, Any]], edges: tuple[float, float]) -> Bar:
    """What is drawn of a line of `multipliers`.

    Args:
        alone: the lines of its seeds, each alone.
        edges: of the plot.
    """
    low, high, outcome = line["low"], line["high"], line["outcome"]
    sides = {BELOW: "<", BEYOND: ">"}
    bounded = not math.isnan(low) and not (low == 0 and math.isinf(high))
    first, last, arrows = None, None, sides.get(outcome, "")
    if bounded:
        arrows = ("<" if low == 0 else "") + (">" if math.isinf(high) else "")
        first, last = low or edges[0], min(high, edges[1])
    elif outcome in (BELOW, BETWEEN, BEYOND):
        first, last = max(line["least"], edges[0]), min(line["most"], edges[1])
    seeds = tuple(
        (_digits(one["most"] if one["outcome"] == BELOW else one["least"]), sides.get(one["outcome"], ""))
        for one in alone
        if one["outcome"] in (REACHED, BELOW, BEYOND)
    )
    text = saved_text(line, "×")
    return Bar(
        row=line["row"],
        at=_digits(line["multiplier"]) if outcome == REACHED else None,
        low=first if first is None else _digits(first),
        high=last if last is None else _digits(last),
        arrows=arrows,
        interval=bounded,
        seeds=seeds,
        text=text,
        tip=f"{line['row']}\n{text}\n{100 * line['accuracy']:.1f} % with {line['num_labels']:,} labels",
    )


def _digits(number: float) -> float:
    return float(f"{number:.4g}")


def saved_text(line: Mapping[Any, Any], unit: str = "") -> str:
    """`1.2 [0.8, 2.4]`, `< 1`; and that there is no interval where the data cannot carry one."""
    outcome, least, most, low, high = (line[name] for name in ("outcome", "least", "most", "low", "high"))
    if not outcome:
        return str(line["reason"])
    values = {
        REACHED: times(line["multiplier"]),
        BETWEEN: f"{times(least)} to {times(most)}",
        BEYOND: f"> {times(least)}",
        BELOW: f"< {times(most)}",
    }
    if outcome != REACHED and (low, high) == (least, most):
        return values[outcome] + unit
    spread = "(interval unbounded)" if low == 0 and math.isinf(high) else times_interval(low, high)
    return f"{values[outcome]}{unit} {spread}"


def measured(block: Block, labels: int) -> tuple[float, float]:
    """The least and the most multiple of so many labels at which training from scratch was run."""
    budgets = [counts[-1] for at, counts in block.num_labels.items() if (CONTROL, at) in block.scores]
    return min(budgets) / labels, max(budgets) / labels


def edges_of(least: float, most: float) -> tuple[float, float]:
    """Both ends of a plot of what was measured, with room for arrows."""
    room = max(most / least, 4) ** 0.2
    return least / room, most * room


def ticks(edges: tuple[float, float], labels: int) -> tuple[tuple[float, str], ...]:
    """Multiples, each with the number of labels that it is."""
    low, high = (math.log10(edge) for edge in edges)
    steps = (1, 2, 5) if high - low < 1.7 else (1,)
    places = (step * 10.0**power for power in range(math.floor(low), math.ceil(high)) for step in steps)
    inside = (float(f"{place:.3g}") for place in places if edges[0] <= place <= edges[1])
    return tuple((place, f"{times(place)}×\n{short_count(round(place * labels))}") for place in inside)


def draw_savings(analysis: Analysis, title: str) -> Figure | None:
    """Draw the labels saved by the primary protocol at the largest latent size of every place, a panel per budget.

    Nothing of pyplot's global state is touched. None where no number of labels saved is known: nothing can be compared
    with training from scratch, or label budgets are too far apart.
    """
    every = [(block, list(bars_of(analysis, block).items())[:MOST_BUDGETS]) for block in _headlined(analysis)]
    drawn = [(block, shown) for block, shown in every if shown]
    if not any(one.at is not None for _, shown in drawn for _, found in shown for one in found):
        return None
    heights = [MARGIN_HEIGHT + ROW_HEIGHT * max(len(found) for _, found in shown) for _, shown in drawn]
    across = max(len(shown) for _, shown in drawn)
    figure = Figure(figsize=(PANEL_WIDTH * across, sum(heights) + 0.7), layout="constrained", facecolor="white")
    groups = figure.subfigures(len(drawn), 1, height_ratios=heights, squeeze=False)[:, 0]
    for group, (block, shown) in zip(groups, drawn, strict=True):
        group.suptitle(block_title(block, analysis.layout.blocks), x=0.01, ha="left", fontsize=10, color=INK)
        limits = _limits([one for _, found in shown for one in found])
        alike = len({tuple(one.row for one in found) for _, found in shown}) == 1
        panels = group.subplots(1, len(shown), squeeze=False)[0]
        for axes, (at, found) in zip(panels, shown, strict=True):
            _draw(axes, block, at, found, limits, named=axes is panels[0] or not alike)
    figure.suptitle(f"{title}: labels saved", x=0.01, ha="left", fontsize=12, fontweight="bold", color=INK)
    figure.supxlabel(fill(CAPTION, LETTERS * across), x=0.01, ha="left", fontsize=8, color=INK)
    return figure


@matplotlib.rc_context({"text.parse_math": False})  # a $ in a name is a $
def savings_png(analysis: Analysis, title: str) -> bytes | None:
    """The figure as PNG; equal records give equal bytes (with the same matplotlib)."""
    figure = draw_savings(analysis, title)
    return png_of(figure) if figure else None


def _headlined(analysis: Analysis) -> list[Block]:
    """Of every place the table of the primary protocol at the largest latent size."""
    primary, largest = analysis.primary, dict[str, Block]()
    for block in on_one_axis(analysis.layout.blocks):
        known = largest.get(block.place)
        if primary and block.protocol == primary.protocol and (known is None or block.latent_dim > known.latent_dim):
            largest[block.place] = block
    return list(largest.values())


def _limits(bars: Sequence[Bar]) -> tuple[float, float]:
    """Room for everything that is bounded, and for arrows; the same in all panels, so that they can be compared."""
    known = [end for one in bars for end, side in ((one.low, "<"), (one.high, ">")) if end and side not in one.arrows]
    known += [at for one in bars for at, side in ((one.at, ""), *one.seeds) if at and not side]
    return min([1.0, *known]) / 1.4, max([1.0, *known]) * 1.4


def _draw(
    axes: Axes, block: Block, fraction: float, bars: Sequence[Bar], limits: tuple[float, float], named: bool
) -> None:
    labels, (first, last) = block.num_labels[fraction][-1], limits
    least, most = measured(block, labels)
    axes.set_xscale("log")
    axes.set_xlim(first, last)
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.set_yticks(range(len(bars)), [one.row if named else "" for one in bars], fontsize=8, color=INK)
    marks = ticks((first, last), labels)
    axes.xaxis.set_major_locator(FixedLocator([place for place, _ in marks]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([text for _, text in marks], fontsize=7.5, color=INK)
    for low, high in ((first, least), (most, last)):
        if low < high:
            axes.axvspan(low, high, color=FAINT, zorder=0)
    axes.axvline(1, color=INK, linewidth=1.1, zorder=1)
    axes.set_title(f"with {column_title(block, fraction)}", loc="left", fontsize=8.5, color=INK)
    for place, one in enumerate(bars):
        color = "#6B6B6B" if one.row in BASELINES else PALETTE[0]
        if one.low is not None and one.high is not None:
            ends = {
                "<": first if "<" in one.arrows else max(one.low, first),
                ">": last if ">" in one.arrows else min(one.high, last),
            }
            style: LineStyle = "-" if one.interval else ":"
            axes.hlines(place, ends["<"], ends[">"], color=color, linestyle=style, linewidth=1.6)
            for side in one.arrows:
                axes.plot(ends[side], place, side, color=color, markersize=5, clip_on=False)
        for at, side in one.seeds:
            axes.plot(
                min(max(at, first), last), place, side or "o", color=INK, alpha=0.35, markersize=3, markeredgewidth=0
            )
        if one.at is not None:
            axes.plot(one.at, place, "o", color=color, markersize=6, markeredgecolor="white", zorder=3)
        axes.annotate(
            one.text,
            (1, place),
            xytext=(TEXT_GAP, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            color=INK,
        )
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=2, colors=INK)
    axes.tick_params(axis="y", length=0, pad=TEXT_GAP)
