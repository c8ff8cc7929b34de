"""The sentences a person reads first: what pretraining saved, each with its figure and interval.

A headline never speaks of the row that did best on the test split: the best of many noisy rows looks better than it is.
It speaks of what every seed's own labels chose, by the primary protocol, so it is one comparison and its 95% interval
needs no correction. Sentences that name rows by their test accuracy, or count them, use the family of a whole table.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from sslbench.contract.spec import BASELINES
from sslbench.contract.titles import title_of
from sslbench.report.scores.evaluations import CELL, REPLICATE
from sslbench.report.scores.rows import Subject
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.statistics.contest import CONTROL, difference
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
from sslbench.report.words.lessons import lessons
from sslbench.report.words.numbers import (
    counted,
    fraction_interval,
    listed,
    percent,
    points,
    points_interval,
    rounded_percent,
    times,
    times_interval,
)
from sslbench.report.words.reading import WINS
from sslbench.report.words.sentence import Finding, Place, on_seeds
from sslbench.report.words.wording import compared, row_title, with_labels

#: The protocol that trains the encoder further: it may pay where a frozen one does not.
FINETUNED = "finetune"

#: Baselines that are `supervised` with more steps: the topic of what they add, and how they are trained.
LONGER = {
    "supervised_double": ("convergence", "twice as long"),
    "supervised_compute": ("compute", "with the compute of pretraining on top"),
}


def findings(analysis: Analysis) -> tuple[Finding, ...]:
    """Sentences in the order they should be read; places (dataset, encoder) one after another."""
    places = analysis.evaluations.loc[analysis.evaluations["encoder"] != "raw", ["dataset", "encoder"]]
    found = sorted({(str(dataset), str(encoder)) for dataset, encoder in places.itertuples(index=False)})
    return tuple(
        replace(one, sentence=f"On {dataset} ({encoder}): {one.sentence}") if len(found) > 1 else one
        for dataset, encoder in found
        for one in _Sentences(analysis, dataset, encoder).all()
    )


class _Sentences(Place):
    """The sentences of one dataset and encoder."""

    @property
    def choices(self) -> pd.DataFrame:
        return self.here(self.analysis.choices)

    def _chosen(self, fraction: float) -> pd.DataFrame:
        return self.choices[self.choices["label_fraction"] == fraction]

    def _labels(self, fraction: float) -> str:
        found = self.here(self.analysis.evaluations)
        return with_labels(fraction, int(found.loc[found["label_fraction"] == fraction, "num_labels"].max()))

    def all(self) -> Iterator[Finding]:
        budgets = self.here(self.analysis.headlines.budgets).to_dict("records")
        yield from self._transferred()
        yield from map(self._budget, budgets[:1])
        yield from self._leaders("leaders", self.primary, fewest=True)
        yield from map(self._budget, budgets[1:][-1:])  # with the most labels
        if self.primary != FINETUNED:
            yield from self._leaders("fine-tuned", FINETUNED, fewest=False)
        yield from self._longer()
        yield from classics(self)
        for line in self.here(self.analysis.headlines.crossovers).to_dict("records"):
            yield from self._crossover(line)
        yield from self._wins()
        yield from self._unchosen()
        yield from lessons(self)

    def _transferred(self) -> Iterator[Finding]:
        """Whether pretraining on another dataset carries over: yes, no or not shown, with both figures."""
        for line in self.here(self.analysis.transfers).dropna(subset="scratch").to_dict("records"):
            lead, low, high = (float(line[f"scratch{end}"]) for end in ("", "_low", "_high"))
            origin, fraction = line["pretrain_dataset"], line["label_fraction"]
            answer = "Yes" if low > 0 else "No" if high < 0 else "Not shown"
            budget = with_labels(fraction, line["num_labels"]).replace("With", "with")
            told = compared(lead, low, high, "training from scratch")
            others = f"what they chose of those pretrained on {self.dataset}"
            own = compared(line["own"], line["own_low"], line["own_high"], others)
            beside = "" if math.isnan(line["own"]) else f"; it is {own} itself"
            sentence = (
                f"Does pretraining on {origin} help? {answer}: {budget}, what each seed's own labels chose of encoders "
                f"pretrained on {origin}, read by {title_of(line['protocol'])}, is {told}{beside}{on_seeds(line['n'])}."
            )
            subject = Subject(self.dataset, self.encoder, line["latent_dim"], line["protocol"], origin, "", fraction)
            brief = f"from {origin}: {answer.lower()}, {told} {budget}"
            yield Finding("transfer", sentence, lead, low, high, subject, brief)

    def _budget(self, line: dict[Any, Any]) -> Finding:
        """What the choice is worth at one label fraction: in accuracy, and in labels."""
        fraction, lead = float(line["label_fraction"]), line["difference"]
        low, high = line["difference_low"], line["difference_high"]
        budget, name = self._labels(fraction), self._picked(fraction)
        told, needs = compared(lead, low, high, "training from scratch on the same labels"), _needs(line)
        what = "pretraining" if self.primary == FINETUNED else "a frozen encoder"
        pays = f" {what} does not pay here:" if high < 0 else ","
        needs = f", which {needs}{_fewer(line['n'], line['difference_n'])}" if needs else ""
        sentence = f"{budget}{pays} {name} is {told}{needs}{on_seeds(line['difference_n'])}."
        figure, low, high = (float(line[name]) for name in ("multiplier", "low", "high"))
        brief = f"{name.partition(' (')[0]} is {told} {budget.replace('With', 'with')}"
        return Finding("label multiplier", sentence, figure, low, high, self._subject(fraction), brief)

    def _picked(self, fraction: float) -> str:
        """`SimCLR with a linear probe (latent size 128)`, or what the seeds chose where they did not agree."""
        part = self._chosen(fraction)
        candidates = part[CANDIDATE].drop_duplicates().to_numpy().tolist()
        if len(candidates) == 1:
            return self._name(*candidates[0])
        shown = CANDIDATE if len(candidates) <= 3 else CANDIDATE[:2]  # of many the latent sizes are left out
        names = [self._short(*line) for line in part[shown].itertuples(index=False)]
        named = part.assign(name=names)
        shares = named.groupby("name")["weight"].transform("sum")
        place = int(shares.argmax())
        first, share = names[place], shares.iloc[place]
        times_first = len(named.loc[named["name"] == first, REPLICATE].drop_duplicates())
        seeds = counted(round(part["weight"].sum()), "seed")
        ties = ", ties included" if share < times_first else ""
        most = f"most often {first}, in {times_first} of {seeds}{ties}"
        often = most if share > 1 else f"each of {seeds} another"
        return f"what each seed's own labels chose ({often}; read by {title_of(self.primary)})"

    def _source(self, origin: str) -> str | None:
        return origin if origin not in ("", self.dataset) else None

    def _name(self, pretext: str, origin: str, size: int) -> str:
        return row_title(pretext, self.primary, size, self._source(origin))

    def _short(self, pretext: str, origin: str, size: int | None = None) -> str:
        source = self._source(origin)
        return f"{title_of(pretext)}{f' from {source}' if source else ''}{f' d={size}' if size else ''}"

    def _subject(self, fraction: float) -> Subject:
        part = self._chosen(fraction)
        first = part.iloc[int(part.groupby(CANDIDATE)["weight"].transform("sum").argmax())]
        pretext, origin, size = first[CANDIDATE]
        return Subject(self.dataset, self.encoder, size, self.primary, origin, pretext, fraction)

    def _leaders(self, topic: str, protocol: str, fewest: bool) -> Iterator[Finding]:
        """Which rows beat training from scratch by a protocol with the fewest or the most labels, whoever they are."""
        found = self.here(self.analysis.differences)
        found = found[(found["protocol"] == protocol) & ~found["pretext"].isin(BASELINES)]
        fraction = found["label_fraction"].min() if fewest else found["label_fraction"].max()
        found = found[(found["label_fraction"] == fraction) & (found["outcome"] != "untested")]
        if found.empty:
            return
        ahead = found[found["outcome"] == "win"].sort_values("difference", ascending=False, kind="stable")
        lines = ahead.to_dict("records")
        opening = f"{self._labels(float(fraction))} and {title_of(protocol)}, "
        encoders = counted(len(found), "pretrained encoder")
        if not lines:
            none = f"none of {encoders} is" if len(found) > 1 else "the one pretrained encoder is not"
            sentence = f"{opening}{none} above training from scratch ({WINS}){on_seeds(*found['n'])}."
            yield Finding(topic, sentence, 0.0, math.nan, math.nan)
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
        yield Finding(
            topic, f"{sentence}{on_seeds(*ahead['n'])}.", float(lines[0]["difference"]), *_simultaneous(lines[0])
        )

    def _beside(self, line: dict[Any, Any]) -> str:
        """The label multiplier of a row that is named for its lead."""
        found = self.analysis.multipliers.merge(pd.DataFrame([line])[CELL], on=CELL).to_dict("records")
        needs = _needs(found[0]) if found else ""
        return f"; beside the first, training from scratch {needs}{_fewer(found[0]['n'], line['n'])}" if needs else ""

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
        sentence = said[0].upper() + said[1:] + on_seeds(line["n"])
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
                    f"Of {tested} comparisons with training from scratch on the same labels by "
                    f"{title_of(self.primary)} ({grid}, every label fraction), pretraining wins {line['win']}{none}, "
                    f"loses {line['loss']} and is not told apart in {line['tie']} ({WINS}){rest}{on_seeds(line['n'])}."
                )
                yield Finding("wins", sentence, float(line["win"]), math.nan, math.nan)

    def _longer(self) -> Iterator[Finding]:
        """What more steps add to training from scratch: was it trained to its end, and is it compute that it lacks?"""
        rows = [row for row in self.analysis.layout.rows if (row.dataset, row.encoder) == (self.dataset, self.encoder)]
        scratch = {row.latent_dim: row for row in rows if row.pretext == CONTROL}
        for longer in (row for row in rows if row.pretext in LONGER and row.latent_dim in scratch):
            once, (topic, what) = scratch[longer.latent_dim], LONGER[longer.pretext]
            shared = sorted(set(once.fractions) & set(longer.fractions))
            gains = {at: gain for at in shared if (gain := difference(longer, once, at)).n}
            if not gains:
                continue
            parts = [
                f"{points(gain.mean, signed=True)} {points_interval(gain.low, gain.high)} at {percent(at)}"
                for at, gain in gains.items()
            ]
            on = on_seeds(*(gain.n for gain in gains.values()))
            sentence = (
                f"Training from scratch {what} moves its accuracy by {listed(parts)} of the labels, in points "
                f"(latent size {longer.latent_dim}){on}."
            )
            largest = max(gains.values(), key=lambda gain: gain.mean)
            subject = longer.subject(math.nan)
            yield Finding(topic, sentence, largest.mean, largest.low, largest.high, subject)

    def _unchosen(self) -> Iterator[Finding]:
        """The budgets at which nothing could be chosen."""
        read = self.here(self.analysis.evaluations)
        read = read[(read["protocol"] == self.primary) & ~read["pretext"].isin(BASELINES)]
        without = sorted(set(read["label_fraction"]) - set(self.choices["label_fraction"]))
        if without and len(self.choices):
            at = listed([percent(fraction) for fraction in without])
            sentence = (
                f"With {at} of the labels no score can be computed inside the budget, so nothing is chosen there."
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


def _fewer(number: float, among: float) -> str:
    """How many seeds a figure rests on, where it is fewer than the rest of its sentence does."""
    return f" (on {number:.0f} of these seeds)" if number < among else ""


def _simultaneous(line: dict[Any, Any]) -> tuple[float, float]:
    return line["difference"] - line["reach"], line["difference"] + line["reach"]
