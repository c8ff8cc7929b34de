"""Sections of the page that follow from the records alone: curves, latent sizes, measures, pictures, cost, machine."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from PIL import Image

from sslbench.report.attachments.exhibits import Exhibit, in_order
from sslbench.report.page.charts import Figure, curve_figures, latent_figures
from sslbench.report.page.ranks import Diagram, rank_diagrams
from sslbench.report.scores.blocks import RAW, Block, protocol_rank
from sslbench.report.scores.measures import COLLAPSED, SHOWN, measure_rows
from sslbench.report.statistics.cost import Cost, costs, format_count, format_flops, format_seconds
from sslbench.report.statistics.ranks import Ranks


@dataclass(frozen=True)
class Grid:
    """A table of words and numbers: the first `names` columns stand to the left."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: int = 1
    title: str = ""
    caption: str = ""

    def compact(self) -> Grid:
        """Without the columns that say the same dataset or encoder on every line."""
        said = {name: {row[at] for row in self.rows} for at, name in enumerate(self.columns)}
        kept = [at for at, name in enumerate(self.columns) if name not in ("dataset", "encoder") or len(said[name]) > 1]
        rows = tuple(tuple(row[at] for at in kept) for row in self.rows)
        names = sum(at < self.names for at in kept)
        return Grid(tuple(self.columns[at] for at in kept), rows, names, self.title, self.caption)


@dataclass(frozen=True)
class Bars:
    """A table whose last column is drawn as bars: (name, text, share in [0, 1]) each."""

    columns: tuple[str, str]
    rows: tuple[tuple[str, str, float], ...]
    title: str = ""
    caption: str = ""


@dataclass(frozen=True)
class Picture:
    """A PNG as the page embeds it."""

    title: str
    alt: str
    width: int
    height: int
    data: str


@dataclass(frozen=True)
class Section:
    """One part of the page under a heading of its own; what it lacks it leaves out."""

    anchor: str
    title: str
    text: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Grid, ...] = ()
    pictures: tuple[Picture, ...] = ()
    bars: tuple[Bars, ...] = ()
    diagrams: tuple[Diagram, ...] = ()


def curve_section(blocks: Sequence[Block]) -> Section:
    """Accuracy against labels, block by block."""
    text = (
        "Accuracy against the share of labels, on a logarithmic axis. Bands are 95% confidence intervals over seeds; "
        "the dotted line is training from scratch on every label. Hover or tap for the numbers; press a name to hide "
        "or show its line everywhere.",
    )
    return Section("curves", "Label-efficiency curves", text, tuple(curve_figures(blocks)))


def latent_section(blocks: Sequence[Block]) -> Section | None:
    """Accuracy against the latent size, if several were run."""
    figures = latent_figures(blocks)
    if not figures:
        return None
    text = ("How much the size of the representation matters, at one share of the labels at a time.",)
    return Section("latent", "Latent size", text, tuple(figures))


def rank_section(ranks: Sequence[Ranks]) -> Section | None:
    """Mean ranks over label budgets, and which rows are not told apart."""
    if not ranks:
        return None
    text = (
        "Mean rank of every row over the label budgets (1 is the most accurate), from best to worst. Bars on the right "
        "join rows that are not told apart: their mean ranks are closer than the critical difference, which is drawn "
        "below the axis. The budgets of one dataset share encoders and nested labels, so with a single dataset the "
        "tests are optimistic.",
    )
    return Section("ranks", "Ranks", text, diagrams=rank_diagrams(ranks))


def measure_section(
    records: pd.DataFrame, figures: Sequence[Figure] = (), correlations: Sequence[Grid] = ()
) -> Section | None:
    """The label-free measures, drawn against accuracy, and how well they predict it."""
    rows = measure_rows(records)
    if not rows:
        return None
    columns = ("pretext", "latent size", *(shown for _, shown, _ in SHOWN), "collapsed")
    text = (
        "Measured without labels on the representation of 2,048 unlabelled inputs (LiDAR and alignment: 1,000 inputs "
        f"in four views), means over seeds. {COLLAPSED} marks a collapsed representation.",
    )
    return Section(
        "measures",
        "Measures without labels",
        text,
        tuple(figures),
        tables=(Grid(columns, _tuples(rows)), *correlations),
    )


