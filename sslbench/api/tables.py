"""Records as a person goes on with them: one line per evaluation, or beside a published table."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sslbench.contract.errors import InputError
from sslbench.contract.files import is_file, is_folder
from sslbench.publishing.folders import RECORDS_FILE, published_among
from sslbench.report.attachments import Attachments
from sslbench.report.records import conform, read_records
from sslbench.report.scores import evaluations, lay_out
from sslbench.report.scores.replicates import Replicate
from sslbench.report.statistics import Analysis
from sslbench.report.statistics.spread import estimate, holm, paired_difference, paired_p_value
from sslbench.report.words.findings import findings as sentences
from sslbench.stores.addresses import locate

#: What an evaluation is named by, and its repetition.
AXES = (
    *("dataset", "pretrain_dataset", "modality", "encoder", "pretext", "latent_dim", "seed", "label_seed"),
    *("label_fraction", "num_labels", "labels_per_class", "num_classes", "protocol", "reading", "stratified"),
)
COSTS = (
    *("pretrain_epochs", "pretrain_steps", "pretrain_seconds", "pretrain_samples", "pretrain_flops"),
    *("evaluate_seconds", "evaluate_flops", "parameters"),
)
ORIGIN = ("suite", "cell_id", "run_id", "config_hash", "git_commit", "sslbench_version", "device", "started_at")

#: What names an encoder, whose label-free measures its evaluations repeat.
_ENCODER = ["trained_on", "encoder", "pretext", "latent_dim", "seed"]

COMPARED = (
    *("dataset", "label_fraction", "num_labels", "own", "own_protocol", "pretext", "encoder", "latent_dim", "protocol"),
    *("own_accuracy", "accuracy", "difference", "low", "high", "p_value", "p_holm", "n"),
)


def records(source: str | Path, *, long: bool = False, home: str | Path | None = None) -> pd.DataFrame:
    """The records of a suite.

    Args:
        source: a suite's name, or a folder of results, or a `records.csv`.
        long: the file as it is, one line per number (columns as in the public schema). Where published tables have a
            `budget` line of `finetune` or `majority_class`, it is the accuracy on what these learned from.
        home: folder of stores whose tables are meant by a name, e.g. `.sslbench`; None for published ones.

    Returns:
        One line per evaluation: its axes, `accuracy` and `budget_accuracy` in [0, 1] (NaN where there is none), the
        encoder's measures without labels (`rankme`, …, NaN where none were taken), costs in seconds and operations,
        and where it comes from.

    Raises:
        InputError: there are no such records, or they are damaged.
    """
    found = read_records(records_file(source, home))
    return found if long else wide(found)


def findings(source: str | Path, *, home: str | Path | None = None) -> list[str]:
    """What the records of a suite say, in the sentences its page opens with: how many labels pretraining saved.

    Args:
        source: a suite's name, or a folder of results, or a `records.csv`.
        home: folder of stores whose tables are meant by a name, e.g. `.sslbench`; None for published ones.

    Returns:
        Sentences, each with its figure and 95% interval, the most important first; of several datasets one after
        another. Empty where there is nothing to compare, e.g. no training from scratch.

    Raises:
        InputError: there are no such records, or what lies beside them is damaged.
    """
    file = records_file(source, home)
    beside = Attachments().completed(file.parent)
    layout = lay_out(read_records(file), beside.gaps, beside.primary or "", beside.versions, beside.answers)
    return [found.sentence for found in sentences(Analysis(layout, beside.tuned or ()))]


def records_file(source: str | Path, home: str | Path | None = None) -> Path:
    """The file that `records` reads."""
    path = Path(source)
    if is_file(path):
        return path
    if is_folder(path):
        return path / RECORDS_FILE
    name = str(source)
    folder = published_among(name, None) if home is None else locate(Path(home)).results
    if not is_file(folder / name / RECORDS_FILE):
        known = ", ".join(sorted(one.parent.name for one in folder.glob(f"*/{RECORDS_FILE}"))) or "(none)"
        own = " (of runs of your own: home='.sslbench', or where they are)" if home is None else ""
        raise InputError(f"no records of {name!r}: it is neither folder nor file, and in {folder} are {known}{own}")
    return folder / name / RECORDS_FILE


def wide(found: pd.DataFrame) -> pd.DataFrame:
    """Records in the public schema as one line per evaluation."""
    accuracies = found[found["metric"] == "accuracy"].set_index("cell_id")
    scores = accuracies[accuracies["split"] == "test"]
    budget = accuracies.loc[accuracies["split"] == "budget", "value"].rename("budget_accuracy")
    lines = scores.rename(columns={"value": "accuracy"}).join(budget).reset_index()
    measures = found[found["metric"].str.startswith("representation.")]
    named = measures.assign(
        metric=measures["metric"].str.removeprefix("representation."), trained_on=_trained_on(measures)
    )
    table = named.pivot_table(index=_ENCODER, columns="metric", values="value")
    joined = lines.assign(trained_on=_trained_on(lines)).join(table, on=_ENCODER)
    return joined[[*AXES, "accuracy", "budget_accuracy", *table.columns, *COSTS, *ORIGIN]]


def _trained_on(frame: pd.DataFrame) -> pd.Series[str]:
    """The dataset an encoder was trained on; of baselines, which see none, the evaluated one."""
    return frame["pretrain_dataset"].where(frame["pretrain_dataset"] != "", frame["dataset"])


def compare_with_published(frame: pd.DataFrame, published: str | Path, *, protocol: str | None = None) -> pd.DataFrame:
    """Put scores of one's own beside those of a published table, on the same labels.

    Every row of one's own is paired with every published one of the same dataset and label fraction over the seeds of
    labels that both have. What one encoder of one's own is worth is told apart so, not what training it again would
    give.

    Args:
        frame: records, as `evaluate` returns them.
        published: a suite's name, or a folder of results, or a `records.csv`.
        protocol: only published rows by this one, as tables call it, e.g. `linear_probe, map`; None for all.

    Returns:
        A line per pair, the best published first at every label fraction: mean accuracies in [0, 1], `difference` (own
        minus published) with its 95% interval and the paired t-test's `p_value`, `p_holm` corrected over all lines,
        and `n`, how many labelled subsets they share. Interval and test are NaN for one.

    Raises:
        InputError: there is no such table, or it has no labelled subset in common with `frame`.
    """
    own, theirs = _rows(conform(frame, "the records to compare")), _rows(read_records(records_file(published)))
    lines = []
    for mine, scores in own.items():
        for other, beside in theirs.items():
            alike = (mine.dataset, mine.stratified) == (other.dataset, other.stratified)
            alike = alike and math.isclose(mine.label_fraction, other.label_fraction)
            found = paired_difference(scores, beside) if alike and protocol in (None, other.protocol) else None
            if found is None:
                continue
            shared = scores.keys() & beside.keys()
            means = [estimate(one[seed] for seed in shared).mean for one in (scores, beside)]
            p_value = paired_p_value(found) if found.n > 1 else math.nan
            names = mine.dataset, mine.label_fraction, other.num_labels, mine.pretext, mine.protocol
            theirs_is = other.pretext, other.encoder, other.latent_dim, other.protocol
            lines.append((*names, *theirs_is, *means, found.mean, found.low, found.high, p_value, math.nan, found.n))
    if not lines:
        raise InputError(f"{published}: no row of the same dataset, label fraction and labelled subset")
    table = pd.DataFrame(lines, columns=list(COMPARED))
    table["p_holm"] = holm(table["p_value"].tolist())
    order = ["dataset", "own", "own_protocol", "label_fraction", "accuracy"]
    return table.sort_values(order, ascending=[True] * 4 + [False], ignore_index=True)


class _Row(NamedTuple):
    """What names a row of a table at one label fraction; `protocol` as tables call it."""

    dataset: str
    label_fraction: float
    pretext: str
    encoder: str
    latent_dim: int
    protocol: str
    num_labels: int
    stratified: int


def _rows(found: pd.DataFrame) -> dict[_Row, dict[Replicate, float]]:
    """Accuracy by labelled subset, as the replicate of that number; where several trainings share one, their mean."""
    scores: dict[_Row, dict[int, list[float]]] = {}
    scored = evaluations(found)
    columns = [scored[name].tolist() for name in (*_Row._fields, "label_seed", "test")]
    for *names, label_seed, test in zip(*columns, strict=True):
        scores.setdefault(_Row(*names), {}).setdefault(label_seed, []).append(test)
    return {
        row: {Replicate(seed, seed): estimate(tests).mean for seed, tests in by_seed.items()}
        for row, by_seed in scores.items()
    }
