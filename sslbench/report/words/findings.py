"""The sentences a person reads first: what pretraining saved, each with its figure and interval.

A sentence never speaks of the row that did best on the test split but of the one that `choices` picked inside the label
budget: the best of many noisy rows looks better than it is. One row, chosen beforehand, compared once, also
needs no correction for multiplicity, so sentences use the plain 95% interval; counts of wins are corrected.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from sslbench.report.scores.evaluations import CELL, ROW_KEY
from sslbench.report.scores.rows import Subject
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.statistics.label_efficiency import (
    BELOW,
    BEYOND,
    NEVER_AHEAD,
    NEVER_OVERTAKEN,
    NO_SINGLE,
    OVERTAKEN,
)
from sslbench.report.statistics.selection import FINETUNED, FROZEN
from sslbench.report.words.lessons import lessons
from sslbench.report.words.numbers import (
    fraction_interval,
    percent,
    points,
    points_interval,
    rounded_percent,
    times,
    times_interval,
)
from sslbench.report.words.reading import WINS
from sslbench.report.words.sentence import Finding
from sslbench.report.words.wording import row_title, with_labels


def findings(analysis: Analysis) -> tuple[Finding, ...]:
    """Sentences in the order they should be read; places (dataset, encoder) one after another."""
    places = analysis.evaluations.loc[analysis.evaluations["encoder"] != "raw", ["dataset", "encoder"]]
    found = sorted({(str(dataset), str(encoder)) for dataset, encoder in places.itertuples(index=False)})
    sentences: list[Finding] = []
    for dataset, encoder in found:
        where = f"On {dataset} ({encoder}): " if len(found) > 1 else ""
        sentences += _of_place(analysis, dataset, encoder, where)
    return tuple(sentences)


def _of_place(analysis: Analysis, dataset: str, encoder: str, where: str) -> Iterator[Finding]:
    here = analysis.choices
    here = here[(here["dataset"] == dataset) & (here["encoder"] == encoder)]
    fewest = here["label_fraction"].min()
    for kind in (FROZEN, FINETUNED):
        for subject in _subjects(here[(here["kind"] == kind) & (here["label_fraction"] == fewest)]):
            yield from _multiplier(analysis, subject, where)
    for kind in (FROZEN, FINETUNED):
        for subject in _subjects(here[(here["kind"] == kind) & here["label_fraction"].isna()]):
            yield from _area(analysis, subject, where)
            yield from _crossover(analysis, subject, where)
    yield from _wins(analysis, dataset, encoder, where)
    yield from lessons(analysis, dataset, encoder, where)


def _subjects(chosen: pd.DataFrame) -> list[Subject]:
    return [Subject(*line) for line in zip(*(chosen[name].tolist() for name in Subject._fields), strict=True)]


def _line(frame: pd.DataFrame, subject: Subject, names: Sequence[str] = CELL) -> Any:
    """The subject's line of a frame; None if there is none."""
    values = subject._asdict()
    for name in names:
        frame = frame[frame[name] == values[name]]
    return None if frame.empty else frame.iloc[0]


def _name(subject: Subject) -> str:
    source = subject.pretrain_dataset if subject.pretrain_dataset not in ("", subject.dataset) else None
    return row_title(subject.pretext, subject.protocol, subject.latent_dim, source)


def _multiplier(analysis: Analysis, subject: Subject, where: str) -> Iterator[Finding]:
    multiple, same_labels = _line(analysis.multipliers, subject), _line(analysis.differences, subject)
    if multiple is None or same_labels is None:
        return
    opening = where + with_labels(subject.label_fraction)
    if same_labels["low"] > 0 and not multiple["low"] < 1:
        sentence = f"{opening}, {_name(subject)} {_ahead(multiple, same_labels)}"
    elif same_labels["high"] < 0 and not multiple["high"] > 1:
        sentence = f"{opening} pretraining does not pay here: {_name(subject)} is {_behind(multiple, same_labels)}"
    else:
        sentence = f"{opening}, {_name(subject)} {_level(multiple, same_labels)}"
    figure, low, high = (float(multiple[name]) for name in ("multiplier", "low", "high"))
    yield Finding("label multiplier", f"{sentence}.", figure, low, high, subject)


