"""What one would have picked without the test split: in every seed, by the scores inside that seed's labels alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from sslbench.contract.spec import BASELINES
from sslbench.contract.titles import NOT_HELD_OUT, protocol_rank
from sslbench.report.attachments.predictions import Answers
from sslbench.report.scores.evaluations import CELL, REPLICATE
from sslbench.report.scores.layout import Layout, Peers
from sslbench.report.scores.rows import Row, Run, runs_of
from sslbench.report.statistics.contest import CONTROL, difference
from sslbench.report.statistics.label_efficiency import crossovers, multipliers

#: What the row is called that is another pretext in every seed.
CHOSEN = "chosen"

CANDIDATE = ["pretext", "pretrain_dataset", "latent_dim"]

CHOICE_COLUMNS = (
    *("dataset", "encoder", "label_fraction", *REPLICATE, *CANDIDATE),
    *("protocol", "budget", "weight", "candidates", "test", "num_labels", "cell_id"),
)


@dataclass(frozen=True)
class Primary:
    """The protocol that headlines are read by, and whether it was named before anything was run."""

    protocol: str
    beforehand: bool


@dataclass(frozen=True)
class Headlines:
    """What choosing inside the budget is worth, one line per dataset and encoder, as the functions of these names say.

    Attributes:
        budgets: `multipliers` of the row `CHOSEN` at every label fraction, and `difference`, `difference_low`,
            `difference_high` to training from scratch on the same labels, over `difference_n` seeds.
        crossovers: of that row, chosen anew at every fraction.
    """

    budgets: pd.DataFrame
    crossovers: pd.DataFrame


def primary_of(layout: Layout) -> Primary | None:
    """The protocol named beforehand if pretexts were read by it, else the first of theirs in the tables' order."""
    evaluated = layout.evaluations
    protocols = set(evaluated.loc[~evaluated["pretext"].isin(BASELINES), "protocol"].tolist())
    if layout.primary in protocols:
        return Primary(layout.primary, True)
    return Primary(min(protocols, key=protocol_rank), False) if protocols else None


def able_to_choose(evaluated: pd.DataFrame, primary: Primary | None) -> pd.DataFrame:
    """The evaluations of pretexts by the primary protocol that have a score inside the budget; none if it holds no
    labels out."""
    protocol = primary.protocol if primary and primary.protocol not in NOT_HELD_OUT else None
    read = ~evaluated["pretext"].isin(BASELINES) & (evaluated["protocol"] == protocol)
    return evaluated[read & evaluated["budget"].notna()]


def choices(evaluated: pd.DataFrame, primary: Primary | None) -> pd.DataFrame:
    """The pretext and latent size to use at each label fraction, chosen in each seed inside its own labels.

    The highest budget score (cross-validated or leave-one-out accuracy on the labels of the budget) by the primary
    protocol in that seed at that fraction; no other seed, fraction or protocol and no test label is read. Scores that
    are equal choose together: a line each, `weight` shared. Nothing is chosen where no score could be computed, as with
    one label a class, nor by a protocol that holds no labels out.

    Returns:
        Columns `CHOICE_COLUMNS`; `candidates` counts the rows chosen from, `test` is what the choice turned out to be
        worth.
    """
    able = able_to_choose(evaluated, primary)
    study = ["dataset", "encoder", "label_fraction", *REPLICATE]
    scores = able["budget"].round(12)
    able = able.assign(candidates=scores.groupby([able[name] for name in study]).transform("size"))
    best = able[scores == scores.groupby([able[name] for name in study]).transform("max")]
    shared = best.groupby(study)["budget"].transform("size")
    return best.assign(weight=1 / shared)[list(CHOICE_COLUMNS)].sort_values([*study, *CANDIDATE], ignore_index=True)


