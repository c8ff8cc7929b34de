"""The page's diagram of ranks: rows from best to worst, joined where they are not told apart.

Demšar's critical-difference diagram (2006, JMLR 7, figure 1) turned on its side: names stand in a column and ranks run
to the right, so that it can be read on a phone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sslbench.report.statistics.ranks import Ranks

WIDTH, LEFT, RIGHT, TOP, STEP = 460, 132, 52, 34, 24  # of the drawing, in its own units
LETTER = 7.8  # width of a wide letter of a name


@dataclass(frozen=True)
class Mark:
    """A text, dot or end of a line at a place of the drawing."""

    x: float
    y: float
    text: str = ""


@dataclass(frozen=True)
class Bar:
    """A thick line beside rows that are not told apart, from `top` to `bottom`."""

    x: float
    top: float
    bottom: float


@dataclass(frozen=True)
class Diagram:
    """A diagram of ranks, ready to be drawn.

    Attributes:
        rows: name and mean rank of each row, placed at its dot.
        reach: length of the critical difference; 0 if there is none.
        alt: the diagram in words.
    """

    title: str
    caption: str
    alt: str
    width: int
    height: float
    left: int
    ticks: tuple[Mark, ...]
    rows: tuple[Mark, ...]
    names: tuple[str, ...]
    bars: tuple[Bar, ...]
    reach: float


def rank_diagrams(found: Sequence[Ranks]) -> tuple[Diagram, ...]:
    """A diagram per encoder, protocol and latent size."""
    several = len({ranks.encoder for ranks in found}) > 1
    return tuple(_diagram(ranks, several) for ranks in found)


def _diagram(ranks: Ranks, several: bool) -> Diagram:
    count = len(ranks.names)
    bars_room = 12 * len(ranks.groups)
    left = max(LEFT, math.ceil(LETTER * max(map(len, ranks.names))))
    scale = (WIDTH - left - RIGHT - bars_room) / max(count - 1, 1)
    places = {name: TOP + STEP * (index + 0.5) for index, name in enumerate(ranks.names)}
    rows = tuple(
        Mark(round(left + scale * (rank - 1), 1), places[name], f"{rank:.2f}")
        for name, rank in zip(ranks.names, ranks.mean_ranks, strict=True)
    )
    bars = tuple(
        Bar(WIDTH - bars_room + 12 * index, places[group[0]] - 8, places[group[-1]] + 8)
        for index, group in enumerate(ranks.groups)
    )
    every = math.ceil(count / 8)
    ticks = tuple(Mark(round(left + scale * (rank - 1), 1), TOP, str(rank)) for rank in range(1, count + 1, every))
    reach = 0.0 if math.isnan(ranks.critical_difference) else round(scale * ranks.critical_difference, 1)
    title = f"{ranks.protocol}, latent size {ranks.latent_dim}"
    return Diagram(
        title=f"{ranks.encoder}: {title}" if several else title,
        caption=_caption(ranks),
        alt="Mean ranks: " + ", ".join(f"{name} {row.text}" for name, row in zip(ranks.names, rows, strict=True)) + ".",
        width=WIDTH,
        height=TOP + STEP * count + 8,
        left=left,
        ticks=ticks,
        rows=rows,
        names=ranks.names,
        bars=bars,
        reach=min(reach, WIDTH - left - bars_room),
    )


def _caption(ranks: Ranks) -> str:
    """What was tested and what came out."""
    parts = [f"{len(ranks.blocks)} label budgets"]
    if ranks.reason:
        parts.append(ranks.reason)
    else:
        p_value = "< 0.001" if ranks.p_value < 0.001 else f"= {ranks.p_value:.3f}"
        parts.append(f"Friedman test p {p_value}")
        parts.append(f"critical difference {ranks.critical_difference:.2f} (Nemenyi, 5%)")
        parts.append("no two rows are told apart" if _all_alike(ranks) else _groups(ranks))
    if ranks.left_out:
        parts.append(f"left out, as not run at every budget: {', '.join(ranks.left_out)}")
    return "; ".join(parts) + "."


def _all_alike(ranks: Ranks) -> bool:
    return ranks.groups == (ranks.names,)


def _groups(ranks: Ranks) -> str:
    if not ranks.groups:
        return "all rows are told apart"
    return "not told apart: " + ", nor ".join(", ".join(group) for group in ranks.groups)