def _ahead(multiple: Any, same_labels: Any) -> str:
    saved = times_interval(multiple["low"], multiple["high"])
    if multiple["outcome"] == BEYOND:
        lead = f"{points(same_labels['difference'])} points {_range(same_labels)}"
        more = f"and ahead of it on {times(multiple['bound'])} times as many: more than the data holds {saved}"
        return f"is {lead} ahead of training from scratch on the same labels, {more}"
    return f"matches training from scratch on {times(multiple['multiplier'])} times as many {saved}"


def _behind(multiple: Any, same_labels: Any) -> str:
    lag = points_interval(-same_labels["high"], -same_labels["low"])
    distance = f"{points(-same_labels['difference'])} points {lag} below training from scratch on the same labels"
    if multiple["outcome"] == BELOW:
        bound = "" if multiple["bound"] == 1 else f", and below it on {times(multiple['bound'])} times as many"
        return distance + bound
    needed = times_interval(multiple["low"], multiple["high"])
    return f"{distance}, which needs {times(multiple['multiplier'])} times as many {needed} to be as accurate"


def _level(multiple: Any, same_labels: Any) -> str:
    distance = f"{points(same_labels['difference'])} points {_range(same_labels)}"
    told = "is not told apart from training from scratch on the same labels"
    if math.isnan(same_labels["low"]):
        side = "below" if same_labels["difference"] < 0 else "above"
        far = points(abs(same_labels["difference"]))
        return f"is {far} points {side} training from scratch on the same labels {_range(same_labels)}"
    worth = times_interval(multiple["low"], multiple["high"])
    if multiple["outcome"] == BEYOND:
        return (
            f"{told} ({distance}); no number of labels the data holds makes training from scratch as accurate {worth}"
        )
    if multiple["outcome"] == BELOW:
        return f"{told} ({distance})"
    return f"{told} ({distance}); it is worth {times(multiple['multiplier'])} times as many {worth}"


def _area(analysis: Analysis, subject: Subject, where: str) -> Iterator[Finding]:
    line = _line(analysis.areas, subject, ROW_KEY)
    if line is None or math.isnan(line["difference"]):
        return
    lead, low, high = (float(line[name]) for name in ("difference", "difference_low", "difference_high"))
    if lead < 0:
        distance = f"{points(-lead)} points {points_interval(-high, -low)} below training from scratch"
    else:
        distance = f"{points(lead)} points {points_interval(low, high)} above training from scratch"
    tie = ", which is a tie" if low <= 0 <= high else ""
    span = f"{percent(line['first_fraction'])} to {percent(line['last_fraction'])} of the labels"
    sentence = f"{where}Over {span}, {_name(subject)} averages {points(line['area'])}%, {distance}{tie}."
    yield Finding("area", sentence, lead, low, high, subject)


def _crossover(analysis: Analysis, subject: Subject, where: str) -> Iterator[Finding]:
    line = _line(analysis.crossovers, subject, ROW_KEY)
    if line is None or not line["outcome"]:
        return
    fraction, low, high = (float(line[name]) for name in ("label_fraction", "low", "high"))
    at, ends = rounded_percent(fraction), fraction_interval(low, high)
    says = {
        OVERTAKEN: f"Training from scratch overtakes {_name(subject)} at {at} of the labels {ends}.",
        NEVER_OVERTAKEN: f"Training from scratch does not overtake {_name(subject)} with all labels there are {ends}.",
        NEVER_AHEAD: f"{_name(subject)} is ahead of training from scratch at no label fraction.",
        NO_SINGLE: f"{_name(subject)} and training from scratch have no single crossover: {line['reason']}.",
    }
    says_now = says[line["outcome"]]
    sentence = where + says_now if where else says_now[0].upper() + says_now[1:]
    yield Finding("crossover", sentence, fraction, low, high, subject)


def _wins(analysis: Analysis, dataset: str, encoder: str, where: str) -> Iterator[Finding]:
    counts = analysis.outcomes
    counts = counts[(counts["dataset"] == dataset) & (counts["encoder"] == encoder) & counts["label_fraction"].isna()]
    for line in counts.itertuples(index=False):
        win, tie, loss, untested = (int(str(count)) for count in line[-4:])
        tested = win + tie + loss
        if tested:
            rest = f"; {untested} more have one seed and no test" if untested else ""
            sentence = (
                f"{where}Of {tested} comparisons with training from scratch on the same labels, pretraining wins "
                f"{win}, ties {tie} and loses {loss} ({WINS}){rest}."
            )
            yield Finding("wins", sentence, float(win), math.nan, math.nan)


def _range(same_labels: Any) -> str:
    return points_interval(same_labels["low"], same_labels["high"])
