"""Runs as MLflow holds them, back to records, and published records back to runs."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from mlflow.entities import Run

from sslbench.contract.cells import EvaluateCell
from sslbench.contract.record import Record
from sslbench.contract.spec import READINGS

#: Names of metrics of a pretraining that become records.
DIAGNOSED = ("representation.", "projection.", "collapsed")
CHECKPOINT = "accuracy_after_"

#: Metrics of a pretraining that its evaluations repeat, so that a record needs one run alone.
COSTS = ("pretrain_epochs", "pretrain_steps", "pretrain_seconds", "pretrain_samples", "pretrain_flops", "parameters")

#: Those of them that are 0 where they are not known.
COUNTS = ("pretrain_steps", "pretrain_samples", "parameters")

#: Tag of an evaluation: how many classes its dataset has.
NUM_CLASSES = "num_classes"

#: How records spell the moment a run started, in UTC.
MOMENT = "%Y-%m-%dT%H:%M:%SZ"

#: Tag of a run that was not run here but taken from published records: the run that was.
PUBLISHED_RUN = "published_run"


def evaluation_records(run: Run) -> list[Record]:
    """What a finished evaluation says: its accuracy, and what its protocol measured inside the label budget."""
    rows = [_record(run, "test", run.data.metrics["accuracy"])]
    if "budget_accuracy" in run.data.metrics:
        rows.append(_record(run, "budget", run.data.metrics["budget_accuracy"]))
    return rows


def pretraining_records(run: Run) -> list[Record]:
    """What a finished pretraining says: label-free measures, and scores on the way."""
    measures = {name: value for name, value in run.data.metrics.items() if name.startswith(DIAGNOSED)}
    return [_diagnostic(run, name, value) for name, value in sorted(measures.items())] + _checkpoints(run)


def _diagnostic(run: Run, metric: str, value: float) -> Record:
    """A measure as a record of a protocol that sees no label."""
    tags = {
        **run.data.tags,
        "label_seed": run.data.tags["seed"],
        "label_fraction": "0",
        "protocol": "diagnostics",
        "stratified": "1",
    }
    metrics = {**run.data.metrics, "num_labels": 0.0, "evaluate_seconds": 0.0, "evaluate_flops": 0.0}
    return replace(_row(run, tags, metrics), metric=metric, value=value, split="unlabelled")


def checkpoint_metrics(cell: EvaluateCell, epochs: float, scored: Mapping[str, float]) -> dict[str, float]:
    """A score of an encoder in training, as metrics of its pretraining's run.

    Their names are paths, `accuracy_after_2_epochs/test/0/digits`: metric, what it says, label seed, and the dataset
    as `checkpoint_tags` spells it.

    Args:
        scored: `test` accuracy in [0, 1] and `budget`'s, unless there is none, number of `labels`, `seconds` and
            `flops` of scoring.
    """
    found = {**scored, "fraction": cell.label_fraction}
    name = f"{CHECKPOINT}{epochs:g}_epochs"
    return {f"{name}/{what}/{cell.label_seed}/{_spelt(cell.dataset)}": value for what, value in found.items()}


def checkpoint_tags(cells: Iterable[EvaluateCell]) -> dict[str, str]:
    """Which datasets the metrics of `checkpoint_metrics` mean, for a metric's name may not hold every character, and
    how their labels were drawn."""
    return _scored_tags((cell.dataset, cell.stratified) for cell in cells)


def _scored_tags(scored: Iterable[tuple[str, int]]) -> dict[str, str]:
    drawn = dict(scored)
    spelt = {_spelt(dataset): dataset for dataset in drawn}
    tags = {"checkpoint_datasets": json.dumps(spelt)} if spelt else {}
    return tags if all(drawn.values()) else {**tags, "stratified": "0"}


def evaluation_metrics(rows: Sequence[Record]) -> dict[str, float]:
    """What the run of a finished evaluation held, from its records: the inverse of `evaluation_records`."""
    names = {"test": "accuracy", "budget": "budget_accuracy"}
    known = ("evaluate_seconds", "evaluate_flops", "num_labels", *COSTS)
    return _numbers(rows[0], known) | {names[row.split]: row.value for row in rows}


def pretraining_metrics(rows: Sequence[Record], evaluation: Record) -> tuple[dict[str, float], dict[str, str]]:
    """What the run of a finished pretraining held, and its tags: the inverse of `pretraining_records`.

    Args:
        rows: none of a baseline about which nothing was measured.
        evaluation: any evaluation of it, for what it cost.
    """
    scores = [row for row in rows if row.metric.startswith(CHECKPOINT)]
    metrics = _numbers(evaluation, COSTS)
    metrics |= {row.metric: row.value for row in rows if not row.metric.startswith(CHECKPOINT)}
    for row in scores:
        said = {row.split: row.value, "fraction": row.label_fraction, "labels": float(row.num_labels)}
        said |= {"seconds": row.evaluate_seconds, "flops": row.evaluate_flops}
        where = f"{row.label_seed}/{_spelt(row.dataset)}"
        metrics |= {f"{row.metric}/{what}/{where}": value for what, value in said.items()}
    return metrics, _scored_tags((row.dataset, row.stratified) for row in scores)


def provenance(row: Record) -> dict[str, str]:
    """Tags that say where a published record comes from, in place of those of this machine."""
    own = {"git_commit": row.git_commit, "sslbench_version": row.sslbench_version, "device": row.device}
    return {**own, "modality": row.modality, PUBLISHED_RUN: row.run_id}


def costs_metrics(costs: Mapping[str, float]) -> dict[str, float]:
    """What a pretraining and its evaluation cost, as metrics; where there was no epoch, the zeros that follow from that
    are left out, and where nobody counted them, a count of zero."""
    counted = "pretrain_epochs" in costs
    untold = ("evaluate_flops", *COSTS[1:]) if costs.get("pretrain_epochs") == 0 else () if counted else COUNTS
    return {name: value for name, value in costs.items() if value or name not in untold}


def _numbers(row: Record, names: Sequence[str]) -> dict[str, float]:
    """Columns of a record as metrics; what was not measured is left out."""
    found = {name: float(getattr(row, name)) for name in names}
    known = {name: value for name, value in found.items() if value == value}
    return costs_metrics(known)


def _spelt(dataset: str) -> str:
    return re.sub(r"[^\w.:-]", "_", dataset, flags=re.ASCII)


def _checkpoints(run: Run) -> list[Record]:
    """The scores on the way that `checkpoint_metrics` wrote, as records of `knn` on both splits."""
    found: dict[tuple[str, str, str], dict[str, float]] = {}
    for name, value in sorted(run.data.metrics.items()):
        if name.startswith(CHECKPOINT):
            metric, what, label_seed, spelt = name.split("/")
            found.setdefault((metric, label_seed, spelt), {})[what] = value
    rows = []
    datasets = json.loads(run.data.tags.get("checkpoint_datasets", "{}"))
    for (metric, label_seed, spelt), said in found.items():
        tags = {**run.data.tags, "dataset": datasets[spelt], "label_seed": label_seed, "protocol": "knn"}
        tags |= {"label_fraction": repr(said["fraction"]), "protocol_version": tags.get("checkpoint_version", "1")}
        metrics = {**run.data.metrics, "num_labels": said["labels"]}
        metrics |= {"evaluate_seconds": said["seconds"], "evaluate_flops": said["flops"]}
        row = replace(_row(run, tags, metrics), metric=metric)
        rows += [replace(row, value=said[split], split=split) for split in ("test", "budget") if split in said]
    return rows


def _record(run: Run, split: str, value: float) -> Record:
    return replace(_row(run, run.data.tags, run.data.metrics), value=value, split=split)


def _row(run: Run, tags: Mapping[str, str], metrics: Mapping[str, float]) -> Record:
    """What all records of a run share; value and split are filled in by the caller.

    Runs of before readings, versions and labels per class were recorded are what `spec` says cells were then.
    """
    unsaid = 0.0 if metrics.get("pretrain_epochs") == 0 else float("nan")
    return Record(
        suite=tags["suite"],
        cell_id=tags["cell_id"],
        run_id=run.info.run_id,
        dataset=tags["dataset"],
        pretrain_dataset=tags["pretrain_dataset"],
        modality=tags["modality"],
        encoder=tags["encoder"],
        pretext=tags["pretext"],
        latent_dim=int(tags["latent_dim"]),
        seed=int(tags["seed"]),
        label_seed=int(tags["label_seed"]),
        label_fraction=float(tags["label_fraction"]),
        num_labels=int(metrics["num_labels"]),
        labels_per_class=int(tags.get("labels_per_class", 0)),
        num_classes=int(tags.get(NUM_CLASSES, metrics.get(NUM_CLASSES, 0))),  # a metric of runs of before
        protocol=tags["protocol"],
        reading=tags.get("reading", READINGS[0]),
        metric="accuracy",
        value=float("nan"),
        split="",
        pretrain_epochs=metrics.get("pretrain_epochs", float("nan")),
        pretrain_steps=int(metrics.get("pretrain_steps", 0)),
        pretrain_seconds=metrics.get("pretrain_seconds", unsaid),
        pretrain_samples=int(metrics.get("pretrain_samples", 0)),
        pretrain_flops=metrics.get("pretrain_flops", unsaid),
        evaluate_seconds=metrics["evaluate_seconds"],
        evaluate_flops=metrics.get("evaluate_flops", unsaid),
        parameters=int(metrics.get("parameters", 0)),
        dataset_version=int(tags.get("dataset_version", 1)),
        encoder_version=int(tags.get("encoder_version", 1)),
        pretext_version=int(tags.get("pretext_version", 1)),
        protocol_version=int(tags.get("protocol_version", 1)),
        config_hash=tags["config_hash"],
        git_commit=tags["git_commit"],
        sslbench_version=tags["sslbench_version"],
        device=tags["device"],
        started_at=time.strftime(MOMENT, time.gmtime(run.info.start_time / 1000)),
        stratified=int(tags.get("stratified", 1)),
    )
