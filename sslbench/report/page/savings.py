"""The page's section on labels saved: multipliers, crossovers, areas, wins and losses, and what one would choose."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from operator import itemgetter

import pandas as pd

from sslbench.contract.titles import protocol_rank
from sslbench.report.page.sections import Grid, Section
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.statistics.label_efficiency import BELOW, BEYOND, NEVER_AHEAD, NEVER_OVERTAKEN, OVERTAKEN, REACHED
from sslbench.report.statistics.paired import OUTCOMES
from sslbench.report.words.numbers import NOT_RUN, percent

#: Columns that name one table of the page.
TABLE_KEY = ["dataset", "encoder", "protocol", "latent_dim"]

SAVINGS_TEXT = (
    "Label multiplier: how many times more labels training from scratch (`supervised`) needs to be as accurate, "
    "interpolated on the logarithmic label axis, with its 95% confidence set. 2 means that half the labels are saved, "
    "below 1 that pretraining costs labels. `>` and `<` mark what lies beyond the measured label budgets: more than "
    "the data holds, or fewer than the smallest budget. `0` and `∞` in brackets: the data does not bound it.",
    "Crossover: the share of labels from which training from scratch is ahead. Area: mean accuracy when every doubling "
    "of the labels counts the same, and its paired difference to `supervised` in points (Holm-corrected).",
)


def savings_section(analysis: Analysis) -> Section | None:
    """Multipliers, crossovers and areas table by table; None where `supervised` was not run."""
    if analysis.multipliers.empty:
        return None
    grids = [_multiplier_grid(title, part) for title, part in _by_table(analysis.multipliers)]
    grids += [_curve_grid(title, part, analysis.areas) for title, part in _by_table(analysis.crossovers)]
    return Section("savings", "Labels saved", SAVINGS_TEXT, tables=tuple(grids))


def outcome_section(analysis: Analysis) -> Section | None:
    """Wins, ties and losses against training from scratch, and the choice one could make without the test split."""
    if analysis.outcomes.empty:
        return None
    text = (
        "How often a pretext is better than, not told from, or worse than training from scratch on the same labels "
        "(paired t-test over seeds, Holm-corrected over the rows of a column, 5% level); untested with one seed.",
    )
    columns = ("dataset", "encoder", "labels", *OUTCOMES)
    rows = [
        (line["dataset"], line["encoder"], _fraction(line["label_fraction"]), *(str(line[name]) for name in OUTCOMES))
        for line in analysis.outcomes.to_dict("records")
    ]
    grids = [Grid(columns, tuple(rows), names=3).compact()]
    if not analysis.choices.empty:
        grids.append(_choice_grid(analysis.choices))
    return Section("outcomes", "Wins, losses and what to choose", text, tables=tuple(grids))


def _choice_grid(choices: pd.DataFrame) -> Grid:
    columns = (
        "dataset",
        "encoder",
        "labels",
        "use",
        "pretext",
        "protocol",
        "latent size",
        "budget score",
        "chosen from",
    )
    rows = [
        (
            *(line["dataset"], line["encoder"], _fraction(line["label_fraction"]), line["kind"]),
            *(line["pretext"], line["protocol"], str(line["latent_dim"])),
            *(f"{100 * line['budget']:.1f}", str(line["candidates"])),
        )
        for line in choices.to_dict("records")
    ]
    caption = "The choice by score inside the label budget; no test label is read."
    return Grid(columns, tuple(rows), names=6, title="What one would choose", caption=caption).compact()


def _by_table(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The lines of each table of the page, in its order, with its title."""
    several = len(frame[["dataset", "encoder"]].drop_duplicates()) > 1
    parts = {
        (dataset, encoder, protocol_rank(str(protocol)), size): (protocol, part)
        for (dataset, encoder, protocol, size), part in frame.groupby(TABLE_KEY, sort=False)
    }
    for (dataset, encoder, _, latent_dim), (protocol, part) in sorted(parts.items(), key=itemgetter(0)):
        title = f"{protocol}, latent size {latent_dim}"
        yield (f"{dataset}, {encoder}: {title}" if several else title), part


def _name(pretext: str, origin: str, dataset: str) -> str:
    return f"{pretext} from {origin}" if origin and origin != dataset else pretext


def _multiplier_grid(title: str, part: pd.DataFrame) -> Grid:
    fractions = sorted(set(part["label_fraction"]))
    cells = {
        (_name(line["pretext"], line["pretrain_dataset"], line["dataset"]), line["label_fraction"]): _multiplier(
            line["multiplier"], line["low"], line["high"], line["outcome"], line["bound"]
        )
        for line in part.to_dict("records")
    }
    names = dict.fromkeys(name for name, _ in cells)
    rows = [(name, *(cells.get((name, fraction), NOT_RUN) for fraction in fractions)) for name in names]
    columns = ("label multiplier", *(percent(fraction) for fraction in fractions))
    return Grid(columns, tuple(rows), title=f"Multipliers: {title}")


def _multiplier(multiplier: float, low: float, high: float, outcome: str, bound: float) -> str:
    """`1.8 [1.1, 3.0]`, `> 100` or `< 0.2`."""
    if outcome == REACHED:
        text = _times(multiplier)
    elif outcome in (BEYOND, BELOW):
        text = f"{'>' if outcome == BEYOND else '<'} {_times(bound)}"
    else:
        return NOT_RUN
    return text + _interval(low, high, _times)


def _times(factor: float) -> str:
    return f"{factor:.2g}" if factor < 10 else f"{factor:.0f}"


def _interval(low: float, high: float, form: Callable[[float], str]) -> str:
    if math.isnan(low) or math.isnan(high):
        return ""
    return f" [{form(low) if low > 0 else '0'}, {'∞' if math.isinf(high) else form(high)}]"


def _curve_grid(title: str, part: pd.DataFrame, areas: pd.DataFrame) -> Grid:
    """Crossover and area of every row of a table."""
    keys = [*TABLE_KEY, "pretrain_dataset", "pretext"]
    merged = part.merge(areas, on=keys, suffixes=("", "_area"))
    rows = [
        (
            _name(line["pretext"], line["pretrain_dataset"], line["dataset"]),
            _crossover(line["label_fraction"], line["low"], line["high"], line["outcome"]),
            _area(line["area"], line["low_area"], line["high_area"]),
            _area(line["difference"], line["difference_low"], line["difference_high"], signed=True),
            line["outcome_area"] or NOT_RUN,
        )
        for line in merged.to_dict("records")
    ]
    columns = ("pretext", "crossover", "area, %", "difference to supervised", "outcome")
    return Grid(columns, tuple(rows), title=f"Crossover and area: {title}")


def _crossover(fraction: float, low: float, high: float, outcome: str) -> str:
    if outcome == OVERTAKEN:
        return percent(float(f"{fraction:.2g}")) + _interval(low, high, _rounded_percent)
    if outcome in (NEVER_AHEAD, NEVER_OVERTAKEN):
        return outcome
    return outcome or NOT_RUN


def _rounded_percent(fraction: float) -> str:
    return percent(float(f"{fraction:.2g}"))


def _area(value: float, low: float, high: float, signed: bool = False) -> str:
    if math.isnan(value):
        return NOT_RUN
    text = f"{100 * value:+.1f}" if signed else f"{100 * value:.1f}"
    return text if math.isnan(low) else f"{text} ± {50 * (high - low):.1f}"


def _fraction(fraction: float) -> str:
    return "all" if math.isnan(fraction) else percent(fraction)
