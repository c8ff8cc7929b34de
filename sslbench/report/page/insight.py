"""Sections of the page on what explains accuracy: the axes of the suite, measures without labels, chance, optimism."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from sslbench.contract.titles import RAW, protocol_rank
from sslbench.report.page.charts import Chart, Figure, Point
from sslbench.report.page.sections import Bars, Grid, Section
from sslbench.report.scores.measures import SHOWN, mean_measures
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.statistics.replication import NOT_CROSSED
from sslbench.report.words.numbers import NOT_RUN, percent

MEASURES = {name: shown for name, shown, _ in SHOWN}


def share_section(analysis: Analysis) -> Section | None:
    """What matters most: the share of the variance that every axis explains."""
    if analysis.shares.empty:
        return None
    text = (
        "Share of the variance of test accuracy over the whole grid of pretexts, latent sizes, protocols, label "
        "fractions and seeds that each axis and each pair of axes explains (functional ANOVA); in brackets the 95% "
        "interval of a jackknife over seeds. Shares describe this grid: a wider axis would explain more.",
    )
    several = len(analysis.shares[["dataset", "encoder"]].drop_duplicates()) > 1
    bars = []
    for (dataset, encoder), part in analysis.shares.groupby(["dataset", "encoder"], sort=True):
        largest = max(part["share"])
        rows = tuple(
            (
                _source(line["source"]),
                f"{100 * line['share']:.1f}%{_interval(line['low'], line['high'])}",
                line["share"] / largest,
            )
            for line in part.to_dict("records")
        )
        title = f"{dataset}, {encoder}" if several else ""
        reasons = "; ".join(dict.fromkeys(reason for reason in part["reason"] if reason))
        bars.append(Bars(("axis", "share of variance"), rows, title, reasons and f"{reasons[0].upper()}{reasons[1:]}."))
    return Section("matters", "What matters most", text, bars=tuple(bars))


def _source(source: str) -> str:
    return source.replace(" x ", " × ").replace("latent_dim", "latent size").replace("label_fraction", "label fraction")


def _interval(low: float, high: float) -> str:
    return "" if math.isnan(low) else f" [{100 * low:.1f}, {100 * high:.1f}]"


def measure_figures(records: pd.DataFrame, analysis: Analysis) -> list[Figure]:
    """Accuracy against each measure, encoder by encoder: first protocol, fewest labels, means over seeds."""
    found = analysis.evaluations
    found = found[found["protocol"].isin(["linear_probe", "knn"]) & (found["encoder"] != RAW)]
    measures = _mean_measures(records)
    if found.empty or not measures:
        return []
    several = len(found[["dataset", "encoder"]].drop_duplicates()) > 1
    figures = []
    for (dataset, encoder), part in found.groupby(["dataset", "encoder"], sort=True):
        protocol = min(set(part["protocol"]), key=protocol_rank)
        fraction = min(part["label_fraction"])
        part = part[(part["protocol"] == protocol) & (part["label_fraction"] == fraction)]
        title = f"{protocol}, {percent(fraction)} of the labels"
        title = f"{dataset}, {encoder}: {title}" if several else title
        charts = [(MEASURES[name], _measure_chart(part, measures, name, title)) for name in MEASURES]
        drawn = tuple((name, chart) for name, chart in charts if chart.points)
        if drawn:
            figures.append(Figure(title, drawn, "Measure"))
    return figures


Measured = dict[tuple[object, ...], float]


def _mean_measures(records: pd.DataFrame) -> Measured:
    """Means over seeds by dataset seen, encoder, latent size, pretext and measure."""
    return {tuple(key): value for *key, value, _ in mean_measures(records).itertuples(index=False)}


def _measure_chart(part: pd.DataFrame, measures: Measured, name: str, title: str) -> Chart:
    axes = ["pretext", "latent_dim", "pretrain_dataset", "dataset", "encoder"]
    means = part.groupby(axes, sort=True)["test"].mean()
    points = []
    for (pretext, size, origin, dataset, encoder), accuracy in zip(means.index.tolist(), means.tolist(), strict=True):
        measured = measures.get((origin or dataset, encoder, size, pretext, name))
        if measured is not None and math.isfinite(measured):
            tip = f"{pretext}, d={size}\n{100 * accuracy:.1f} %, {MEASURES[name]} {measured:.3g}"
            points.append(Point(float(f"{measured:.4g}"), round(100 * accuracy, 3), None, tip, pretext))
    alt = f"Scatter chart of test accuracy against {MEASURES[name]}, {title}, {len(points)} encoders."
    return Chart("points", title, alt, MEASURES[name], "test accuracy, %", logarithmic=False, points=tuple(points))


def correlation_grids(analysis: Analysis) -> list[Grid]:
    """Whether measures without labels predict accuracy: rank correlation per protocol and label fraction."""
    grids = []
    found = analysis.correlations
    known = found.groupby(["dataset", "encoder", "protocol"])["spearman"].transform("count") > 0
    found = found[known]
    several = len(found[["dataset", "encoder"]].drop_duplicates()) > 1
    for (dataset, encoder, protocol), part in found.groupby(["dataset", "encoder", "protocol"], sort=True):
        fractions = sorted(set(part["label_fraction"]))
        cells = {(line["measure"], line["label_fraction"]): _correlation(line) for line in part.to_dict("records")}
        names = dict.fromkeys([name for name in MEASURES if (name, fractions[0]) in cells])
        rows = tuple(
            (MEASURES[name], *(cells.get((name, fraction), NOT_RUN) for fraction in fractions)) for name in names
        )
        place = f"{dataset}, {encoder}: {protocol}" if several else str(protocol)
        columns = ("Spearman's ρ", *(percent(fraction) for fraction in fractions))
        grids.append(Grid(columns, rows, title=f"Rank correlation with accuracy, {place}", caption=_encoders(part)))
    return grids


def _correlation(line: dict[Any, Any]) -> str:
    """`0.83 [0.1, 1.0]`; a star where Kendall's test stays below 5% after Holm's correction."""
    if math.isnan(line["spearman"]):
        return NOT_RUN
    low, high = line["spearman_low"], line["spearman_high"]
    interval = "" if math.isnan(low) else f" [{low:.2f}, {high:.2f}]"
    return f"{line['spearman']:.2f}{interval}{' *' if line['p_holm'] < 0.05 else ''}"


def _encoders(part: pd.DataFrame) -> str:
    numbers = sorted(set(part["encoders"]))
    count = str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
    reasons = sorted({reason for reason in part["reason"] if reason})
    return (
        f"Over {count} encoders, means over seeds; 1 means the better the measure, the more accurate. * significant at "
        f"5% (Kendall's test, Holm){'; ' + ', '.join(reasons) if reasons else ''}."
    )


def optimism_section(analysis: Analysis) -> Section | None:
    """What choosing on the test split would have added."""
    grids = []
    if not analysis.choice_optimism.empty:
        grids.append(_choice_grid(analysis.choice_optimism))
    if not analysis.epoch_optimism.empty:
        grids.append(_epoch_grid(analysis.epoch_optimism))
    if not grids:
        return None
    text = (
        "How much better these results would look had something been chosen by test accuracy, as many published tables "
        "do: the accuracy of what the test split would have picked, minus that of what the label budget picked, in "
        "points. It cannot be negative, and it is not an improvement: on new data it is gone. Nothing in this report "
        "was chosen that way.",
    )
    return Section("optimism", "Optimism of choosing on the test split", text, tables=tuple(grids))


def _choice_grid(choices: pd.DataFrame) -> Grid:
    """A line per pretext, and one for choosing among all of them; a column per label fraction."""
    fractions = sorted(set(choices["label_fraction"]))
    cells: dict[tuple[str, ...], dict[float, str]] = {}
    for line in choices.to_dict("records"):
        name = line["pretext"] or "any pretext"
        place = (line["dataset"], line["encoder"], _from(name, line), line["over"], str(line["candidates"]))
        cells.setdefault(place, {})[line["label_fraction"]] = _points(line["optimism"], line["low"], line["high"])
    rows = [(*place, *(found.get(fraction, NOT_RUN) for fraction in fractions)) for place, found in cells.items()]
    columns = ("dataset", "encoder", "pretext", "chosen over", "candidates", *(percent(share) for share in fractions))
    return Grid(columns, tuple(rows), names=4, title="Choosing latent size, protocol and pretext").compact()


def _from(name: str, line: dict[Any, Any]) -> str:
    elsewhere = line["pretrain_dataset"] not in ("", line["dataset"])
    return f"{name} from {line['pretrain_dataset']}" if elsewhere else name


def _epoch_grid(epochs: pd.DataFrame) -> Grid:
    columns = (
        "dataset",
        "pretext",
        "latent size",
        "protocol",
        "labels",
        "checkpoints",
        "best",
        "over last",
        "over budget's",
    )
    rows = [
        (
            *(line["dataset"], _from(line["pretext"], line), str(line["latent_dim"]), line["protocol"]),
            *(percent(line["label_fraction"]), str(line["checkpoints"]), f"{100 * line['best_on_test']:.1f}"),
            _points(line["over_last"], line["over_last_low"], line["over_last_high"]),
            _points(line["over_budget"], line["over_budget_low"], line["over_budget_high"]),
        )
        for line in epochs.to_dict("records")
    ]
    return Grid(columns, tuple(rows), names=5, title="Reporting the best epoch").compact()


def _points(value: float, low: float, high: float) -> str:
    text = f"{100 * value:+.2f}" if round(100 * value, 2) else "0.00"
    return text + ("" if math.isnan(low) else f" [{100 * low:.2f}, {100 * high:.2f}]")


def spread_section(analysis: Analysis) -> Section:
    """Where the spread over seeds comes from."""
    name = "Where the spread comes from"
    found = analysis.components
    if found.empty:
        return Section("spread", name, (analysis.components_reason or NOT_CROSSED,))
    text = (
        "Standard deviation of accuracy, in points, between trainings (initialisation, views), between labelled "
        "subsets, and the rest, from every encoder evaluated on every subset.",
    )
    columns = ("pretext", "protocol", "latent size", "labels", "trainings", "labelled subsets", "rest")
    rows = [
        (
            *(line["pretext"], line["protocol"], str(line["latent_dim"]), percent(line["label_fraction"])),
            *(f"{100 * line[column]:.2f}" for column in ("initialisation_sd", "labels_sd", "residual_sd")),
        )
        for line in found.to_dict("records")
    ]
    return Section("spread", name, text, tables=(Grid(columns, tuple(rows), names=2),))
