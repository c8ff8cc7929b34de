"""`leaderboard.html`: every published row and every score of others on one page, with what it cost.

A table per dataset, a line per encoder, pretext, latent size and way of reading it, columns for a few shares of the
labels. All of it stands in the page as it is; the script only hides, sorts and saves lines.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from sslbench.contract.spec import REFERENCE_PROTOCOLS
from sslbench.contract.titles import RAW
from sslbench.report.attachments.community import Submission
from sslbench.report.figures.savings import saved_text
from sslbench.report.page.files import asset, template
from sslbench.report.scores import Layout, Row, evaluations, rows_of
from sslbench.report.scores.evaluations import ROW_KEY
from sslbench.report.statistics.image_noise import accuracy_of
from sslbench.report.statistics.label_efficiency import REACHED, multipliers
from sslbench.report.statistics.selection import primary_of
from sslbench.report.statistics.spread import Estimate, estimate
from sslbench.report.words.numbers import NOT_RUN, accuracy, count, flops, percent, span, three_digits
from sslbench.report.words.reading import STALE

#: Shares of the labels that a table shows: so many, and more only where a line would be empty.
SHOWN = 4

READING = (
    "A line is an encoder, trained or not, read by one protocol. `76.3 ± 0.4` is its mean accuracy with the 95% "
    "interval over seeds and, where a table stores its answers, over test inputs. The columns are the shares of the "
    f"labels that most lines have; all others stand in the tables. {STALE}: in part computed by older code.",
    "Labels saved: how many times more labels training from scratch needs for the same accuracy, with the fewest "
    "labels of its table. Pretraining is one training, evaluation one with the fewest labels shown, which for training "
    "from scratch is the training itself.",
    "By others: encoders that were not trained here, as their authors sent them in. Their interval is over labelled "
    "subsets of one encoder alone, and what pretraining cost is what they say. Whoever has the encoder runs them again "
    "by `sslbench reproduce results/community/NAME.csv`.",
)


@dataclass(frozen=True)
class Cell:
    """A cell: what stands there, what it is sorted by (None: below all others), and more in small print."""

    text: str
    order: float | None = None
    small: str = ""


@dataclass(frozen=True)
class Line:
    """A line of a table.

    Attributes:
        lines: of the frame of evaluations that are behind it.
        saved: its line of `multipliers` with its fewest labels, if there is one.
        source: whose it is; `href` leads there.
        standing: of a score of others, whether it can be run again.
        headline: whether its table's headlines are read by it.
    """

    row: Row
    scores: Mapping[float, Estimate]
    lines: Sequence[Mapping[Any, Any]]
    saved: Mapping[Any, Any] | None
    source: str
    href: str
    standing: str = ""
    headline: bool = True
    stale: bool = False

    @property
    def name(self) -> str:
        """The pretext, with where it was trained if that was elsewhere."""
        origin = self.row.pretrain_dataset
        return (
            self.row.pretext
            + ("" if origin in ("", self.row.dataset) else f" from {origin}")
            + f" {STALE}" * self.stale
        )

    @property
    def encoder(self) -> str:
        """The encoder and its latent size."""
        return self.row.encoder if self.row.encoder == RAW else f"{self.row.encoder}, {self.row.latent_dim}"

    @property
    def run(self) -> str:
        """When it was run last, and by which code."""
        last = max(self.lines, key=lambda line: line["started_at"])
        return f"{last['started_at'][:10]}, {last['git_commit'][:7] or NOT_RUN}"

    def cells(self, fractions: Sequence[float], few: float) -> Iterator[Cell]:
        """What stands under `headings`; what is of another share of the labels than `few` says so."""
        for at in fractions:
            found = self.scores.get(at)
            yield _accuracy(found) if found else Cell(NOT_RUN)
        yield _saved(self.saved, few) if self.saved else Cell(NOT_RUN)
        stated = "stated" if self.standing else ""
        for column, written in (("pretrain_flops", flops), ("pretrain_seconds", three_digits)):
            yield _cost(self._mean(self.lines, column), written, stated)
        own = few if few in self.scores else min(self.scores)
        evaluated = [line for line in self.lines if line["label_fraction"] == own]
        yield _cost(self._mean(evaluated, "evaluate_flops"), flops, _elsewhere(own, few))
        yield _cost(float(max(line["parameters"] for line in self.lines)) or math.nan, count)
        counts = sorted({found.n for found in self.scores.values()})
        yield Cell(span(counts), counts[-1], "labels only" if self.standing else "")

    @property
    def best(self) -> float:
        """The highest accuracy."""
        return max(found.mean for found in self.scores.values())

    def _mean(self, lines: Sequence[Mapping[Any, Any]], column: str) -> float:
        return estimate(line[column] for line in lines).mean


def headings(fractions: Sequence[float], few: float) -> list[str]:
    """Over the numbers of a line."""
    costs = [f"labels saved, {percent(few)}", "pretraining", "pretraining, s", f"evaluation, {percent(few)}"]
    return [*map(percent, fractions), *costs, "parameters", "seeds"]


def _elsewhere(at: float, few: float) -> str:
    return "" if at == few else f"at {percent(at)}"


def _accuracy(found: Estimate) -> Cell:
    mean, _, spread = accuracy(found).partition(" ± ")
    return Cell(mean, found.mean, f"±\N{NO-BREAK SPACE}{spread}" if spread else "")


def _cost(value: float, written: Callable[[float], str], small: str = "") -> Cell:
    return Cell(NOT_RUN) if math.isnan(value) else Cell(written(value), value, small)


def _saved(line: Mapping[Any, Any], few: float) -> Cell:
    order = line["multiplier"] if line["outcome"] == REACHED else line["least"]
    multiple, _, spread = saved_text(line, "×").partition("× ")
    return Cell(f"{multiple.removesuffix('×')}×", order, f"{spread} {_elsewhere(line['label_fraction'], few)}".strip())


def leaderboard_html(suites: Mapping[str, Layout], community: Sequence[Submission], place: str = "") -> str:
    """The page as text; equal records give equal text.

    Args:
        suites: published tables by name.
        place: of their folders, as seen from the page: links lead to `{place}NAME/report.html`.
    """
    lines = [line for name, layout in suites.items() for line in _published(name, layout, place)]
    lines += [line for one in community for line in _of_others(one)]
    datasets = sorted(Counter(line.row.dataset for line in lines).items(), key=lambda item: (-item[1], item[0]))
    tables = [_table(dataset, [line for line in lines if line.row.dataset == dataset]) for dataset, _ in datasets]
    return template("leaderboard.html").render(
        tables=tables,
        protocols=sorted({line.row.protocol for line in lines}),
        style=asset("style.css"),
        own_style=asset("leaderboard.css"),
        reading=READING,
        script=asset("leaderboard.js"),
    )


def _table(dataset: str, lines: Sequence[Line]) -> dict[str, Any]:
    """What the template shows of a dataset: the best with few labels first."""
    counts = Counter(at for line in lines for at in line.scores)
    ranked = sorted(counts, key=lambda at: (-counts[at], at))
    chosen, few = set(ranked[:SHOWN]), min(ranked[:SHOWN])
    chosen |= {next(at for at in ranked if at in line.scores) for line in lines if not line.scores.keys() & chosen}
    first = sorted((line for line in lines if few in line.scores), key=lambda line: -line.scores[few].mean)
    others = sorted((line for line in lines if few not in line.scores), key=lambda line: -line.best)
    fractions = sorted(chosen)
    return {
        **{"dataset": dataset, "fractions": fractions, "headings": headings(fractions, few)},
        **{"few": few, "lines": [*first, *others]},
    }


def _published(name: str, layout: Layout, place: str) -> Iterator[Line]:
    primary = primary_of(layout)
    saved = _multipliers(layout)
    behind = _behind(layout.evaluations)
    for row in layout.rows:
        yield Line(
            row=row,
            scores={at: accuracy_of(row, at) for at in row.fractions},
            lines=behind[row.key],
            saved=saved.get(row.key),
            source=name,
            href=f"{place}{name}/report.html",
            headline=row.pretext in REFERENCE_PROTOCOLS
            or row.encoder == RAW
            or not primary
            or row.protocol == primary.protocol,
            stale=any(run.cell_id in layout.stale for runs in row.runs.values() for run in runs),
        )


def _of_others(one: Submission) -> Iterator[Line]:
    scored = evaluations(one.records)
    behind = _behind(scored)
    for row in rows_of(scored):
        scores = {at: estimate(row.scores(at).values()) for at in row.fractions}
        yield Line(row, scores, behind[row.key], None, f"{one.title}, by {one.author}", one.url, one.standing)


def _behind(evaluated: pd.DataFrame) -> dict[Any, list[dict[Any, Any]]]:
    """The evaluations of every row."""
    return {key: part.to_dict("records") for key, part in evaluated.groupby(list(ROW_KEY))}


def _multipliers(layout: Layout) -> dict[tuple[Any, ...], Mapping[Any, Any]]:
    """Labels saved by every row with its fewest labels."""

    def fewest(row: Row) -> Row:
        return replace(row, runs=dict(list(row.runs.items())[:1]))

    compared = (replace(each, rows=tuple(map(fewest, each.rows))) for each in layout.peers)
    return {
        tuple(line[name] for name in ROW_KEY): line
        for line in multipliers(compared).to_dict("records")
        if line["outcome"] and line["pretext"] not in REFERENCE_PROTOCOLS
    }
