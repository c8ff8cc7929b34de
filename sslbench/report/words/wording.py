"""How rows, tables and label budgets are called, and what the tables lack is said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from sslbench.contract.settings import TunedArm
from sslbench.contract.spec import BASELINES, REFERENCE_PROTOCOLS
from sslbench.contract.titles import WITHOUT_ENCODER, title_of
from sslbench.report.attachments import TAKEN
from sslbench.report.scores.layout import Block, Layout
from sslbench.report.scores.replicates import Replicate
from sslbench.report.statistics.summary import missing_in_row
from sslbench.report.words.numbers import percent, points, points_interval, span, times

#: Fewer labels than this of a class are said per class: then it is that number which tells how hard the task is.
FEW_A_CLASS = 50


def row_title(pretext: str, protocol: str, latent_dim: int, pretrained_on: str | None = None) -> str:
    """`SimCLR with a linear probe (latent size 128)`; `pretrained_on` is named if given."""
    source = f" pretrained on {pretrained_on}" if pretrained_on else ""
    return f"{title_of(pretext)}{source} with {title_of(protocol)} (latent size {latent_dim})"


def with_labels(fraction: float, labels: int | None = None) -> str:
    """`With 1% of the labels`, `With all labels`; of an odd share, if given, how many: `With 0.1% (60) of …`."""
    if fraction == 1:
        return "With all labels"
    share = percent(fraction)
    count = f" ({labels:,})" if labels is not None and "." in share else ""
    return f"With {share}{count} of the labels"


def compared(lead: float, low: float, high: float, other: str) -> str:
    """`5.0 points [3.0, 7.0] above OTHER`, so many below it, or not told apart from it."""
    if low <= 0 <= high:
        return f"not told apart from {other} ({points(lead)} points {points_interval(low, high)})"
    if lead < 0:
        return f"{points(-lead)} points {points_interval(-high, -low)} below {other}"
    return f"{points(lead)} points {points_interval(low, high)} above {other}"


def origin_title(dataset: str, origin: str) -> str:
    """`digits`, or `digits from letters` where the encoder was pretrained elsewhere; baselines have no origin."""
    return dataset if origin in ("", dataset) else f"{dataset} from {origin}"


def table_title(protocol: str, latent_dim: int, place: str = "") -> str:
    """`linear_probe, latent size 128`, with its place in front if given."""
    title = f"{protocol}, latent size {latent_dim}"
    return f"{place}: {title}" if place else title


def axis_title(name: str) -> str:
    """What an axis of a suite is called, or several: `latent size` for `latent_dim`."""
    return name.replace("latent_dim", "latent size").replace("label_fraction", "label fraction")


def several_places(blocks: Iterable[Block]) -> bool:
    """Whether titles must say which dataset and encoder they are about."""
    return len({block.place for block in blocks}) > 1


def block_title(block: Block, blocks: Iterable[Block]) -> str:
    """The title of a table beside others, with its place where they have several."""
    return table_title(block.protocol, block.latent_dim, block.place if several_places(blocks) else "")


def column_title(block: Block, fraction: float) -> str:
    """`1% (600)`: the fraction and how many labels that is; of few also how many a class, `0.1% (60, 6 a class)`."""
    counts = block.num_labels[fraction]
    known = block.num_classes and len(counts) == 1 and counts[0] < FEW_A_CLASS * block.num_classes
    each = f", {counts[0] / block.num_classes:.2g} a class" if known else ""
    return f"{percent(fraction)} ({span(counts)}{each})"


def unequal(line: Mapping[Any, Any] | pd.Series[Any]) -> str:
    """What a line of `budgets` that is not matched says: `BYOL was given 4 times the FLOPs of SimCLR`."""
    most, least = title_of(line["most_pretext"]), title_of(line["least_pretext"])
    return f"{most} was given {times(line['ratio'])} times the {line['quantity']} of {least}"


def fewer_line(blocks: Sequence[Block]) -> str | None:
    """`fewer seeds than other cells of the column: …`, whether the suite wants it so or not; None if every row has all.

    A cell that stands in several blocks (`supervised`, `raw_pixels`) is named once.
    """
    several = several_places(blocks)
    found: dict[str, None] = {}
    for block in blocks:
        for row in block.rows:
            where = f"{_place(block, row)}: " if several else ""
            for absent, fractions in missing_in_row(block, row).items():
                found[where + _cells(block, row, fractions, absent)] = None
    return f"fewer seeds than other cells of the column: {'; '.join(found)}." if found else None


def stale_line(layout: Layout) -> str | None:
    """`stale: rotation knn, simclr knn: …`, naming every row with a stale cell; None if there is none."""
    found = dict.fromkeys(
        f"{row.pretext} {row.protocol}"
        for row in layout.rows
        if any(run.cell_id in layout.stale for runs in row.runs.values() for run in runs)
    )
    why = "computed by another version, of sslbench or of a plug-in, or with other settings; run the suite again"
    return f"stale: {', '.join(found)}: {why}." if found else None


def taken_note(environment: Mapping[str, object]) -> tuple[str, ...]:
    """Which of the evaluations come from results published before; nothing if all were run."""
    if TAKEN not in environment:
        return ()
    return (f"{environment[TAKEN]} evaluations are those published before, not run again (`--from-published`).",)


def drawn_note(records: pd.DataFrame) -> tuple[str, ...]:
    """That the labels were drawn at random; nothing if every budget was stratified, as usual."""
    if (records["stratified"] == 1).all():
        return ()
    return (
        "Labelled inputs were drawn at random, without looking at any label: a class may be missing from a budget.",
    )


def outside_notes(blocks: Sequence[Block], tuned: Sequence[TunedArm]) -> list[str]:
    """Where tables use tuned settings for label budgets that they were not tuned for; nothing if nowhere.

    `Tuned settings of rotation, simclr are meant for 600 to 6,000 labels; at 25% (15,000) they are used beyond that.`
    """
    notes = []
    for served in dict.fromkeys((arm.serves_from, arm.serves_to) for arm in tuned):
        beyond = [
            (arm.pretext, column_title(block, at))
            for arm in tuned
            for block in blocks
            for at in block.fractions
            if (arm.serves_from, arm.serves_to) == served
            and any(not arm.serves(run.num_labels) for run in block.runs(arm.pretext, at))
        ]
        if beyond:
            names, columns = (", ".join(dict.fromkeys(said)) for said in zip(*beyond, strict=True))
            meant = f"Tuned settings of {names} are meant for {_range(*served)} labels"
            notes.append(f"{meant}; at {columns} they are used beyond that.")
    return notes


def _range(low: int | None, high: int | None) -> str:
    """`600 to 6,000`, or `at least 600` without an upper bound."""
    return f"at least {low or 1:,}" if high is None else f"{low or 1:,} to {high:,}"


def _place(block: Block, row: str) -> str:
    """The place of a row: baselines are trained on nothing else, and some use no encoder."""
    if row not in BASELINES:
        return block.place
    return block.dataset if row in WITHOUT_ENCODER else f"{block.dataset}, {block.encoder}"


def _cells(block: Block, row: str, fractions: list[float], absent: tuple[Replicate, ...]) -> str:
    protocol = REFERENCE_PROTOCOLS.get(row, block.protocol)
    title = row if row == protocol else f"{row} {protocol}"
    size = "" if row in WITHOUT_ENCODER else f" d={block.latent_dim}"
    at = f"{title}{size} at {', '.join(map(percent, fractions))}"
    return f"{at} (without seed {', '.join(map(str, absent))})"
