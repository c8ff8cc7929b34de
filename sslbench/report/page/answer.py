"""The first screen in words: the answer in one sentence, what the numbers lack, what was run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sslbench.contract.cells import FEW_STEPS
from sslbench.report.scores.flags import undertrained
from sslbench.report.scores.layout import Block, Layout
from sslbench.report.words.numbers import counted, percent, span
from sslbench.report.words.reading import COLLAPSED, STALE, gaps_text
from sslbench.report.words.sentence import Finding
from sslbench.report.words.wording import fewer_line

NOT_COMPARED = (
    "How many labels pretraining saves cannot be said here: training from scratch (`supervised`) was not run beside it."
)
NOT_CHOSEN = "No pretext can be singled out without test labels: no scores inside the label budget are recorded."

#: What the first sentence of a place is about, and what it is where there is no pretext.
ANSWERS = ("transfer", "label multiplier", "convergence")


class Answer(NamedTuple):
    """The sentence of one dataset and encoder, and the tables it stands above, by number."""

    sentence: str
    tables: tuple[int, ...]


def answers(found: Sequence[Finding], blocks: Sequence[Block]) -> list[Answer]:
    """One sentence per dataset and encoder: what pretraining elsewhere, else what the choice inside the label budget is
    worth with the fewest labels.

    Where there is no pretext, what training from scratch for longer adds. Whether one dataset serves another is said
    above all tables: its other half is the way back.
    """
    on_topic = [one for one in found if one.topic in ANSWERS]
    first = {one.subject[:2]: one for one in reversed(on_topic) if one.subject is not None}
    told = []
    for place in dict.fromkeys(block.axis[:2] for block in blocks):
        numbers = [number for number, block in enumerate(blocks) if block.axis[:2] == place]
        without = NOT_CHOSEN if "supervised" in blocks[numbers[0]].lines else NOT_COMPARED
        sentence = first[place].sentence if place in first else without
        everywhere = place in first and first[place].topic == ANSWERS[0]
        told.append(Answer(sentence, tuple(range(len(blocks)) if everywhere else numbers)))
    return told


def opening(found: Sequence[Finding], blocks: Sequence[Block]) -> int:
    """The number of the table that is shown first: the one the first sentence speaks of."""
    subject = next((one.subject for one in found if one.topic in ANSWERS[:2]), None)
    same = [subject and block.axis == (*subject[:2], subject.protocol, subject.latent_dim) for block in blocks]
    return same.index(True) if True in same else 0


def subtitle(blocks: Sequence[Block]) -> str:
    """What was compared, on what, how often."""
    datasets = sorted({block.dataset for block in blocks})
    rows = dict.fromkeys(row for block in blocks for row in block.rows)
    seeds = sorted({len(replicates) for block in blocks for replicates in block.replicates.values()})
    fractions = sorted({fraction for block in blocks for fraction in block.fractions})
    spread = percent(fractions[0]) if len(fractions) == 1 else f"{percent(fractions[0])} to {percent(fractions[-1])}"
    times = f"{span(seeds)} repetition{'s' * (seeds[-1:] != [1])}"
    return f"{', '.join(datasets)}: {len(rows)} ways to train, from {spread} of the labels, {times} each."


def notices(layout: Layout) -> list[str]:
    """What the numbers lack, each as one line."""
    found = []
    fewer = fewer_line(layout.blocks)
    if fewer:
        found.append(fewer[0].upper() + fewer[1:])
    found += gaps_text(layout.gaps)
    if layout.stale:
        found.append(
            f"Stale {STALE}: {counted(len(layout.stale), 'cell')} computed by another version or with other settings."
        )
    few = sorted(set(undertrained(layout.records)["pretext"]))
    if few:
        found.append(f"Undertrained, by fewer than {FEW_STEPS} steps of pretraining: {', '.join(few)}.")
    if layout.collapsed:
        names = sorted({pretext for *_, pretext, _ in layout.collapsed})
        found.append(f"Collapsed {COLLAPSED} in at least one seed: {', '.join(names)}.")
    return found
