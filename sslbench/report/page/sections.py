"""Chapters after the tables: latent size, compute, pictures; and what reviewers ask for, part by part."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
from PIL import Image

from sslbench.contract.ledger import CHOSEN_ON_LABELS
from sslbench.contract.settings import TunedArm
from sslbench.contract.titles import RAW, protocol_rank
from sslbench.report.attachments.exhibits import Exhibit, in_order
from sslbench.report.page.charts import latent_figures
from sslbench.report.page.parts import LABELS, PLACE, Part, Picture, pretext_of, said, sheet_of
from sslbench.report.scores.layout import Block, Layout
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.statistics.compute import processor_seconds
from sslbench.report.statistics.paired import OUTCOMES
from sslbench.report.tables.sheet import Sheet, text_sheet
from sslbench.report.words.numbers import NOT_RUN, count, duration, flops, three_digits
from sslbench.report.words.reading import COSTS, OTHERS, WINS


def latent_part(blocks: Sequence[Block]) -> Part | None:
    """Accuracy against the latent size, if several were run."""
    figures = latent_figures(blocks)
    text = "How much the size of the representation matters, at one share of the labels at a time."
    return Part("latent", "Latent size", (text,), tuple(figures)) if figures else None


def others_part(sheets: Sequence[Sheet]) -> Part | None:
    """Scores of others, if there are any."""
    return Part("others", "Scores of others", (OTHERS,), sheets=tuple(sheets)) if sheets else None


def picture_part(exhibits: Sequence[Exhibit]) -> Part | None:
    """What the encoders learned, to look at."""
    if not exhibits:
        return None
    several = len({(one.place, one.encoder) for one in exhibits if one.encoder != RAW}) > 1
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
        f"({WINS}): comparisons are counted over pretexts and latent sizes, by protocol; untested with one seed."
    )
    counted = ((name, said(name)) for name in OUTCOMES)
    sheets = [sheet_of(analysis.outcomes, (*PLACE, ("protocol", said("protocol")), LABELS, *counted), 4)]
    if not analysis.choices.empty:
        columns = (
            *(*PLACE, LABELS, ("seed", said("seed")), ("pretext", pretext_of), ("latent size", said("latent_dim"))),
            *(("budget score", lambda line: f"{100 * line['budget']:.1f}"), ("chosen from", said("candidates"))),
            ("test accuracy, %", lambda line: f"{100 * line['test']:.1f}"),
        )
        caption = "The choice of every seed, by score inside its own labels; rows with equal scores share it."
        sheets.append(sheet_of(analysis.choices, columns, 6, "What one would choose", caption))
    return Part("outcomes", "Wins, losses and what to choose", (text,), sheets=tuple(sheets))


def cost_part(costs: Sheet, tuned: Sequence[TunedArm], layout: Layout) -> Part:
    """The ledger: what was paid for every encoder, for its evaluations, and for choosing settings."""
    sheets = (replace(costs, title=""), *tuning_sheets(tuned), *looked_at_sheets(layout))
    return Part("cost", "Cost ledger", (COSTS,), sheets=sheets)


def looked_at_sheets(layout: Layout) -> tuple[Sheet, ...]:
    """Which defaults of what was run were chosen by looking at labels; nothing if none was."""
    ran = dict.fromkeys(
        name for row in layout.rows for name in (row.protocol.partition(", ")[0], row.pretext, row.encoder)
    )
    rows = [(name, CHOSEN_ON_LABELS[name]) for name in ran if name in CHOSEN_ON_LABELS]
    if not rows:
        return ()
    note = (
        "Nobody counted what this choosing cost, and where it looked at the data of this page its rows look that much "
        "better. Other defaults follow a paper or a measure without labels."
    )
    return (text_sheet("Defaults chosen by looking at labels", ("of", "which and how"), rows, notes=(note,)),)


def tuning_sheets(tuned: Sequence[TunedArm]) -> tuple[Sheet, ...]:
    """What tuning cost and found, arm by arm; nothing if nothing was tuned."""
    if not tuned:
        return ()
    rows = [
        (
            *(one.pretext, f"{one.completed} of {one.trials}", three_digits(one.seconds)),
            *(count(one.samples), flops(one.flops)),
            *(NOT_RUN if one.default_score is None else f"{one.default_score:.3f}", f"{one.score:.3f}"),
            ", ".join(f"{name} {value:.4g}" for name, value in sorted(one.settings.items())),
        )
        for one in tuned
    ]
    columns = ("pretext", "trials finished", "seconds", "samples", "compute", "before", "after", "settings found")
    note = (
        f"All trials of an arm together. Scores by {', '.join(sorted({one.criterion for one in tuned}))}, of the "
        "settings each arm started from and of those it found; no test label is read."
    )
    return (text_sheet("What tuning cost", columns, rows, notes=(note,)),)


def environment_part(environment: Mapping[str, object] | None, layout: Layout) -> Part:
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
        rows.append((title, ", ".join(sorted({value or "unknown" for value in layout.records[column]}))))
    table = text_sheet("", ("what", "value"), (*_facts(layout.every), *rows), names=2)
    return Part("environment", "What was run, and on what", sheets=(table,))


def _facts(scores: pd.DataFrame) -> list[tuple[str, str]]:
    trained = scores[scores["pretrain_samples"] > 0]
    encoders = trained.drop_duplicates(["dataset", "pretrain_dataset", "encoder", "pretext", "latent_dim", "seed"])
    return [
        ("encoders", ", ".join(sorted(set(trained["encoder"])) or ["none"])),
        ("latent sizes", ", ".join(str(size) for size in sorted(set(trained["latent_dim"])))),
        ("protocols", ", ".join(sorted(set(scores["protocol"]) - {"majority_class"}, key=protocol_rank))),
        ("pretrainings", f"{len(encoders):,}"),
        ("evaluations", f"{len(scores):,}"),
        ("processor time", duration(processor_seconds(scores))),
    ]
