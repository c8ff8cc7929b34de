"""Everything that is shown and computed of records, laid out once: tables for readers, peers for statistics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from pathlib import Path

import pandas as pd

from sslbench.contract.spec import BASELINES, REFERENCE_PROTOCOLS
from sslbench.contract.titles import OPTIONAL_PROTOCOLS, RAW, protocol_rank
from sslbench.report.attachments.files import read_primary
from sslbench.report.attachments.gaps import Failure, Gaps
from sslbench.report.attachments.predictions import Answers, read_answers
from sslbench.report.records import pretext_rank, read_records
from sslbench.report.scores.evaluations import evaluations, keep_independent
from sslbench.report.scores.flags import Encoder, collapsed_encoders, stale_cells
from sslbench.report.scores.replicates import Replicate, Scores
from sslbench.report.scores.rows import Row, Run, rows_of

NO_VERSIONS: Mapping[tuple[str, str], int] = {}

#: Between a pretext and the dataset it was pretrained on, where that is not the evaluated one.
FROM = " from "


@dataclass(frozen=True)
class Block:
    """One table: rows are pretexts, columns label fractions, cells the scores by replicate.

    Attributes:
        pretrain_dataset: what pretexts were trained on; the baselines, which train on none, stand in every block.
        rows: names of the rows, those that were expected and not run included.
        replicates: by label fraction every independent one that any encoder was evaluated in; a cell with fewer is
            incomplete.
        crossed: seeds meet several label seeds; scores that share a training or labels with another are left out here.
        num_labels: the label budgets that were used at each fraction, smallest first (one, unless something differs).
        num_classes: how many the dataset has; 0 where that was not recorded.
        lines: the rows that were run, by name.
    """

    dataset: str
    pretrain_dataset: str
    encoder: str
    protocol: str
    latent_dim: int
    rows: tuple[str, ...]
    fractions: tuple[float, ...]
    replicates: Mapping[float, tuple[Replicate, ...]]
    crossed: bool
    num_labels: Mapping[float, tuple[int, ...]]
    num_classes: int
    lines: Mapping[str, Row]

    @cached_property
    def scores(self) -> dict[tuple[str, float], Scores]:
        """Scores by (row, label fraction); cells that were not run are absent."""
        return {(name, at): row.scores(at) for name, row in self.lines.items() for at in row.fractions}

    def runs(self, row: str, fraction: float) -> tuple[Run, ...]:
        """The runs a cell is the mean of."""
        return self.lines[row].runs.get(fraction, ()) if row in self.lines else ()

    @property
    def place(self) -> str:
        """`digits, conv`, or `digits from fashion_mnist, conv` where the encoder was pretrained elsewhere."""
        origin = "" if self.pretrain_dataset == self.dataset else f" from {self.pretrain_dataset}"
        return f"{self.dataset}{origin}, {self.encoder}"

    @property
    def axis(self) -> tuple[str, str, str, int]:
        """What tables have in common that differ in nothing but what was pretrained on."""
        return self.dataset, self.encoder, self.protocol, self.latent_dim

    @property
    def ceiling(self) -> Scores:
        """Training from scratch on every label; empty if that was not run."""
        return self.scores.get(("supervised", 1.0), {})


@dataclass(frozen=True)
class Peers:
    """Everything that is compared with one `supervised`: same dataset, encoder and latent size.

    Attributes:
        rows: all others but the majority class, in table order, those of one protocol together. `raw_pixels` is a
            peer of every encoder of its dataset, and there goes by that encoder and size.
    """

    supervised: Row
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Layout:
    """Records as every writer and statistic reads them.

    Attributes:
        records: rows of `records.csv`.
        every: the frame of all `evaluations`.
        evaluations: those of independent replicates, which is what intervals suppose. Where seeds are crossed with
            label seeds the evaluations of one encoder are not; the variance split alone reads the rest.
        peers: what is compared, where `supervised` was run.
        blocks: the tables, in reading order: dataset, encoder, pretraining dataset (its own first), protocol, size.
        collapsed: seeds with a collapsed representation, by encoder.
        stale: identities of stale cells.
        gaps: what of the suite has no record.
        primary: the protocol, as tables name it, that headlines are about; empty if none was named beforehand.
        answers: which test inputs evaluations answered rightly; none of evaluations that did not store them.
    """

    records: pd.DataFrame
    every: pd.DataFrame
    evaluations: pd.DataFrame
    rows: tuple[Row, ...]
    blocks: tuple[Block, ...]
    peers: tuple[Peers, ...]
    collapsed: Mapping[Encoder, int]
    stale: frozenset[str]
    gaps: Gaps
    primary: str = ""
    answers: Answers = field(default_factory=dict)

    def failures(self, block: Block, row: str, fraction: float) -> list[Failure]:
        """The failures that explain why a cell of the block lacks seeds."""
        protocol = REFERENCE_PROTOCOLS.get(row, block.protocol)
        present = block.scores.get((row, fraction), {})
        return [
            failure
            for failure in self.gaps.failures
            if failure.pretext == row
            and _stands_in(failure, block)
            and failure.label_fraction in (None, fraction)
            and failure.protocol in (None, protocol)
            and not any(
                failure.seed == replicate.seed and failure.label_seed in (None, replicate.label_seed)
                for replicate in present
            )
        ]


def _stands_in(failure: Failure, block: Block) -> bool:
    """Whether what failed has its place in a block: its own dataset's, trained where the block's pretexts are."""
    trained = failure.pretrain_dataset in ("", block.pretrain_dataset)
    evaluated = failure.dataset == block.dataset or (failure.protocol is None and failure.pretrain_dataset != "")
    same = (failure.encoder, failure.latent_dim) == (block.encoder, block.latent_dim)
    return trained and evaluated and (same or failure.encoder == RAW)


def lay_out(
    records: pd.DataFrame,
    gaps: Gaps | None = None,
    primary: str = "",
    versions: Mapping[tuple[str, str], int] = NO_VERSIONS,
    answers: Answers | None = None,
) -> Layout:
    """Lay out rows of `records.csv`; linear in their number.

    Args:
        primary, answers: as of `Layout`.
        versions: of the plug-ins as they are now, by kind and name: what others computed is stale.

    Raises:
        InputError: two records claim the same cell and replicate.
    """
    every = evaluations(records)
    kept = keep_independent(every)
    lost = every["dataset"].value_counts() - kept["dataset"].value_counts()
    crossed = set(lost.index[lost > 0].astype(str))
    rows = rows_of(kept, answers)
    return Layout(
        records=records,
        every=every,
        evaluations=kept,
        rows=rows,
        blocks=tuple(_blocks(rows, crossed, dict(zip(every["dataset"], every["num_classes"], strict=True)))),
        peers=tuple(_peers(rows)),
        collapsed=collapsed_encoders(records),
        stale=stale_cells(records, versions),
        gaps=gaps or Gaps(),
        primary=primary,
        answers=answers or {},
    )


def lay_out_folder(folder: Path, versions: Mapping[tuple[str, str], int]) -> Layout:
    """The records of `folder/records.csv` and what else of it tables need.

    Args:
        versions: of the plug-ins as they are now, by kind and name.

    Raises:
        InputError: a file cannot be read.
    """
    records, primary = read_records(folder / "records.csv"), read_primary(folder)
    return lay_out(records, primary=primary, versions=versions, answers=read_answers(folder))


def _blocks(rows: Sequence[Row], crossed: set[str], classes: Mapping[str, int]) -> Iterator[Block]:
    for dataset, encoder in sorted({(row.dataset, row.encoder) for row in rows if row.encoder != RAW}):
        here = [row for row in rows if row.dataset == dataset and row.encoder in (encoder, RAW)]
        origins = {row.pretrain_dataset for row in here} - {""} or {dataset}
        for origin in sorted(origins, key=lambda origin: (origin != dataset, origin)):
            of_origin = [row for row in here if row.pretrain_dataset in ("", origin)]
            yield from _of_place((dataset, origin, encoder), of_origin, dataset in crossed, classes[dataset])


def _of_place(place: tuple[str, str, str], rows: Sequence[Row], crossed: bool, num_classes: int) -> Iterator[Block]:
    """The tables that the rows of one dataset, pretraining dataset and encoder fill."""
    fractions = tuple(sorted({at for row in rows for at in row.runs}))
    counts = {at: {run.num_labels for row in rows for run in row.runs.get(at, ())} for at in fractions}
    num_labels = {at: tuple(sorted(found)) for at, found in counts.items()}
    for protocol, size in _tables(rows):
        lines = {
            row.pretext: row
            for row in rows
            if row.protocol
            == REFERENCE_PROTOCOLS.get(row.pretext, _of_raw(protocol) if row.encoder == RAW else protocol)
            and (row.encoder == RAW or row.latent_dim == size)
        }
        expected = {row.pretext for row in rows if row.pretext not in BASELINES and protocol not in OPTIONAL_PROTOCOLS}
        names = tuple(sorted(expected | set(lines), key=pretext_rank))
        owners = [row for row in lines.values() if row.encoder != RAW] or list(lines.values())
        replicates = {at: _expected(owners, at) or _expected(list(lines.values()), at) for at in fractions}
        yield Block(*place, protocol, size, names, fractions, replicates, crossed, num_labels, num_classes, lines)


def _expected(rows: Sequence[Row], fraction: float) -> tuple[Replicate, ...]:
    """The replicates that any of the rows was evaluated in at one label fraction."""
    return tuple(sorted({run.replicate for row in rows for run in row.runs.get(fraction, ())}))


def on_one_axis(blocks: Iterable[Block]) -> list[Block]:
    """For figures: tables that differ in nothing but what was pretrained on as one, its own dataset first.

    Rows of the others are called `simclr from digits` (`source_of`); baselines are the same in all of them.
    """
    groups: dict[tuple[str, str, str, int], list[Block]] = {}
    for block in blocks:
        groups.setdefault(block.axis, []).append(block)
    return [reduce(_beside, group) for group in groups.values()]


def _beside(block: Block, other: Block) -> Block:
    more = {f"{row}{FROM}{other.pretrain_dataset}": line for row, line in other.lines.items() if row not in BASELINES}
    labels = {**block.num_labels, **other.num_labels}
    return replace(
        block,
        rows=(*block.rows, *more),
        lines={**block.lines, **more},
        fractions=tuple(sorted(labels)),
        num_labels={at: labels[at] for at in sorted(labels)},
    )


def source_of(row: str) -> tuple[str, str]:
    """The pretext of a row `on_one_axis`, and the dataset it is from if that is another; else nothing."""
    pretext, _, source = row.partition(FROM)
    return pretext, source


def _of_raw(protocol: str) -> str:
    """The protocol of `raw_pixels` that stands beside one with any reading: pixels have one."""
    return protocol.partition(", ")[0]


def _tables(rows: Sequence[Row]) -> list[tuple[str, int]]:
    """Protocol and latent size of each that an encoder was run at; reference rows alone make one for want of others."""
    sizes = sorted({row.latent_dim for row in rows if row.encoder != RAW})
    probed = [row for row in rows if row.pretext not in REFERENCE_PROTOCOLS and row.encoder != RAW]
    ran = {(row.protocol, row.latent_dim) for row in probed}
    found = [
        (protocol, size)
        for protocol in sorted({row.protocol for row in probed}, key=protocol_rank)
        for size in sizes
        if (protocol, size) in ran
    ]
    return found or [("finetune", size) for size in sizes]


def _peers(rows: Sequence[Row]) -> Iterator[Peers]:
    for supervised in (row for row in rows if row.pretext == "supervised"):
        dataset, encoder, size = supervised.key[:3]
        members = [
            replace(row, encoder=supervised.encoder, latent_dim=supervised.latent_dim)
            for row in rows
            if row.dataset == dataset and (row.encoder == RAW or (row.encoder, row.latent_dim) == (encoder, size))
            if row.pretext not in ("supervised", "majority_class")
        ]
        members.sort(key=lambda row: (protocol_rank(row.protocol), pretext_rank(row.pretext), row.pretrain_dataset))
        yield Peers(supervised, tuple(members))