def picture_section(exhibits: Sequence[Exhibit]) -> Section | None:
    """What the encoders learned, to look at."""
    if not exhibits:
        return None
    several = len({(exhibit.place, exhibit.encoder) for exhibit in exhibits if exhibit.encoder != RAW}) > 1
    text = ("Drawn from one encoder each; labels serve the colours of the maps and nothing else.",)
    pictures = tuple(_picture(exhibit, several) for exhibit in in_order(exhibits))
    return Section("pictures", "Pictures", text, pictures=pictures)


def _picture(exhibit: Exhibit, several: bool) -> Picture:
    place = f"{exhibit.place}, {exhibit.encoder}: " if several else ""
    subject = {"map": "map of test inputs (t-SNE)"}.get(exhibit.subject, exhibit.subject.replace("_", " "))
    title = f"{place}{exhibit.pretext}, latent size {exhibit.latent_dim}, seed {exhibit.seed}: {subject}"
    with Image.open(io.BytesIO(exhibit.png)) as image:
        width, height = image.size
    alt = f"Picture: {title}"
    return Picture(title, alt, width, height, base64.b64encode(exhibit.png).decode("ascii"))


def cost_section(records: pd.DataFrame, more: Sequence[Grid] = ()) -> Section:
    """The ledger: what was paid for every encoder, for its evaluations, and for choosing settings."""
    entries = costs(records)
    protocols = sorted({name for entry in entries for name in entry.evaluate_seconds}, key=protocol_rank)
    headers = ["pretext", "latent size", "pretraining s", "samples", "compute", "parameters"]
    headers += [f"{protocol} s" for protocol in protocols]
    several = len({(entry.dataset, entry.pretrain_dataset, entry.encoder) for entry in entries if _trained(entry)}) > 1
    where = ["dataset", "encoder"] if several else []
    rows = [[*([_origin(entry), entry.encoder] if several else []), *_cost_row(entry, protocols)] for entry in entries]
    text = (
        "Means over seeds, in seconds. Pretraining is paid once per encoder; an evaluation is one protocol at one "
        "label fraction, averaged over the fractions that were run.",
    )
    grid = Grid((*where, *headers), _tuples(rows), names=1 + len(where))
    return Section("cost", "Cost ledger", text, tables=(grid, *more))


def _trained(entry: Cost) -> bool:
    return bool(entry.pretrain_dataset)


def _origin(entry: Cost) -> str:
    elsewhere = entry.pretrain_dataset and entry.pretrain_dataset != entry.dataset
    return f"{entry.dataset} from {entry.pretrain_dataset}" if elsewhere else entry.dataset


def _cost_row(entry: Cost, protocols: Sequence[str]) -> list[str]:
    pretraining = [format_seconds(entry.pretrain_seconds), format_count(entry.pretrain_samples)]
    pretraining += [format_flops(entry.pretrain_flops), format_count(entry.parameters)]
    spent = [format_seconds(entry.evaluate_seconds.get(protocol, math.nan)) for protocol in protocols]
    return [entry.pretext, str(entry.latent_dim), *pretraining, *spent]


def environment_section(environment: Mapping[str, object] | None, records: pd.DataFrame) -> Section:
    """What the numbers were computed on, as `environment.json` says, and what the records themselves say."""
    said = dict(environment or {})
    packages = said.pop("packages", {})
    rows = [
        (name.replace("_gib", ", GiB").replace("_", " "), "unknown" if value is None else str(value))
        for name, value in said.items()
    ]
    if isinstance(packages, Mapping):
        rows += [(str(name), "unknown" if number is None else str(number)) for name, number in packages.items()]
    for column, title in (
        ("git_commit", "commits of the records"),
        ("sslbench_version", "sslbench versions of the records"),
        ("device", "devices of the records"),
    ):
        rows.append((title, ", ".join(sorted({value or "unknown" for value in records[column]}))))
    return Section("environment", "Environment", tables=(Grid(("what", "value"), tuple(rows), names=2),))


def duration(seconds: float) -> str:
    """Seconds as people say them: `42 s`, `12.5 min`, `3.4 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _tuples(rows: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(row) for row in rows)
