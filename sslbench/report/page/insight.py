"""What explains accuracy, for reviewers: the axes of the suite, measures without labels, chance, optimism."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd

from sslbench.contract.titles import RAW, protocol_rank
from sslbench.report.page.charts import Chart, Figure, Point
from sslbench.report.page.parts import LABELS, PLACE, Line, Part, Say, by_fraction, places, pretext_of, said, sheet_of
from sslbench.report.scores.measures import SHOWN, mean_measures
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.tables.sheet import Sheet
from sslbench.report.words.numbers import NOT_RUN, percent, points, ranged
from sslbench.report.words.reading import COLLAPSED, MEASURES
from sslbench.report.words.wording import axis_title

TITLES = {name: shown for name, shown, _ in SHOWN}


def share_part(analysis: Analysis) -> Part | None:
    """What matters most: the share of the variance that every axis explains."""
    if analysis.shares.empty:
        return None
    text = (
        "Share of the variance of test accuracy over the whole grid of pretexts, latent sizes, protocols, label "
        "fractions and seeds that each axis and each pair of axes explains (functional ANOVA); `seed` is all that "
        "another seed would change, its interactions with the other axes included; in brackets the 95% interval of a "
        "jackknife over seeds. Shares describe this grid: a wider axis would explain more."
    )
    reasons = "; ".join(dict.fromkeys(reason for reason in analysis.shares["reason"] if reason))
    columns = (
        *PLACE,
        ("axis", lambda line: axis_title(line["source"]).replace(" x ", " × ")),
        ("share of variance", _share),
    )
    table = sheet_of(analysis.shares, columns, 3, "", reasons and f"{reasons[0].upper()}{reasons[1:]}.")
    return Part("matters", "What matters most", (text,), sheets=(table,))


def _share(line: Line) -> str:
    return ranged(f"{points(line['share'])}%", line["low"], line["high"], points)


def measure_part(measures: Sheet | None, analysis: Analysis) -> Part | None:
    """The label-free measures, drawn against accuracy, and how well they predict it."""
    if measures is None:
        return None
    text = f"{MEASURES} {COLLAPSED} marks a collapsed representation."
    sheets = (replace(measures, title=""), *correlation_sheets(analysis))
    return Part("measures", measures.title, (text,), tuple(measure_figures(analysis)), sheets)


def measure_figures(analysis: Analysis) -> list[Figure]:
    """Accuracy against each measure, encoder by encoder: first protocol, fewest labels, means over seeds."""
    found = analysis.evaluations
    found = found[found["protocol"].isin(["linear_probe", "knn"]) & (found["encoder"] != RAW)]
    means = mean_measures(analysis.layout.records)
    measures = {tuple(key): float(value) for *key, value, _ in means.itertuples(index=False)}
    figures = []
    for where, part in places(found):
        protocol, fraction = min(set(part["protocol"]), key=protocol_rank), min(part["label_fraction"])
        part = part[(part["protocol"] == protocol) & (part["label_fraction"] == fraction)]
        title = f"{where}{protocol}, {percent(fraction)} of the labels"
        charts = ((TITLES[name], _measure_chart(part, measures, name, title)) for name in TITLES)
        drawn = tuple((name, chart) for name, chart in charts if chart.points)
        if drawn:
            figures.append(Figure(title, drawn, "Measure"))
    return figures


def _measure_chart(part: pd.DataFrame, measures: dict[tuple[object, ...], float], name: str, title: str) -> Chart:
    axes = ["pretext", "latent_dim", "pretrain_dataset", "dataset", "encoder"]
    means = part.groupby(axes, sort=True)["test"].mean()
    points = []
    for (pretext, size, origin, dataset, encoder), accuracy in zip(means.index.tolist(), means.tolist(), strict=True):
        measured = measures.get((origin or dataset, encoder, size, pretext, name), math.nan)
        if math.isfinite(measured):
            tip = f"{pretext}, d={size}\n{100 * accuracy:.1f} %, {TITLES[name]} {measured:.3g}"
            points.append(Point(float(f"{measured:.4g}"), round(100 * accuracy, 3), None, tip, pretext))
    alt = f"Scatter chart of test accuracy against {TITLES[name]}, {title}, {len(points)} encoders."
    return Chart("points", alt, TITLES[name], "test accuracy, %", logarithmic=False, points=tuple(points))


def correlation_sheets(analysis: Analysis) -> list[Sheet]:
    """Whether measures without labels predict accuracy: rank correlation per protocol and label fraction."""
    found = analysis.correlations
    found = found[found["measure"].isin(list(TITLES))]
    sheets = []
    for where, here in places(found):
        for protocol, part in here.groupby("protocol", sort=True):
            if part["spearman"].notna().any():
                title = f"Rank correlation with accuracy, {where}{protocol}"
                names = [("Spearman's ρ", lambda line: TITLES[line["measure"]])]
                sheets.append(by_fraction(part, names, _correlation, title, _encoders(part)))
    return sheets


def _correlation(line: Line) -> str:
    """`0.83 [0.1, 1.0]`."""
    rho = line["spearman"]
    if math.isnan(rho):
        return NOT_RUN
    return ranged(f"{rho:.2f}", line["spearman_low"], line["spearman_high"], "{:.2f}".format)


def _encoders(part: pd.DataFrame) -> str:
    numbers = sorted(set(part["encoders"]))
    count = str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
    reasons = sorted({reason for reason in part["reason"] if reason})
    return (
        f"Over {count} encoders, means over seeds; 1 means the better the measure, the more accurate. Intervals take "
        "encoders as independent, which sizes of one pretext are not, so nothing is tested"
        f"{'; ' + ', '.join(reasons) if reasons else ''}."
    )


def optimism_part(analysis: Analysis) -> Part | None:
    """What choosing on the test split would have added."""
    sheets = []
    if not analysis.choice_optimism.empty:
        names = (
            *(*PLACE, ("pretext", lambda line: pretext_of(line) or "any pretext")),
            *(("chosen over", said("over")), ("candidates", said("candidates"))),
        )
        title = "Choosing latent size and pretext"
        sheets.append(by_fraction(analysis.choice_optimism, names, _gain("optimism", "low", "high"), title))
    if not analysis.epoch_optimism.empty:
        columns = (
            *(("dataset", said("dataset")), ("pretext", pretext_of), ("latent size", said("latent_dim"))),
            *(("protocol", said("protocol")), LABELS, ("checkpoints", said("checkpoints"))),
            ("best", lambda line: f"{100 * line['best_on_test']:.1f}"),
            ("over last", _gain("over_last", "over_last_low", "over_last_high")),
            ("over budget's", _gain("over_budget", "over_budget_low", "over_budget_high")),
        )
        sheets.append(sheet_of(analysis.epoch_optimism, columns, 5, "Reporting the best epoch"))
    if not sheets:
        return None
    text = (
        "How much better these results would look had something been chosen by test accuracy, as many published tables "
        "do: the accuracy of what the test split would have picked, minus that of what the label budget picked, in "
        "points. It cannot be negative, and it is not an improvement: on new data it is gone. Nothing in this report "
        "was chosen that way."
    )
    return Part("optimism", "Optimism of choosing on the test split", (text,), sheets=tuple(sheets))


def _gain(name: str, first: str, last: str) -> Say:
    def hundredths(end: float) -> str:
        return points(end, 2)

    return lambda line: ranged(points(line[name], 2, signed=True), line[first], line[last], hundredths)


def spread_part(analysis: Analysis) -> Part:
    """Where the spread over seeds comes from."""
    name = "Where the spread comes from"
    if analysis.components.empty:
        return Part("spread", name, (analysis.components_reason,))
    text = (
        "Standard deviation of accuracy, in points, between trainings (initialisation, views), between labelled "
        "subsets, and the rest: how the two interact, and noise. From every encoder evaluated on every subset."
    )

    def spread(column: str) -> Say:
        return lambda line: f"{100 * line[column]:.2f}"

    columns = (
        *(("pretext", said("pretext")), ("protocol", said("protocol"))),
        *(("latent size", said("latent_dim")), LABELS),
        *(("trainings", spread("initialisation_sd")), ("labelled subsets", spread("labels_sd"))),
        ("rest", spread("residual_sd")),
    )
    return Part("spread", name, (text,), sheets=(sheet_of(analysis.components, columns, 2),))
