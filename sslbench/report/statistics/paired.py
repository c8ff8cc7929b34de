"""Against training from scratch on the same labels: paired differences, corrected tests, wins and losses."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from sslbench.contract.spec import BASELINES
from sslbench.report.scores.evaluations import ROW_KEY
from sslbench.report.scores.layout import Peers
from sslbench.report.scores.rows import Row
from sslbench.report.statistics.spread import SIGNIFICANCE, Estimate, estimate, holm, paired_difference, paired_p_value

DIFFERENCE_COLUMNS = (
    *ROW_KEY,
    "label_fraction",
    "num_labels",
    "accuracy",
    "difference",
    "low",
    "high",
    "n",
    "p_value",
    "p_holm",
    "outcome",
)

OUTCOMES = ("win", "tie", "loss", "untested")


class _Compared(NamedTuple):
    row: Row
    num_labels: int
    accuracy: float
    difference: Estimate


def differences(compared: Iterable[Peers]) -> pd.DataFrame:
    """Accuracy minus that of `supervised` on the same labels and seed: one line per row and label fraction.

    Paired t-interval and two-sided paired t-test over seeds (Student 1908). `p_holm` corrects over the rows of one
    column of a table, i.e. dataset, encoder, latent size, protocol and fraction (Holm 1979, Scand. J. Stat. 6):
    adding a pretext can raise it, nothing else. `outcome` is `win` or `loss` where `p_holm` is below 5%, else `tie`,
    which means "not told apart"; `untested` with fewer than two shared seeds, where interval and p-values are NaN.

    Returns:
        Columns `DIFFERENCE_COLUMNS`; accuracies are shares. Rows that share no seed with `supervised` are absent.
    """
    lines: list[tuple[object, ...]] = []
    for peers in compared:
        if peers.supervised is None:
            continue
        for protocol in dict.fromkeys(row.protocol for row in peers.rows):
            members = [row for row in peers.rows if row.protocol == protocol]
            for fraction in peers.supervised.fractions:
                lines += _column(peers, peers.supervised, members, fraction)
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
        parts: list[tuple[float, pd.DataFrame]] = [
            (float(str(fraction)), part) for fraction, part in group.groupby("label_fraction", sort=True)
        ]
        for fraction, part in [*parts, (math.nan, group)]:
            lines.append((dataset, encoder, fraction, *(int((part["outcome"] == name).sum()) for name in OUTCOMES)))
    return pd.DataFrame(lines, columns=["dataset", "encoder", "label_fraction", *OUTCOMES])


def corrected(estimates: Iterable[Estimate]) -> list[tuple[float, float]]:
    """(p-value, Holm-corrected p-value) of each difference; NaN, and no part of the family, below two seeds."""
    given = list(estimates)
    tested = [index for index, difference in enumerate(given) if difference.n >= 2]
    p_values = {index: paired_p_value(given[index]) for index in tested}
    adjusted = dict(zip(tested, holm(list(p_values.values())), strict=True))
    return [(p_values.get(index, math.nan), adjusted.get(index, math.nan)) for index in range(len(given))]


def outcome(difference: Estimate, p_holm: float) -> str:
    """`win`, `tie`, `loss`, or `untested` where there is no p-value."""
    if math.isnan(p_holm):
        return "untested"
    if p_holm >= SIGNIFICANCE:
        return "tie"
    return "win" if difference.mean > 0 else "loss"


def _column(peers: Peers, supervised: Row, members: Iterable[Row], fraction: float) -> list[tuple[object, ...]]:
    reference = supervised.scores(fraction)
    found: list[_Compared] = []
    for row in members:
        scores = row.scores(fraction)
        difference = paired_difference(scores, reference)
        if difference is not None:
            labels = int(row.num_labels[row.fractions.index(fraction)])
            found.append(_Compared(row, labels, estimate(scores.values()).mean, difference))
    p_values = corrected(item.difference for item in found)
    return [
        (
            *peer_key(peers, item.row),
            *(fraction, item.num_labels, item.accuracy),
            *(item.difference.mean, item.difference.low, item.difference.high, item.difference.n),
            *(p_value, p_holm, outcome(item.difference, p_holm)),
        )
        for item, (p_value, p_holm) in zip(found, p_values, strict=True)
    ]


def peer_key(peers: Peers, row: Row) -> tuple[object, ...]:
    """The values of `ROW_KEY` with encoder and latent size of the peers: where raw pixels are shown."""
    return (peers.dataset, peers.encoder, peers.latent_dim, row.protocol, row.pretrain_dataset, row.pretext)
