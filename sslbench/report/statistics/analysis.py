"""Everything the report says about records beyond means, computed once: frames that tables, plots and sentences read.

Every frame has one meaning per line, the columns named in the docstring of the function that makes it, accuracies as
shares in [0, 1], and NaN (with a `reason` where there is a column for it) where the data cannot answer: one seed has
no interval. Intervals are 95%. Rows are named by `ROW_KEY`: dataset, encoder, latent_dim, protocol, pretrain_dataset
(empty for baselines), pretext.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from sslbench.contract.settings import TunedArm
from sslbench.report.scores.layout import Layout
from sslbench.report.statistics.area import areas
from sslbench.report.statistics.compute import budgets, compute
from sslbench.report.statistics.label_efficiency import crossovers, multipliers, seed_multipliers
from sslbench.report.statistics.label_free import correlations
from sslbench.report.statistics.optimism import choice_optimism, epoch_optimism
from sslbench.report.statistics.paired import differences, outcomes
from sslbench.report.statistics.replication import NOT_CROSSED, components
from sslbench.report.statistics.selection import Headlines, Primary, choices, headlines, primary_of
from sslbench.report.statistics.transfer import transfers
from sslbench.report.statistics.variance import shares


@dataclass(frozen=True)
class Analysis:
    """The statistics of a set of records.

    Attributes:
        layout: the records themselves, laid out.
        primary: the protocol that headlines are read by; None without pretexts.
        headlines: what choosing inside the label budget is worth.
        components_reason: why `components` is empty; empty if it is not.

    Every other frame is what the function of its name returns, whose docstring says what its lines and columns are.
    """

    layout: Layout
    primary: Primary | None
    headlines: Headlines
    differences: pd.DataFrame
    outcomes: pd.DataFrame
    transfers: pd.DataFrame
    multipliers: pd.DataFrame
    crossovers: pd.DataFrame
    areas: pd.DataFrame
    choices: pd.DataFrame
    correlations: pd.DataFrame
    shares: pd.DataFrame
    components: pd.DataFrame
    components_reason: str
    compute: pd.DataFrame
    budgets: pd.DataFrame
    choice_optimism: pd.DataFrame
    epoch_optimism: pd.DataFrame

    @cached_property
    def seed_multipliers(self) -> pd.DataFrame:
        """`multipliers` of every repetition alone."""
        return seed_multipliers(self.layout.peers)

    @property
    def evaluations(self) -> pd.DataFrame:
        """One line per evaluation and independent replicate: test and budget score, costs, run id."""
        return self.layout.evaluations


def analyse(layout: Layout, tuning: Sequence[TunedArm] = ()) -> Analysis:
    """All statistics of records that are laid out; linear in their number.

    Args:
        tuning: what choosing settings cost, one entry per pretext; records do not hold it.
    """
    evaluated, compared = layout.evaluations, layout.peers
    found = differences(layout.blocks)
    split = components(layout.every)
    primary = primary_of(layout)
    chosen = choices(evaluated, primary)
    return Analysis(
        layout=layout,
        primary=primary,
        headlines=headlines(layout, chosen, found),
        differences=found,
        outcomes=outcomes(found),
        transfers=transfers(layout, primary),
        multipliers=multipliers(compared),
        crossovers=crossovers(compared),
        areas=areas(layout.blocks),
        choices=chosen,
        correlations=correlations(layout.records, evaluated),
        shares=shares(evaluated),
        components=split,
        components_reason=NOT_CROSSED if split.empty else "",
        compute=compute(evaluated, tuning),
        budgets=budgets(evaluated, tuning),
        choice_optimism=choice_optimism(evaluated, primary),
        epoch_optimism=epoch_optimism(layout.records),
    )
