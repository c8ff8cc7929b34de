"""The sentences a person reads first: what pretraining saved, each with its figure and interval.

A headline never speaks of the row that did best on the test split: the best of many noisy rows looks better than it is.
It speaks of what every seed's own labels chose, by the primary protocol, so it is one comparison and its 95% interval
needs no correction. Sentences that name rows by their test accuracy, or count them, use the family of a whole table.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sslbench.contract.spec import BASELINES
from sslbench.contract.titles import title_of
from sslbench.report.scores.evaluations import CELL, REPLICATE
from sslbench.report.scores.rows import Subject
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.statistics.contest import CONTROL, judge_rows
from sslbench.report.statistics.label_efficiency import (
    BELOW,
    BETWEEN,
    BEYOND,
    NEVER_AHEAD,
    NEVER_OVERTAKEN,
    NO_SINGLE,
    OVERTAKEN,
    OVERTAKEN_BETWEEN,
    REACHED,
)
from sslbench.report.statistics.selection import CANDIDATE
from sslbench.report.words.classics import classics
from sslbench.report.words.lessons import here, lessons
from sslbench.report.words.numbers import (
    counted,
    fraction_interval,
    listed,
    percent,
    points,
    points_interval,
    rounded_percent,
    span,
    times,
    times_interval,
)
from sslbench.report.words.reading import CLAIM_SEEDS, WINS
from sslbench.report.words.sentence import Finding
from sslbench.report.words.transfer import transferred
from sslbench.report.words.wording import compared, row_title, with_labels


def findings(analysis: Analysis) -> tuple[Finding, ...]:
    """Sentences in the order they should be read; places (dataset, encoder) one after another."""
    places = analysis.evaluations.loc[analysis.evaluations["encoder"] != "raw", ["dataset", "encoder"]]
    found = sorted({(str(dataset), str(encoder)) for dataset, encoder in places.itertuples(index=False)})
    sentences: list[Finding] = []
    for dataset, encoder in found:
        where = f"On {dataset} ({encoder}): " if len(found) > 1 else ""
        sentences += _Place(analysis, dataset, encoder, where).sentences()
    return tuple(sentences)


@dataclass(frozen=True)
class _Place:
    """The sentences of one dataset and encoder; `where` names them if there are several."""

    analysis: Analysis
    dataset: str
    encoder: str
    where: str

    @property
    def choices(self) -> pd.DataFrame:
        return self.here(self.analysis.choices)

    @property
    def primary(self) -> str:
        return self.analysis.primary.protocol if self.analysis.primary else ""

    def here(self, frame: pd.DataFrame) -> pd.DataFrame:
        return here(frame, self.dataset, self.encoder)

    def _labels(self, fraction: float) -> str:
        found = self.here(self.analysis.evaluations)
        return with_labels(fraction, int(found.loc[found["label_fraction"] == fraction, "num_labels"].max()))

    def sentences(self) -> Iterator[Finding]:
        budgets = self.here(self.analysis.headlines.budgets).to_dict("records")
        yield from transferred(self.analysis, self.dataset, self.encoder, self.where)
        yield from map(self._budget, budgets[:1])
        yield from self._leaders()
        yield from map(self._budget, budgets[1:][-1:])  # with the most labels
        yield from self._longer()
        yield from classics(self.analysis, self.dataset, self.encoder, self.where)
        for line in self.here(self.analysis.headlines.crossovers).to_dict("records"):
            yield from self._crossover(line)
        yield from self._wins()
        yield from self._unchosen()
        yield from lessons(self.analysis, self.dataset, self.encoder, self.where)

    def _budget(self, line: dict[Any, Any]) -> Finding:
        """What the choice is worth at one label fraction: in accuracy, and in labels."""
        fraction, lead = float(line["label_fraction"]), line["difference"]
        low, high = line["difference_low"], line["difference_high"]
        where, name = f"{self.where}{self._labels(fraction)}", self._picked(fraction)
        told, needs = compared(lead, low, high, "training from scratch on the same labels"), _needs(line)
        pays = " pretraining does not pay here:" if high < 0 else ","
        sentence = f"{where}{pays} {name} is {told}{', which ' if needs else ''}{needs}{_on(line)}."
        figure, low, high = (float(line[name]) for name in ("multiplier", "low", "high"))
        brief = f"{name.partition(' (')[0]} is {told} {self._labels(fraction).replace('With', 'with')}"
        return Finding("label multiplier", sentence, figure, low, high, self._subject(fraction), brief)

    def _picked(self, fraction: float) -> str:
        """`SimCLR with a linear probe (latent size 128)`, or what the seeds chose where they did not agree."""
        weights = self._weights(fraction)
        if len(weights) == 1:
            return self._name(*next(iter(weights)))
        part = self.choices[self.choices["label_fraction"] == fraction]
        shares: dict[str, float] = {}
        chosen_by: dict[str, set[tuple[int, ...]]] = {}
        for pretext, origin, size, weight, *seed in part[[*CANDIDATE, "weight", *REPLICATE]].itertuples(index=False):
            name = self._short(pretext, origin, size if len(weights) <= 3 else None)
            shares[name] = shares.get(name, 0.0) + weight
            chosen_by.setdefault(name, set()).add(tuple(seed))
        first = max(shares, key=lambda name: shares[name])
        seeds = counted(round(sum(shares.values())), "seed")
        ties = ", ties included" if shares[first] < len(chosen_by[first]) else ""
        often = (
            f"most often {first}, in {len(chosen_by[first])} of {seeds}{ties}"
            if shares[first] > 1
            else f"each of {seeds} another"
        )
        return f"what each seed's own labels chose ({often}; read by {title_of(self.primary)})"

    def _weights(self, fraction: float) -> dict[tuple[str, str, int], float]:
        """In how many seeds each pretext, source and latent size was chosen, the most often chosen first."""
        part = self.choices[self.choices["label_fraction"] == fraction]
        found: dict[tuple[str, str, int], float] = {}
        for pretext, origin, size, weight in zip(
            *(part[name].tolist() for name in (*CANDIDATE, "weight")), strict=True
        ):
            found[pretext, origin, size] = found.get((pretext, origin, size), 0.0) + weight
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def _source(self, origin: str) -> str | None:
        return origin if origin not in ("", self.dataset) else None

    def _name(self, pretext: str, origin: str, size: int) -> str:
        return row_title(pretext, self.primary, size, self._source(origin))

    def _short(self, pretext: str, origin: str, size: int | None) -> str:
        source = self._source(origin)
        return f"{title_of(pretext)}{f' from {source}' if source else ''}{f' d={size}' if size else ''}"

    def _subject(self, fraction: float) -> Subject:
        pretext, origin, size = next(iter(self._weights(fraction)))
        return Subject(self.dataset, self.encoder, size, self.primary, origin, pretext, fraction)

    def _leaders(self) -> Iterator[Finding]:
        """Which rows beat training from scratch with the fewest labels, whoever they are."""
        found = self.here(self.analysis.differences)
        found = found[(found["protocol"] == self.primary) & ~found["pretext"].isin(BASELINES)]
        found = found[(found["label_fraction"] == found["label_fraction"].min()) & (found["outcome"] != "untested")]
        if found.empty:
            return
        ahead = found[found["outcome"] == "win"].sort_values("difference", ascending=False, kind="stable")
        lines = ahead.to_dict("records")
        opening = f"{self.where}{self._labels(float(found['label_fraction'].iloc[0]))} and {title_of(self.primary)}, "
        encoders = counted(len(found), "pretrained encoder")
        if not lines:
            none = f"none of {encoders} is" if len(found) > 1 else "the one pretrained encoder is not"
            sentence = f"{opening}{none} above training from scratch ({WINS})"
            yield Finding("leaders", f"{sentence}{_on(found.iloc[0])}.", 0.0, math.nan, math.nan)
            return
        named = [
            f"{self._short(*(line[name] for name in CANDIDATE))} by "
            f"{points(line['difference'])} points {points_interval(*_simultaneous(line))}"
            for line in lines[:3]
        ]
        more = f" and {len(lines) - 3} more" if len(lines) > 3 else ""
        some = f"{len(lines)} of {encoders} {'is' if len(lines) == 1 else 'are'}"
        some = some if len(found) > 1 else "the one pretrained encoder is"
        who = ", ".join(named) + more if more else listed(named)
        test = f"({WINS}; intervals that hold together){self._beside(lines[0])}"
        sentence = f"{opening}{some} above training from scratch: {who} {test}"
        yield Finding("leaders", f"{sentence}{_on(lines[0])}.", float(lines[0]["difference"]), *_simultaneous(lines[0]))

    def _beside(self, line: dict[Any, Any]) -> str:
        """The label multiplier of a row that is named for its lead."""
        found = self.analysis.multipliers.merge(pd.DataFrame([line])[CELL], on=CELL).to_dict("records")
        needs = _needs(found[0]) if found else ""
        return f"; beside the first, training from scratch {needs}" if needs else ""

    def _curve(self) -> str:
        """What is meant by the choice over all label fractions."""
        picked = set(zip(*(self.choices[name].tolist() for name in CANDIDATE), strict=True))
        several = f"the choice of each seed's own labels (by {title_of(self.primary)})"
        return several if len(picked) > 1 else self._name(*picked.pop())

    def _crossover(self, line: dict[Any, Any]) -> Iterator[Finding]:
        if not line["outcome"]:
            return
        fraction, low, high = (float(line[name]) for name in ("label_fraction", "low", "high"))
        ends, name = fraction_interval(low, high), self._curve()
        between = f"between {rounded_percent(line['least'])} and {rounded_percent(line['most'])}"
        says = {
            OVERTAKEN: f"training from scratch overtakes {name} at {rounded_percent(fraction)} of the labels {ends}",
            OVERTAKEN_BETWEEN: f"training from scratch overtakes {name} {between} of the labels {ends}",
            NEVER_OVERTAKEN: f"training from scratch does not overtake {name} with all labels there are {ends}",
            NEVER_AHEAD: f"{name} is ahead of training from scratch at no label fraction",
            NO_SINGLE: f"{name} and training from scratch have no single crossover: {line['reason']}",
        }
        said = says[line["outcome"]]
        sentence = self.where + said[0].upper() + said[1:] + _on(line)
        yield Finding("crossover", f"{sentence}.", fraction, low, high)

    def _wins(self) -> Iterator[Finding]:
        counts = self.here(self.analysis.outcomes)
        counts = counts[counts["protocol"] == self.primary]
        last = counts.loc[counts["win"] > 0, "label_fraction"].max()
        none = "" if math.isnan(last) or last == 1 else f" (none with more than {percent(last)} of the labels)"
        for line in counts[counts["label_fraction"].isna()].to_dict("records"):
            tested = line["win"] + line["tie"] + line["loss"]
            if tested:
                grid = f"{counted(line['pretexts'], 'way')} to pretrain, {counted(line['latent_sizes'], 'latent size')}"
                rest = f"; {line['untested']} more have one seed and no test" if line["untested"] else ""
                sentence = (
                    f"{self.where}Of {tested} comparisons with training from scratch on the same labels by "
                    f"{title_of(self.primary)} ({grid}, every label fraction), pretraining wins {line['win']}{none}, "
                    f"loses {line['loss']} and is not told apart in {line['tie']} ({WINS}){rest}{_on(line)}."
                )
                yield Finding("wins", sentence, float(line["win"]), math.nan, math.nan)

    def _longer(self) -> Iterator[Finding]:
        """What training from scratch twice as long adds: whether the baseline was trained to its end."""
        rows = [row for row in self.analysis.layout.rows if (row.dataset, row.encoder) == (self.dataset, self.encoder)]
        scratch = {row.latent_dim: row for row in rows if row.pretext == CONTROL}
        for double in (row for row in rows if row.pretext == "supervised_double" and row.latent_dim in scratch):
            pair = {CONTROL: scratch[double.latent_dim], "double": double}
            at = sorted(set.intersection(*(set(row.fractions) for row in pair.values())))
            verdicts = {share: judge_rows(pair, [share])[share, "double"].difference for share in at}
            known = {share: gain for share, gain in verdicts.items() if gain is not None}
            if not known:
                continue
            parts = [
                f"{points(gain.mean, signed=True)} {points_interval(gain.low, gain.high)} at {percent(share)}"
                for share, gain in known.items()
            ]
            seeds = sorted({gain.n for gain in known.values()})
            on = f", on {span(seeds)} seeds" if seeds[0] < CLAIM_SEEDS else ""
            sentence = (
                f"{self.where}Training from scratch twice as long moves its accuracy by {listed(parts)} of the labels, "
                f"in points (latent size {double.latent_dim}){on}."
            )
            subject = double.subject(math.nan)
            largest = max(known.values(), key=lambda gain: gain.mean)
            yield Finding("convergence", sentence, largest.mean, largest.low, largest.high, subject)

    def _unchosen(self) -> Iterator[Finding]:
        """The budgets at which nothing could be chosen."""
        read = self.here(self.analysis.evaluations)
        read = read[(read["protocol"] == self.primary) & ~read["pretext"].isin(BASELINES)]
        without = sorted(set(read["label_fraction"]) - set(self.choices["label_fraction"]))
        if without and len(self.choices):
            at = listed([percent(fraction) for fraction in without])
            sentence = (
                f"{self.where}With {at} of the labels no score can be computed inside the budget, so nothing is chosen "
                "there."
            )
            yield Finding("choices", sentence, math.nan, math.nan, math.nan)


def _needs(line: dict[Any, Any]) -> str:
    """How many labels training from scratch needs to be as accurate; empty where no other number of labels was run."""
    least, most = times(line["least"]), times(line["most"])
    ends = times_interval(line["low"], line["high"])
    says = {
        REACHED: f"needs {times(line['multiplier'])} times as many {ends} to be as accurate",
        BETWEEN: f"needs between {least} and {most} times as many {ends} to be as accurate",
        BEYOND: f"is less accurate even with {least} times as many, all there are {ends}" if line["least"] > 1 else "",
        BELOW: f"is more accurate even with {most} times as many, the fewest that were run" if line["most"] < 1 else "",
    }
    return says.get(line["outcome"], "")


def _simultaneous(line: dict[Any, Any]) -> tuple[float, float]:
    return line["difference"] - line["reach"], line["difference"] + line["reach"]


def _on(line: Any) -> str:
    """How many seeds a claim rests on, where that is fewer than one would want."""
    return f", on {counted(int(line['n']), 'seed')}" if 1 < line["n"] < CLAIM_SEEDS else ""
