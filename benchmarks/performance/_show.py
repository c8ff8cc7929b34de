"""The table and the plot of results/performance/, from its rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from _measure import Row

HEAD = """# Measured speed

Two CPU cores. A value is the median over interleaved repeats, in brackets the smallest and the largest; *before* is the
run before this one, *processor* that of the last run and, where it differs, of the one before: ratios move with it.
*Others* is the share of the machine that other processes took meanwhile: with more than a few
per cent the figure is not to be trusted. `make bench-performance` measures all of it again.

| bar | quantity | value | bound | reached | before | processor | repeats | others | figures behind it |
| --: | --- | --- | --- | --- | --- | --- | --: | --: | --- |
"""


def write_table(rows: Sequence[Row], path: Path) -> None:
    """Write the rows as Markdown, the previous run beside the last."""
    before = {item.quantity: item for item in rows if item.run == "previous"}
    lines = []
    for item in rows:
        if item.run == "last":
            bound = f"{item.bound} {item.target:g}" if item.target is not None else ""
            verdict = {True: "yes", False: "**no**", None: ""}[item.reached]
            earlier = _figures(before[item.quantity]) if item.quantity in before else ""
            machines = dict.fromkeys(each.machine or "not kept" for each in (item, before.get(item.quantity, item)))
            cells = [str(item.bar), item.quantity, _figures(item), bound, verdict, earlier]
            cells += [", before: ".join(machines), str(item.repeats)]
            lines.append(f"| {' | '.join([*cells, f'{item.others:.0%}', item.detail])} |")
    path.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")


def _figures(item: Row) -> str:
    spread = f" ({item.low:.3g} to {item.high:.3g})" if item.repeats > 1 else ""
    return f"{item.value:.3g} {item.unit}{spread}"


def draw(rows: Sequence[Row], path: Path) -> None:
    """Draw how far each figure lies from its bound: 1 is the bound, to the right is better, on a log scale."""
    mpl.use("agg")
    from matplotlib import pyplot

    bounded = [item for item in rows if item.target]  # a bound of zero has no scale
    names = list(dict.fromkeys(f"{item.bar}  {item.quantity}" for item in bounded))
    figure, axes = pyplot.subplots(figsize=(9, 0.6 + 0.34 * len(names)), layout="constrained")
    for run, color in (("previous", "0.6"), ("last", "C0")):
        chosen = [item for item in bounded if item.run == run]
        margins = [[_margin(item, value) for value in (item.value, item.low, item.high)] for item in chosen]
        places = [
            names.index(f"{item.bar}  {item.quantity}") + (0.15 if run == "previous" else -0.15) for item in chosen
        ]
        spans = [[abs(margin[0] - min(margin)) for margin in margins], [max(margin) - margin[0] for margin in margins]]
        axes.errorbar([margin[0] for margin in margins], places, xerr=spans, fmt="o", color=color, capsize=3, label=run)
    axes.axvline(1.0, color="C3", linewidth=1)
    axes.set_xscale("log")
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("times better than its bound")
    axes.legend(loc="lower right", fontsize=8)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def _margin(item: Row, value: float) -> float:
    assert item.target is not None
    margin = value / item.target if item.bound == "at least" else item.target / max(value, 1e-3 * item.target)
    return max(margin, 1e-3)
