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
    """The statistics of a set of records, each computed when it is first asked for.

    Attributes:
        layout: the records themselves, laid out.
        tuning: what choosing settings cost, one entry per pretext; records do not hold it.

    Every frame is what the function of its name returns, whose docstring says what its lines and columns are.
    """

    layout: Layout
    tuning: Sequence[TunedArm] = ()

    @property
    def evaluations(self) -> pd.DataFrame:
        """One line per evaluation and independent replicate: test and budget score, costs, run id."""
        return self.layout.evaluations

    @cached_property
    def primary(self) -> Primary | None:
        """The protocol that headlines are read by; None without pretexts."""
        return primary_of(self.layout)

    @cached_property
    def headlines(self) -> Headlines:
        """What choosing inside the label budget is worth."""
        return headlines(self.layout, self.choices, self.differences)

    @property
    def components_reason(self) -> str:
        """Why `components` is empty; empty if it is not."""
        return NOT_CROSSED if self.components.empty else ""

    @cached_property
    def differences(self) -> pd.DataFrame:
        return differences(self.layout.blocks)

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        return outcomes(self.differences)

    @cached_property
    def transfers(self) -> pd.DataFrame:
        return transfers(self.layout, self.primary)

    @cached_property
    def multipliers(self) -> pd.DataFrame:
        return multipliers(self.layout.peers)

    @cached_property
    def seed_multipliers(self) -> pd.DataFrame:
        return seed_multipliers(self.layout.peers)

    @cached_property
    def crossovers(self) -> pd.DataFrame:
        return crossovers(self.layout.peers)

    @cached_property
    def areas(self) -> pd.DataFrame:
        return areas(self.layout.blocks)

    @cached_property
    def choices(self) -> pd.DataFrame:
        return choices(self.evaluations, self.primary)

    @cached_property
    def correlations(self) -> pd.DataFrame:
        return correlations(self.layout.records, self.evaluations)

    @cached_property
    def shares(self) -> pd.DataFrame:
        return shares(self.evaluations)

    @cached_property
    def components(self) -> pd.DataFrame:
        return components(self.layout.every)

    @cached_property
    def compute(self) -> pd.DataFrame:
        return compute(self.evaluations, self.tuning)

    @cached_property
    def budgets(self) -> pd.DataFrame:
        return budgets(self.evaluations, self.tuning)

    @cached_property
    def choice_optimism(self) -> pd.DataFrame:
        return choice_optimism(self.evaluations, self.primary)

    @cached_property
    def epoch_optimism(self) -> pd.DataFrame:
        return epoch_optimism(self.layout.records)
