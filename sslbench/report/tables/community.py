"""Scores of others beside a table, on the same labels: a group of their own, of which nothing is bold or told apart."""

from __future__ import annotations

from collections.abc import Sequence

from sslbench.report.attachments.community import Submission
from sslbench.report.records import pretext_rank
from sslbench.report.scores import Layout, evaluations, rows_of
from sslbench.report.scores.replicates import Replicate
from sslbench.report.scores.rows import Row
from sslbench.report.statistics.spread import estimate, paired_difference
from sslbench.report.tables.sheet import Sheet, text_sheet
from sslbench.report.words.numbers import NOT_RUN, accuracy, flops, percent, points


def community_sheets(layout: Layout, submissions: Sequence[Submission]) -> tuple[Sheet, ...]:
    """A sheet per dataset that others have scores on with a share of the labels that the layout has too; none where the
    labels were drawn in another way than theirs."""
    if not (layout.records["stratified"] == 1).all():
        return ()
    datasets = dict.fromkeys(block.dataset for block in layout.blocks)
    return tuple(filter(None, (_sheet(layout, dataset, submissions) for dataset in datasets)))


def _sheet(layout: Layout, dataset: str, submissions: Sequence[Submission]) -> Sheet | None:
    measured = {at for row in layout.rows if row.dataset == dataset for at in row.fractions}
    rows, notes, shown = [], [], set[float]()
    for one in submissions:
        scored = evaluations(one.records)
        here = [row for row in rows_of(scored) if row.dataset == dataset and measured & row.runs.keys()]
        cost = scored.loc[scored["dataset"] == dataset, "pretrain_flops"]
        rows += [(row, cost.iloc[0]) for row in here]
        shown |= {at for row in here for at in row.fractions} & measured
        notes += [f"{one.name}: {one.title}, by {one.author} ({one.licence}), {one.url}; {one.standing}."] * bool(here)
    if not rows:
        return None
    scratch = _scratch(layout, dataset, shown)
    if scratch is not None:
        against = f"{scratch.encoder}, latent size {scratch.latent_dim}"
        notes.insert(0, f"In parentheses: paired difference to supervised ({against}) on the same labels.")
    lines = [
        [
            row.pretext,
            row.protocol,
            str(row.latent_dim),
            flops(cost),
            *(_score(row, scratch, at) for at in sorted(shown)),
        ]
        for row, cost in sorted(rows, key=lambda line: (pretext_rank(line[0].pretext), line[0].key))
    ]
    headings = ["encoder", "read by", "latent size", "pretraining, as stated", *map(percent, sorted(shown))]
    return text_sheet(dataset, headings, lines, 2, notes)


def _scratch(layout: Layout, dataset: str, fractions: set[float]) -> Row | None:
    """Training from scratch with most of these shares of the labels, and then with the largest latent size."""
    there = [peers.supervised for peers in layout.peers if peers.supervised.dataset == dataset]
    return max(there, key=lambda row: (len(fractions & row.runs.keys()), row.latent_dim), default=None)


def _score(row: Row, scratch: Row | None, fraction: float) -> str:
    """`72.1 ± 1.2 (+3.4)`; spread and difference over labelled subsets."""
    if fraction not in row.runs:
        return NOT_RUN
    own, theirs = (_by_labels(one, fraction) if one else {} for one in (row, scratch))
    difference = paired_difference(own, theirs)
    return accuracy(estimate(own.values())) + (f" ({points(difference.mean, signed=True)})" if difference else "")


def _by_labels(row: Row, fraction: float) -> dict[Replicate, float]:
    return {Replicate(run.label_seed, run.label_seed): run.value for run in row.runs.get(fraction, ())}
