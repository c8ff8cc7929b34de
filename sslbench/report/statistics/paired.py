"""Against training from scratch on the same labels: paired differences, corrected tests, wins and losses."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pandas as pd

from sslbench.contract.spec import BASELINES
from sslbench.report.scores.evaluations import ROW_KEY
from sslbench.report.scores.layout import Peers
from sslbench.report.scores.replicates import Scores
from sslbench.report.scores.rows import Row
from sslbench.report.statistics.spread import SIGNIFICANCE, Estimate, estimate, holm, paired_difference, paired_p_value

DIFFERENCE_COLUMNS = (
    *(*ROW_KEY, "label_fraction", "num_labels", "accuracy", "difference", "low", "high"),
    *("n", "p_value", "p_holm", "outcome"),
)

OUTCOMES = ("win", "tie", "loss", "untested")


def differences(compared: Iterable[Peers]) -> pd.DataFrame:
    """Accuracy minus that of `supervised` on the same labels and seed: one line per row and label fraction.

    Paired t-interval and two-sided paired t-test over seeds (Student 1908). `p_holm` corrects over the rows of one
    column of a table, i.e. dataset, encoder, latent size, protocol and fraction (`holm`):
    adding a pretext can raise it, nothing else. `outcome` is `win` or `loss` where `p_holm` is below 5%, else `tie`,
    which means "not told apart"; `untested` with fewer than two shared seeds, where interval and p-values are NaN.

    Returns:
        Columns `DIFFERENCE_COLUMNS`; accuracies are shares. Rows that share no seed with `supervised` are absent.
    """
    lines = [
        line
        for peers in compared
        for table in peers.tables
        for fraction in peers.supervised.fractions
        for line in _column(table, peers.supervised.scores(fraction), fraction)
    ]
    return pd.DataFrame(lines, columns=list(DIFFERENCE_COLUMNS))


def outcomes(found: pd.DataFrame) -> pd.DataFrame:
    """How often pretexts win, tie and lose against `supervised`; the baselines do not take part.

    Returns:
        Columns dataset, encoder, label_fraction, win, tie, loss, untested; a line per fraction, and one over all of
        them whose `label_fraction` is NaN.
    """
    counted = found[~found["pretext"].isin(BASELINES)]
    lines: list[tuple[object, ...]] = []
    for (dataset, encoder), group in counted.groupby(["dataset", "encoder"], sort=True):
        for fraction in [*sorted(set(group["label_fraction"])), math.nan]:
            part = group if math.isnan(fraction) else group[group["label_fraction"] == fraction]
            lines.append((dataset, encoder, fraction, *(int((part["outcome"] == name).sum()) for name in OUTCOMES)))
    return pd.DataFrame(lines, columns=["dataset", "encoder", "label_fraction", *OUTCOMES])


def tested(differences: Iterable[Estimate]) -> list[tuple[float, float, str]]:
    """P-value, corrected p-value and outcome of each difference; below two seeds no part of the family.

    The outcome is `win`, `tie`, `loss`, or `untested` without a p-value; empty where there is no difference.
    """
    given = list(differences)
    p_values = [paired_p_value(difference) if difference.n >= 2 else math.nan for difference in given]
    return [
        (p_value, p_holm, _outcome(difference, p_holm) if difference.n else "")
        for difference, p_value, p_holm in zip(given, p_values, holm(p_values), strict=True)
    ]


def _outcome(difference: Estimate, p_holm: float) -> str:
    if math.isnan(p_holm):
        return "untested"
    if p_holm >= SIGNIFICANCE:
        return "tie"
    return "win" if difference.mean > 0 else "loss"


def _column(table: Iterable[Row], reference: Scores, fraction: float) -> list[tuple[object, ...]]:
    pairs = [(row, paired_difference(row.scores(fraction), reference)) for row in table]
    found = [(row, difference) for row, difference in pairs if difference is not None]
    return [
        (
            *(*row.key, fraction, row.labels(fraction), estimate(row.scores(fraction).values()).mean),
            *(difference.mean, difference.low, difference.high, difference.n, *test),
        )
        for (row, difference), test in zip(found, tested(difference for _, difference in found), strict=True)
    ]
