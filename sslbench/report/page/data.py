"""The data a page carries: charts, looks and runs as JSON that no name can break out of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from sslbench.report.page.charts import Chart, Point
from sslbench.report.page.tables import RunList
from sslbench.report.scores.rows import Run

#: d3's symbols at the size of the charts' points, for the legend: they need no script.
SYMBOL_PATHS = {
    "circle": "M4,0A4,4,0,1,1,-4,0A4,4,0,1,1,4,0",
    "square": "M-3.5,-3.5H3.5V3.5H-3.5Z",
    "triangle": "M0,-4.6L4,2.6H-4Z",
    "diamond": "M0,-5L3,0L0,5L-3,0Z",
    "wye": "M1.1,0.6V4H-1.1V0.6L-4,-1L-2.9,-2.9L0,-1.2L2.9,-2.9L4,-1Z",
    "cross": "M-1.4,-4H1.4V-1.4H4V1.4H1.4V4H-1.4V1.4H-4V-1.4H-1.4Z",
    "star": "M0,-4.8L1.1,-1.5L4.6,-1.5L1.8,0.6L2.8,3.9L0,1.9L-2.8,3.9L-1.8,0.6L-4.6,-1.5L-1.1,-1.5Z",
    "times": "M-3.3,-3.3L3.3,3.3M-3.3,3.3L3.3,-3.3",
    "plus": "M-4.2,0H4.2M0,-4.2V4.2",
    "asterisk": "M-4,0H4M-2,-3.5L2,3.5M-2,3.5L2,-3.5",
}
STROKED = ("times", "plus", "asterisk")


def legend_look(look: Mapping[str, str | float]) -> dict[str, object]:
    """A look with what the legend's swatch needs."""
    symbol = str(look["symbol"])
    return {**look, "path": SYMBOL_PATHS[symbol], "stroked": symbol in STROKED}


def embedded(charts: Sequence[Chart], looks: Mapping[str, object], runs: Sequence[RunList], ui_url: str) -> Markup:
    """The page's data as JSON that can stand in a script element, whatever names it holds."""
    data = {
        "charts": [_plain(chart) for chart in charts],
        "looks": looks,
        "cells": [[item.title, [_run(run) for run in item.runs]] for item in runs],
        "ui": ui_url.rstrip("/"),
    }
    text = json.dumps(data, separators=(",", ":"), sort_keys=True, allow_nan=False)
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def _run(run: Run) -> list[str | float]:
    return [str(run.replicate), round(run.value, 6), run.run_id]


def _plain(chart: Chart) -> dict[str, object]:
    return {
        "kind": chart.kind,
        "alt": chart.alt,
        "xlabel": chart.xlabel,
        "ylabel": chart.ylabel,
        "logarithmic": chart.logarithmic,
        "ticks": chart.ticks,
        "ydomain": chart.ydomain,
        "level": chart.level,
        "lines": [{"row": line.row, "points": [_point(point) for point in line.points]} for line in chart.lines],
        "points": [_point(point) for point in chart.points],
        "front": [_point(point) for point in chart.front],
    }


def _point(point: Point) -> dict[str, object]:
    plain: dict[str, object] = {"x": point.x, "y": point.y, "half": point.half, "tip": point.tip}
    return {**plain, "row": point.row} if point.row else plain
