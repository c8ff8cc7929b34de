"""What explains accuracy, for reviewers: the axes of the suite, measures without labels, chance, optimism."""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd

from sslbench.report.page.charts import Chart, Figure, Point
from sslbench.report.page.grids import Frame, Grid, Part, by_fraction, grid, labels_of, places, pretext_of, said
from sslbench.report.page.sections import PLACE
from sslbench.report.scores.blocks import RAW, protocol_rank
from sslbench.report.scores.measures import COLLAPSED, SHOWN, measure_rows
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.statistics.replication import NOT_CROSSED
from sslbench.report.tables.markdown import NOT_RUN, percent

MEASURES = {name: shown for name, shown, _ in SHOWN}


def share_part(analysis: Analysis) -> Part | None:
    """What matters most: the share of the variance that every axis explains."""
    if analysis.shares.empty:
        return None
    text = (
        "Share of the variance of test accuracy over the whole grid of pretexts, latent sizes, protocols, label "
        "fractions and seeds that each axis and each pair of axes explains (functional ANOVA); in brackets the 95% "
        "interval of a jackknife over seeds. Shares describe this grid: a wider axis would explain more."
    )
    reasons = "; ".join(dict.fromkeys(reason for reason in analysis.shares["reason"] if reason))
    columns = (*PLACE, ("axis", _source), ("share of variance", _share))
    table = grid(analysis.shares, columns, 3, caption=reasons and f"{reasons[0].upper()}{reasons[1:]}.")
    return Part("matters", "What matters most", (text,), tables=(table,))


def _source(line: Frame) -> str:
    source = line["source"].replace(" x ", " × ")
    return str(source.replace("latent_dim", "latent size").replace("label_fraction", "label fraction"))


def _share(line: Frame) -> str:
    low, high = line["low"], line["high"]
    return f"{100 * line['share']:.1f}%" + ("" if math.isnan(low) else f" [{100 * low:.1f}, {100 * high:.1f}]")


def measure_part(records: pd.DataFrame, analysis: Analysis) -> Part | None:
    """The label-free measures, drawn against accuracy, and how well they predict it."""
    rows = measure_rows(records)
    if not rows:
        return None
    columns = ("pretext", "latent size", *(shown for _, shown, _ in SHOWN), "collapsed")
    text = (
        "Measured without labels on the representation of 2,048 unlabelled inputs (LiDAR and alignment: 1,000 inputs "
        f"in four views), means over seeds. {COLLAPSED} marks a collapsed representation."
    )
    tables = (Grid(columns, tuple(tuple(row) for row in rows)), *correlation_grids(analysis))
    return Part("measures", "Measures without labels", (text,), tuple(measure_figures(records, analysis)), tables)


def measure_figures(records: pd.DataFrame, analysis: Analysis) -> list[Figure]:
    """Accuracy against each measure, encoder by encoder: first protocol, fewest labels, means over seeds."""
    found = analysis.evaluations
    found = found[found["protocol"].isin(["linear_probe", "knn"]) & (found["encoder"] != RAW)]
    axes = ["dataset", "encoder", "latent_dim", "pretext", "metric"]
    measures = records[records["metric"].str.startswith("representation.")].groupby(axes)["value"].mean().dropna()
    figures = []
    for where, part in places(found):
        protocol, fraction = min(set(part["protocol"]), key=protocol_rank), min(part["label_fraction"])
        part = part[(part["protocol"] == protocol) & (part["label_fraction"] == fraction)]
        title = f"{where}{protocol}, {percent(fraction)} of the labels"
        charts = ((MEASURES[name], _measure_chart(part, measures, name, title)) for name in MEASURES)
        drawn = tuple((name, chart) for name, chart in charts if chart.points)
        if drawn:
            figures.append(Figure(title, drawn, "Measure"))
    return figures


