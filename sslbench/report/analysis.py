"""Everything the report says about records beyond means, computed once: frames that tables, plots and sentences read.

Every frame has one meaning per line, the columns named in the docstring of the function that makes it, accuracies as
shares in [0, 1], and NaN (with a `reason` where there is a column for it) where the data cannot answer: one seed has
no interval. Intervals are 95%. Rows are named by `ROW_KEY`: dataset, encoder, latent_dim, protocol, pretrain_dataset
(empty for baselines), pretext.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from sslbench.report.area import areas
from sslbench.report.evaluations import evaluations, sections
from sslbench.report.label_efficiency import crossovers, multipliers
from sslbench.report.paired import differences, outcomes
from sslbench.report.selection import choices


@dataclass(frozen=True)
class Analysis:
    """The statistics of a set of records.

    Attributes:
        evaluations: one line per evaluation and independent replicate: test and budget score, costs, run id.
        differences: paired difference to `supervised` per row and label fraction, with interval, p-values, outcome.
        outcomes: wins, ties and losses of pretexts against `supervised` per label fraction, and overall (NaN).
        multipliers: how many times more labels training from scratch needs, per row and label fraction.
        crossovers: the label fraction at which training from scratch overtakes, per row.
        areas: area under the label-efficiency curve and its difference to `supervised`, per row.
        choices: the row one would pick by budget score, per label fraction and over all (NaN).
    """

    evaluations: pd.DataFrame
    differences: pd.DataFrame
    outcomes: pd.DataFrame
    multipliers: pd.DataFrame
    crossovers: pd.DataFrame
    areas: pd.DataFrame
    choices: pd.DataFrame


def analyse(records: pd.DataFrame) -> Analysis:
    """All statistics of `records`, rows of `records.csv` in any order; linear in their number.

    Raises:
        InputError: two records claim the same cell and replicate.
    """
    evaluated = evaluations(records)
    compared = sections(evaluated)
    found = differences(compared)
    return Analysis(
        evaluations=evaluated,
        differences=found,
        outcomes=outcomes(found),
        multipliers=multipliers(compared),
        crossovers=crossovers(compared),
        areas=areas(compared),
        choices=choices(evaluated),
    )
