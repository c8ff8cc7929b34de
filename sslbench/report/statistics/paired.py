"""Against training from scratch on the same labels: differences, what can be told apart, wins and losses."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import pandas as pd

from sslbench.contract.spec import BASELINES
from sslbench.report.scores.evaluations import ROW_KEY
from sslbench.report.scores.layout import Block
from sslbench.report.scores.rows import Row
from sslbench.report.statistics.contest import CONTROL, Verdict, judge_rows
from sslbench.report.statistics.image_noise import NO_CONTENDERS
from sslbench.report.statistics.spread import estimate

DIFFERENCE_COLUMNS = (
    *(*ROW_KEY, "label_fraction", "num_labels", "accuracy", "difference", "low", "high", "reach"),
    *("n", "outcome"),
)

OUTCOMES = ("win", "tie", "loss", "untested")


def contenders(block: Block) -> dict[str, Row]:
    """The rows of a table that compete, `supervised` among them; `raw_pixels` goes by the encoder of the table."""
    return {
        name: replace(block.lines[name], encoder=block.encoder, latent_dim=block.latent_dim)
        for name in block.rows
        if name in block.lines and name not in NO_CONTENDERS
    }


def judged(block: Block) -> dict[tuple[float, str], Verdict]:
    """The verdict on every cell of a table, all its columns one family."""
    return judge_rows(contenders(block), block.fractions)


def differences(blocks: Iterable[Block]) -> pd.DataFrame:
    """Accuracy minus that of `supervised` on the same labels: one line per row and label fraction.

    Differences are those of the row and replicate effects of a column, `low` and `high` the 95% interval of this one
    difference, from the error that is pooled over the column; `reach` is the half-width of the interval that holds for
    all differences of the table at once (Dunnett; `contest`). `outcome` is `win` or `loss` where that interval leaves
    out zero, else `tie`, which means "not told apart"; `untested` with fewer than two shared seeds, where there is no
    interval.

    Returns:
        Columns `DIFFERENCE_COLUMNS`; accuracies are shares. Rows that share no seed with `supervised` are absent. A
        baseline that stands in tables of several pretraining datasets is listed with the first.
    """
    lines = [
        (
            *(*row.key, fraction, row.labels(fraction), estimate(row.scores(fraction).values()).mean),
            *(found.difference.mean, found.difference.low, found.difference.high, found.reach),
            *(found.difference.n, found.outcome),
        )
        for block in blocks
        if CONTROL in block.lines
        for rows in [contenders(block)]
        for (fraction, name), found in judged(block).items()
        for row in [rows[name]]
        if found.difference is not None
    ]
    frame = pd.DataFrame(lines, columns=list(DIFFERENCE_COLUMNS))
    return frame.drop_duplicates([*ROW_KEY, "label_fraction"], ignore_index=True)


def outcomes(found: pd.DataFrame) -> pd.DataFrame:
    """How often pretexts win, tie and lose against `supervised` by each protocol; the baselines do not take part.

    Returns:
        Columns dataset, encoder, protocol, label_fraction, win, tie, loss, untested, and what was counted: pretexts,
        latent_sizes, and `n`, the fewest seeds of any that was tested; a line per fraction, and one over all of them
        whose `label_fraction` is NaN.
    """
    counted = found[~found["pretext"].isin(BASELINES)]
    lines: list[tuple[object, ...]] = []
    for place, group in counted.groupby(["dataset", "encoder", "protocol"], sort=True):
        for fraction in [*sorted(set(group["label_fraction"])), math.nan]:
            part = group if math.isnan(fraction) else group[group["label_fraction"] == fraction]
            seeds = min(part.loc[part["outcome"] != "untested", "n"].tolist(), default=0)
            kinds = len(part[["pretrain_dataset", "pretext"]].drop_duplicates()), part["latent_dim"].nunique()
            lines.append(
                (*place, fraction, *(int((part["outcome"] == name).sum()) for name in OUTCOMES), *kinds, seeds)
            )
    columns = ["dataset", "encoder", "protocol", "label_fraction", *OUTCOMES, "pretexts", "latent_sizes", "n"]
    return pd.DataFrame(lines, columns=columns)