def headlines(layout: Layout, chosen: pd.DataFrame, told: pd.DataFrame) -> Headlines:
    """What the choices are worth against training from scratch, at the latent size that was chosen in the seed.

    Scores that choose together count by their mean: what tossing a coin would give. Where all seeds chose one row, its
    difference is that of `differences`, whose error is pooled over its column; else the seeds are pairs. Places without
    `supervised` are left out.

    Args:
        told: the frame of `differences`.
    """
    found: list[pd.DataFrame] = []
    overtaken: list[Peers] = []
    for _, group in chosen.groupby(["dataset", "encoder"], sort=True):
        ours: dict[float, tuple[Run, ...]] = {}
        same: dict[float, tuple[Run, ...]] = {}
        for _, part in group.groupby("label_fraction", sort=True):
            row, scratch = picked(part, layout.answers), scratch_beside(part, layout)
            if scratch is not None:
                (fraction,) = row.fractions
                ours[fraction], same[fraction] = row.runs[fraction], scratch.runs[fraction]
                found.append(multipliers([Peers(scratch, (row,))]).assign(**_difference(row, scratch, part, told)))
        if ours:
            overtaken.append(Peers(_row(group, same, layout.answers, CONTROL), (_row(group, ours, layout.answers),)))
    budgets = pd.concat(found, ignore_index=True) if found else multipliers([])
    return Headlines(budgets, crossovers(overtaken))


def picked(part: pd.DataFrame, answers: Answers) -> Row:
    """What was chosen at one fraction, as a row."""
    return _row(part, _runs(part), answers)


def scratch_beside(part: pd.DataFrame, layout: Layout) -> Row | None:
    """Training from scratch, at all fractions, beside what was chosen at one; None if it was not run at that one.

    In every replicate it is the mean over the latent sizes chosen there, of which none may lack.
    """
    sizes = part[["dataset", "encoder", "latent_dim", *REPLICATE]]
    sizes = sizes.assign(wanted=sizes.groupby(REPLICATE)["latent_dim"].transform("size"))
    evaluated = layout.evaluations
    beside = sizes.merge(
        evaluated[evaluated["pretext"] == CONTROL], on=["dataset", "encoder", "latent_dim", *REPLICATE]
    )
    found = beside.groupby(["label_fraction", *REPLICATE])["test"].transform("size")
    runs = _runs(beside[found == beside["wanted"]])
    return _row(part, runs, layout.answers, CONTROL) if part["label_fraction"].iloc[0] in runs else None


def _difference(row: Row, reference: Row, part: pd.DataFrame, told: pd.DataFrame) -> dict[str, float]:
    """The difference of what was chosen at one fraction, and its interval."""
    (fraction,) = row.fractions
    candidates = part[CELL].drop_duplicates()
    alike = told.merge(candidates, on=CELL)
    if len(alike) == len(candidates) == 1 and alike["n"].iloc[0] == len(part):
        mean, low, high, n = alike[["difference", "low", "high", "n"]].iloc[0]
    else:
        gap = difference(row, reference, fraction)
        mean, low, high, n = gap.mean, gap.low, gap.high, gap.n
    return {"difference": mean, "difference_low": low, "difference_high": high, "difference_n": n}


def _row(lines: pd.DataFrame, runs: Mapping[float, tuple[Run, ...]], answers: Answers, name: str = CHOSEN) -> Row:
    """A row that is another pretext or latent size in every seed."""
    dataset, encoder, protocol = (str(lines[column].iloc[0]) for column in ("dataset", "encoder", "protocol"))
    return Row(dataset, encoder, 0, protocol, "", name, runs, answers)


def _runs(chosen: pd.DataFrame) -> dict[float, tuple[Run, ...]]:
    """By fraction a run per replicate; of runs that share one, the first lends its answers."""
    means = chosen.groupby(["label_fraction", *REPLICATE], as_index=False, sort=True).agg(
        test=("test", "mean"), num_labels=("num_labels", "max"), cell_id=("cell_id", "first")
    )
    return {float(str(at)): runs_of(group.assign(run_id="")) for at, group in means.groupby("label_fraction")}
