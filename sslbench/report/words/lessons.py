"""Sentences about the comparison itself: what matters, what can be known without labels, what was not equal."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from sslbench.report.statistics.optimism import EVERYTHING
from sslbench.report.words.numbers import ONE_SEED, interval, listed, percent, points, points_interval
from sslbench.report.words.sentence import Finding, Place
from sslbench.report.words.wording import axis_title, unequal, with_labels

#: The measure the sentence is about: named beforehand, because the best of six would be chosen on the test split.
MEASURE = "rankme"


def lessons(place: Place) -> Iterator[Finding]:
    """Sentences about one dataset and encoder, each absent where the records cannot support it."""
    yield from _variance(place.here(place.analysis.shares))
    yield from _measures(place.here(place.analysis.correlations))
    yield from _choices(place.here(place.analysis.choice_optimism))
    yield from _epochs(place.here(place.analysis.epoch_optimism))
    yield from _replication(place.here(place.analysis.components))
    yield from _budgets(place.here(place.analysis.budgets))


def _variance(shares: pd.DataFrame) -> Iterator[Finding]:
    named = shares[~shares["source"].isin(["residual", "seed"])]
    if named.empty:
        return
    largest = zip(*(named[name].head(3) for name in ("source", "share", "low", "high")), strict=True)
    parts = [f"{_source(source)} {100 * share:.0f}% {_ends(low, high)}" for source, share, low, high in largest]
    first = named.iloc[0]
    seeds = shares.loc[shares["source"] == "seed", "share"].sum()
    sentence = (
        f"What moves accuracy over the grid, as shares of its variance: {listed(parts)}; "
        f"seeds, with all they change, {100 * seeds:.1f}%."
    )
    yield Finding("variance", sentence, float(first["share"]), float(first["low"]), float(first["high"]))


def _measures(correlations: pd.DataFrame) -> Iterator[Finding]:
    known = correlations[(correlations["measure"] == MEASURE) & correlations["spearman"].notna()]
    known = known[known["protocol"] == "linear_probe"]
    if known.empty:
        return
    line = known.iloc[int(known["label_fraction"].argmin())]
    low, high = float(line["spearman_low"]), float(line["spearman_high"])
    known_to = "so it could choose" if low > 0 else "which does not show that it could choose"
    sentence = (
        f"Over {line['encoders']} encoders, the rank correlation of RankMe, measured without labels, with "
        f"linear-probe accuracy at {percent(line['label_fraction'])} of the labels is {line['spearman']:.2f} "
        f"{interval(f'{low:.2f}', f'{high:.2f}')} (Spearman), {known_to}; choosing by it costs "
        f"{points(line['loss'])} points."
    )
    yield Finding("measures", sentence, float(line["spearman"]), low, high)


def _choices(optimism: pd.DataFrame) -> Iterator[Finding]:
    overall = optimism[optimism["over"] == EVERYTHING]
    if overall.empty:
        return
    line = overall.iloc[int(overall["label_fraction"].argmin())]
    figure, low, high = (float(line[name]) for name in ("optimism", "low", "high"))
    sentence = (
        f"{with_labels(line['label_fraction'])}, choosing {EVERYTHING} on the test split would have shown "
        f"{points(figure)} points {points_interval(low, high)} more than choosing inside the label budget."
    )
    yield Finding("optimism", sentence, figure, low, high)


def _epochs(optimism: pd.DataFrame) -> Iterator[Finding]:
    overall = optimism[optimism["pretext"] == ""]
    if overall.empty:
        return
    line = overall.iloc[0]
    figure, low, high = (float(line[name]) for name in ("over_last", "over_last_low", "over_last_high"))
    sentence = (
        f"Reporting the best of {line['checkpoints']} epochs on the test split, as is often done, would have "
        f"added {points(figure)} points {points_interval(low, high)} to the last epoch (mean over pretexts)."
    )
    yield Finding("optimism", sentence, figure, low, high)


def _replication(components: pd.DataFrame) -> Iterator[Finding]:
    known = components[components["labels_share"].notna()]
    if known.empty:
        return
    fewest = known[known["label_fraction"] == known["label_fraction"].min()]
    squares = [float(fewest[name].pow(2).mean()) for name in ("initialisation_sd", "labels_sd", "residual_sd")]
    training, labels, rest = (square / sum(squares) for square in squares)
    sentence = (
        f"{with_labels(float(fewest['label_fraction'].iloc[0]))}, {100 * labels:.0f}% of the variance over "
        f"repetitions comes from which labels were drawn, {100 * training:.0f}% from the training and "
        f"{100 * rest:.0f}% from how the two meet: their interaction, and noise (mean of {len(fewest)} cells)."
    )
    yield Finding("replication", sentence, labels, math.nan, math.nan)


def _budgets(budgets: pd.DataFrame) -> Iterator[Finding]:
    for quantity, differing in budgets[~budgets["matched"].astype(bool)].groupby("quantity", sort=False):
        line = differing.iloc[int(differing["ratio"].argmax())]
        size = f"latent size {line['latent_dim']}"
        sentence = f"Budgets were not equal in {quantity}: {unequal(line)} ({size})."
        yield Finding("budgets", sentence, float(line["ratio"]), math.nan, math.nan)


def _source(source: str) -> str:
    parts = axis_title(source).split(" x ")
    return parts[0] if len(parts) == 1 else f"the interaction of {' and '.join(parts)}"


def _ends(low: float, high: float) -> str:
    return ONE_SEED if math.isnan(low) else interval(f"{100 * low:.0f}", f"{100 * high:.0f}")