def _measure_chart(part: pd.DataFrame, measures: pd.Series[float], name: str, title: str) -> Chart:
    axes = ["pretext", "latent_dim", "pretrain_dataset", "dataset", "encoder"]
    means = part.groupby(axes, sort=True)["test"].mean()
    points = []
    for (pretext, size, origin, dataset, encoder), accuracy in zip(means.index.tolist(), means.tolist(), strict=True):
        key = (origin or dataset, encoder, size, pretext, f"representation.{name}")
        if key in measures.index and math.isfinite(measured := float(measures[key])):
            tip = f"{pretext}, d={size}\n{100 * accuracy:.1f} %, {MEASURES[name]} {measured:.3g}"
            points.append(Point(float(f"{measured:.4g}"), round(100 * accuracy, 3), None, tip, pretext))
    alt = f"Scatter chart of test accuracy against {MEASURES[name]}, {title}, {len(points)} encoders."
    return Chart("points", alt, MEASURES[name], "test accuracy, %", logarithmic=False, points=tuple(points))


def correlation_grids(analysis: Analysis) -> list[Grid]:
    """Whether measures without labels predict accuracy: rank correlation per protocol and label fraction."""
    found = analysis.correlations
    found = found[found["measure"].isin(list(MEASURES))]
    grids = []
    for where, here in places(found):
        for protocol, part in here.groupby("protocol", sort=True):
            if part["spearman"].notna().any():
                title = f"Rank correlation with accuracy, {where}{protocol}"
                names = [("Spearman's ρ", lambda line: MEASURES[line["measure"]])]
                grids.append(by_fraction(part, names, _correlation, title, _encoders(part)))
    return grids


def _correlation(line: Frame) -> str:
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


def optimism_part(analysis: Analysis) -> Part | None:
    """What choosing on the test split would have added."""
    grids = []
    if not analysis.choice_optimism.empty:
        names = (
            *(*PLACE, ("pretext", lambda line: pretext_of(line) or "any pretext")),
            *(("chosen over", said("over")), ("candidates", said("candidates"))),
        )
        title = "Choosing latent size, protocol and pretext"
        grids.append(by_fraction(analysis.choice_optimism, names, _gain("optimism", "low", "high"), title))
    if not analysis.epoch_optimism.empty:
        columns = (
            *(("dataset", said("dataset")), ("pretext", pretext_of), ("latent size", said("latent_dim"))),
            *(("protocol", said("protocol")), ("labels", labels_of), ("checkpoints", said("checkpoints"))),
            ("best", lambda line: f"{100 * line['best_on_test']:.1f}"),
            ("over last", _gain("over_last", "over_last_low", "over_last_high")),
            ("over budget's", _gain("over_budget", "over_budget_low", "over_budget_high")),
        )
        grids.append(grid(analysis.epoch_optimism, columns, 5, "Reporting the best epoch"))
    if not grids:
        return None
    text = (
        "How much better these results would look had something been chosen by test accuracy, as many published tables "
        "do: the accuracy of what the test split would have picked, minus that of what the label budget picked, in "
        "points. It cannot be negative, and it is not an improvement: on new data it is gone. Nothing in this report "
        "was chosen that way."
    )
    return Part("optimism", "Optimism of choosing on the test split", (text,), tables=tuple(grids))


def _gain(name: str, first: str, last: str) -> Callable[[Frame], str]:
    def say(line: Frame) -> str:
        value, low, high = line[name], line[first], line[last]
        text = f"{100 * value:+.2f}" if round(100 * value, 2) else "0.00"
        return text + ("" if math.isnan(low) else f" [{100 * low:.2f}, {100 * high:.2f}]")

    return say


def spread_part(analysis: Analysis) -> Part:
    """Where the spread over seeds comes from."""
    name = "Where the spread comes from"
    if analysis.components.empty:
        return Part("spread", name, (analysis.components_reason or NOT_CROSSED,))
    text = (
        "Standard deviation of accuracy, in points, between trainings (initialisation, views), between labelled "
        "subsets, and the rest, from every encoder evaluated on every subset."
    )

    def spread(column: str) -> Callable[[Frame], str]:
        return lambda line: f"{100 * line[column]:.2f}"

    columns = (
        *(("pretext", said("pretext")), ("protocol", said("protocol"))),
        *(("latent size", said("latent_dim")), ("labels", labels_of)),
        *(("trainings", spread("initialisation_sd")), ("labelled subsets", spread("labels_sd"))),
        ("rest", spread("residual_sd")),
    )
    return Part("spread", name, (text,), tables=(grid(analysis.components, columns, 2),))
