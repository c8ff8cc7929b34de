"""Chapters after the tables: latent size, compute, pictures; and what reviewers ask for, part by part."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence

import pandas as pd
from PIL import Image

from sslbench.report.attachments.exhibits import Exhibit, in_order
from sslbench.report.attachments.tuned import Tuned
from sslbench.report.page.charts import latent_figures
from sslbench.report.page.grids import Grid, Part, Picture, grid, labels_of, said
from sslbench.report.scores.blocks import RAW, Block, protocol_rank
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.statistics.cost import Cost, costs, format_count, format_flops, format_seconds
from sslbench.report.statistics.paired import OUTCOMES
from sslbench.report.tables.markdown import NOT_RUN

PLACE = (("dataset", said("dataset")), ("encoder", said("encoder")))


def latent_part(blocks: Sequence[Block]) -> Part | None:
    """Accuracy against the latent size, if several were run."""
    figures = latent_figures(blocks)
    text = "How much the size of the representation matters, at one share of the labels at a time."
    return Part("latent", "Latent size", (text,), tuple(figures)) if figures else None


def picture_part(exhibits: Sequence[Exhibit]) -> Part | None:
    """What the encoders learned, to look at."""
    if not exhibits:
        return None
    several = len({(exhibit.place, exhibit.encoder) for exhibit in exhibits if exhibit.encoder != RAW}) > 1
    text = "Drawn from one encoder each; labels serve the colours of the maps and nothing else."
    pictures = tuple(_picture(exhibit, several) for exhibit in in_order(exhibits))
    return Part("pictures", "Pictures", (text,), pictures=pictures)


def _picture(exhibit: Exhibit, several: bool) -> Picture:
    place = f"{exhibit.place}, {exhibit.encoder}: " if several else ""
    subject = {"map": "map of test inputs (t-SNE)"}.get(exhibit.subject, exhibit.subject.replace("_", " "))
    title = f"{place}{exhibit.pretext}, latent size {exhibit.latent_dim}, seed {exhibit.seed}: {subject}"
    with Image.open(io.BytesIO(exhibit.png)) as image:
        width, height = image.size
    return Picture(title, f"Picture: {title}", width, height, base64.b64encode(exhibit.png).decode("ascii"))


def outcome_part(analysis: Analysis) -> Part | None:
    """Wins, ties and losses against training from scratch, and the choice one could make without the test split."""
    if analysis.outcomes.empty:
        return None
    text = (
        "How often a pretext is better than, not told from, or worse than training from scratch on the same labels "
        "(paired t-test over seeds, Holm-corrected over the rows of a column, 5% level); untested with one seed."
    )
    counted = ((name, said(name)) for name in OUTCOMES)
    grids = [grid(analysis.outcomes, (*PLACE, ("labels", labels_of), *counted), 3)]
    if not analysis.choices.empty:
        columns = (
            *(*PLACE, ("labels", labels_of), ("use", said("kind")), ("pretext", said("pretext"))),
            *(("protocol", said("protocol")), ("latent size", said("latent_dim"))),
            *(("budget score", lambda line: f"{100 * line['budget']:.1f}"), ("chosen from", said("candidates"))),
        )
        caption = "The choice by score inside the label budget; no test label is read."
        grids.append(grid(analysis.choices, columns, 6, "What one would choose", caption))
    return Part("outcomes", "Wins, losses and what to choose", (text,), tables=tuple(grids))


def cost_part(records: pd.DataFrame, tuned: Sequence[Tuned]) -> Part:
    """The ledger: what was paid for every encoder, for its evaluations, and for choosing settings."""
    entries = costs(records)
    protocols = sorted({name for entry in entries for name in entry.evaluate_seconds}, key=protocol_rank)
    trained = {(entry.dataset, entry.pretrain_dataset, entry.encoder) for entry in entries if entry.pretrain_dataset}
    where = ("dataset", "encoder") if len(trained) > 1 else ()
    rows = tuple(_cost_row(entry, protocols)[2 - len(where) :] for entry in entries)
    columns = ("pretext", "latent size", "pretraining s", "samples", "compute", "parameters")
    ledger = Grid((*where, *columns, *(f"{protocol} s" for protocol in protocols)), rows, 1 + len(where))
    text = (
        "Means over seeds, in seconds. Pretraining is paid once per encoder; an evaluation is one protocol at one "
        "label fraction, averaged over the fractions that were run."
    )
    return Part("cost", "Cost ledger", (text,), tables=(ledger, *tuning_grids(tuned)))


def _cost_row(entry: Cost, protocols: Sequence[str]) -> tuple[str, ...]:
    elsewhere = entry.pretrain_dataset and entry.pretrain_dataset != entry.dataset
    return (
        *(f"{entry.dataset} from {entry.pretrain_dataset}" if elsewhere else entry.dataset, entry.encoder),
        *(entry.pretext, str(entry.latent_dim)),
        *(format_seconds(entry.pretrain_seconds), format_count(entry.pretrain_samples)),
        *(format_flops(entry.pretrain_flops), format_count(entry.parameters)),
        *(format_seconds(entry.evaluate_seconds.get(protocol, math.nan)) for protocol in protocols),
    )


def tuning_grids(tuned: Sequence[Tuned]) -> tuple[Grid, ...]:
    """What tuning cost and found, arm by arm; nothing if nothing was tuned."""
    if not tuned:
        return ()
    rows = [
        (
            *(one.pretext, f"{one.completed} of {one.trials}", format_seconds(one.seconds)),
            *(format_count(one.samples), format_flops(one.flops)),
            *(NOT_RUN if one.default_score is None else f"{one.default_score:.3f}", f"{one.score:.3f}"),
            ", ".join(f"{name} {value:.4g}" for name, value in sorted(one.settings.items())),
        )
        for one in tuned
    ]
    columns = ("pretext", "trials finished", "seconds", "samples", "compute", "before", "after", "settings found")
    caption = (
        f"All trials of an arm together. Scores by {', '.join(sorted({one.criterion for one in tuned}))}, of the "
        "settings each arm started from and of those it found; no test label is read."
    )
    return (Grid(columns, tuple(rows), title="What tuning cost", caption=caption),)


def environment_part(environment: Mapping[str, object] | None, records: pd.DataFrame) -> Part:
    """What was run, what it was computed on as `environment.json` says, and what the records themselves say."""
    said_there = dict(environment or {})
    packages = said_there.pop("packages", {})
    named = {name.replace("_gib", ", GiB").replace("_", " "): value for name, value in said_there.items()}
    named |= packages if isinstance(packages, Mapping) else {}
    rows = [(str(name), "unknown" if value is None else str(value)) for name, value in named.items()]
    for column, title in (
        ("git_commit", "commits of the records"),
        ("sslbench_version", "sslbench versions of the records"),
        ("device", "devices of the records"),
    ):
        rows.append((title, ", ".join(sorted({value or "unknown" for value in records[column]}))))
    return Part(
        "environment",
        "What was run, and on what",
        tables=(Grid(("what", "value"), (*_facts(records), *rows), names=2),),
    )


def _facts(records: pd.DataFrame) -> list[tuple[str, str]]:
    scores = records[(records["metric"] == "accuracy") & (records["split"] == "test")]
    trained = scores[scores["pretrain_samples"] > 0]
    encoders = trained.drop_duplicates(["dataset", "pretrain_dataset", "encoder", "pretext", "latent_dim", "seed"])
    spent = encoders["pretrain_seconds"].sum() + scores["evaluate_seconds"].sum()
    return [
        ("encoders", ", ".join(sorted(set(trained["encoder"])) or ["none"])),
        ("latent sizes", ", ".join(str(size) for size in sorted(set(trained["latent_dim"])))),
        ("protocols", ", ".join(sorted(set(scores["protocol"]) - {"majority_class"}, key=protocol_rank))),
        ("pretrainings", f"{len(encoders):,}"),
        ("evaluations", f"{len(scores):,}"),
        ("processor time", duration(float(spent))),
    ]


def duration(seconds: float) -> str:
    """Seconds as people say them: `42 s`, `12.5 min`, `3.4 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
