"""Score an encoder of one's own as published ones are scored."""

from __future__ import annotations

import dataclasses
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from sslbench import __version__
from sslbench.api.asked import Asked, ask, own_evaluation
from sslbench.api.models import keep_model
from sslbench.api.own import Function, as_it_was
from sslbench.contract.cells import EvaluateCell, PretrainCell
from sslbench.contract.errors import one_line
from sslbench.contract.identity import digest
from sslbench.contract.provenance import git_commit
from sslbench.contract.record import COLUMNS, Record
from sslbench.contract.schema import Count, Fraction, Name, Seed, checked
from sslbench.contract.settings import configure
from sslbench.contract.spec import READINGS, InputError, ProtocolConfig, check_draw
from sslbench.datasets import default_root, is_own, load
from sslbench.datasets._base import Dataset
from sslbench.engine.evaluate import Outcome, sees_features
from sslbench.protocols import PROTOCOLS
from sslbench.report.records import from_records
from sslbench.stores import reports
from sslbench.stores.addresses import locate, prepare
from sslbench.stores.inputs import describe
from sslbench.stores.readback import MOMENT, NUM_CLASSES, evaluation_metrics
from sslbench.stores.tracker import Scored, Tracker
from sslbench.sweep import suites
from sslbench.sweep.caveats import few_tested
from sslbench.sweep.request import resolve_device
from sslbench.sweep.trainer import scored

NOT_KNOWN = float("nan")


def evaluate(
    encoder: Function | tuple[Any, Any],
    dataset: str,
    *,
    label_fractions: Sequence[float] = (0.01, 0.1, 1.0),
    labels_per_class: Sequence[int] = (),
    stratified: bool = True,
    protocols: Sequence[str] = ("linear_probe",),
    readings: Sequence[str] = READINGS[:1],
    seeds: Sequence[int] = (0, 1, 2),
    name: str = "own",
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    pretrain_dataset: str = "",
    pretrain_seconds: float | None = None,
    pretrain_samples: int | None = None,
    pretrain_flops: float | None = None,
    device: str = "auto",
    data_root: str | Path | None = None,
    home: str | Path | None = None,
) -> pd.DataFrame:
    """Score an encoder on label budgets, by the rules that published tables are made by.

    It is asked once for features of the training and the test inputs, without their labels. Each protocol then sees
    the labels of its budget alone, chooses its hyper-parameters inside it, and answers for the test inputs. A seed
    draws the labelled subset that it draws in every published table, so that results can be compared pair by pair.

    Args:
        encoder: a function or `torch.nn.Module` from a batch to features; or features themselves, `(train, test)`,
            `(N, D)` each, in the order of `load_dataset(dataset)`. A batch is as the modality makes it: of images
            float `(N, C, H, W)` from 0 to 1. Features are `(N, D)`, or a map `(N, F, ...)`, whose mean is the latent.
            A module is asked in evaluation mode, on the device.
        dataset: its name, as `list_datasets` has it, or e.g. `folder:PATH`.
        label_fractions: shares of the training labels, in (0, 1].
        labels_per_class: so many labels of every class, beside the fractions.
        stratified: whether every class has its share of a budget, as in published tables; else its inputs are drawn at
            random, without looking at any label, and a class may be missing.
        protocols: `linear_probe`, `knn`, or `finetune`, which trains a copy of the module.
        readings: of `latent`, `pooled` and `map`, where the encoder has them.
        seeds: of the labelled subsets. The encoder is one: how trainings of it would differ is in none of the numbers.
        name: what records call it, as a pretext.
        settings: overrides of protocol fields by name, e.g. `{"knn": {"neighbours": 5}}`.
        pretrain_dataset: what it was trained on, as records shall say; empty for nothing.
        pretrain_seconds: what that took, as you measured it; None for not known.
        pretrain_samples: inputs it saw, each as often as it was seen; None for not known.
        pretrain_flops: operations it took; None for not known.
        device: `auto`, `cpu` or `cuda`.
        data_root: folder of datasets; None for `$SSLBENCH_DATA` or a cache folder.
        home: folder of stores, e.g. `.sslbench`, where the evaluations are logged to MLflow as experiment `name`; None
            logs nothing.

    Returns:
        Records in the public schema, one line per number: accuracy in [0, 1] on `test`, and inside the `budget` where
        the protocol measures one. What pretraining cost is as you say; nothing of it is measured here.

    Raises:
        InputError: a name or a number is wrong, or the encoder does not answer with features; before anything is run.
    """
    configs = _checked(name, protocols, readings, seeds, settings or {})
    checked(list[Fraction], list(label_fractions), "label_fractions")
    checked(list[Count], list(labels_per_class), "labels_per_class")
    if not label_fractions and not labels_per_class:
        raise InputError("label_fractions and labels_per_class are both empty; name a budget")
    check_draw(checked(bool, stratified, "stratified"), labels_per_class, "evaluate")
    stated = _stated(pretrain_dataset, pretrain_seconds, pretrain_samples, pretrain_flops)
    where = torch.device(resolve_device(device))
    data = load(dataset, default_root() if data_root is None else Path(data_root))
    if is_own(dataset):
        for line in few_tested(dataset, len(data.test_labels)):
            warnings.warn(line, stacklevel=2)
    budgets = [*_fractions(label_fractions), *_counts(labels_per_class, data)]
    rows: list[Record] = []
    with as_it_was(encoder):
        asked = ask(encoder, data, protocols, readings, name, where)
        keep = _Keeper(asked, stated, home)
        for cell in _cells(asked.own, budgets, seeds, readings, configs, stratified):
            rows += keep.kept(cell, asked.score)
    return from_records(rows)


def _stated(dataset: str, seconds: float | None, samples: int | None, flops: float | None) -> dict[str, Any]:
    """What a person says of a pretraining, by column; what they do not say is left out."""
    said = {"pretrain_dataset": dataset, "pretrain_seconds": seconds, "pretrain_samples": samples}
    said["pretrain_flops"] = flops
    return {name: checked(COLUMNS[name], value, name) for name, value in said.items() if value is not None}


def _checked(
    name: str,
    protocols: Sequence[str],
    readings: Sequence[str],
    seeds: Sequence[int],
    settings: Mapping[str, Mapping[str, Any]],
) -> dict[str, ProtocolConfig]:
    """Settings by protocol, once everything that is a name or a seed is one."""
    checked(Name, name, "name")
    checked(list[Seed], list(seeds), "seeds")
    for kind, given_names in (("protocols", protocols), ("readings", readings), ("seeds", seeds)):
        if isinstance(given_names, str) or not given_names:
            raise InputError(f"{kind} must be a list of one or more, not {given_names!r}")
    for reading in readings:
        if reading not in READINGS:
            raise InputError(f"unknown reading {reading!r}; choose one of {', '.join(READINGS)}")
    for protocol in (*protocols, *settings):
        PROTOCOLS.check(protocol)
    return {
        protocol: configure(PROTOCOLS.get(protocol).Config(), settings.get(protocol, {}), f"protocol {protocol!r}")
        for protocol in protocols
    }


def _fractions(fractions: Sequence[float]) -> Iterator[tuple[float, int | None]]:
    return ((float(fraction), None) for fraction in fractions)


def _counts(counts: Sequence[int], dataset: Dataset) -> Iterator[tuple[float, int | None]]:
    """Numbers of labels per class, each with the share of the labels that it comes to."""
    total, classes = len(dataset.train_labels), len(dataset.classes)
    for count in counts:
        if count * classes > total:
            raise InputError(f"{count} labels of {classes} classes are more than the {total:,} of {dataset.name!r}")
        yield count * classes / total, count


def _cells(
    own: PretrainCell,
    budgets: Sequence[tuple[float, int | None]],
    seeds: Sequence[int],
    readings: Sequence[str],
    configs: Mapping[str, ProtocolConfig],
    stratified: bool,
) -> Iterator[EvaluateCell]:
    for fraction, count in budgets:
        for seed in seeds:
            for protocol, config in configs.items():
                for reading in readings if sees_features(protocol) else READINGS[:1]:
                    yield own_evaluation(own, (fraction, count), seed, protocol, config, reading, stratified)


class _Keeper:
    """Makes records of outcomes and, if there is a home, runs in MLflow."""

    def __init__(self, asked: Asked, stated: Mapping[str, Any], home: str | Path | None) -> None:
        self.own, self.dataset, self.device, self.commit = asked.own, asked.data, str(asked.device), git_commit()
        self.parameters = 0 if asked.network is None else sum(one.numel() for one in asked.network.parameters())
        self.stated = stated
        self.tracker: Tracker | None = None
        self.model_id: str | None = None
        if home is not None:
            if self.own.pretext in suites.names():
                raise InputError(
                    f"name {self.own.pretext!r} is a suite's, among whose runs yours would be; choose another"
                )
            stores = locate(Path(home))
            prepare(stores)
            self.tracker = Tracker(stores.tracking_uri, self.own.pretext, stores.artifact_root)
            self.parent = self.tracker.start_pretrain(self.own, describe(self.dataset), self.device)
            about = f"`{self.own.pretext}`, an encoder of one's own, scored by `sslbench.evaluate`"
            reports.describe(self.tracker, about)
            costs = {name: float(value) for name, value in stated.items() if name != "pretrain_dataset"}
            self.model_id = keep_model(self.tracker, self.parent, asked)
            self._finish(self.tracker, self.parent, {"parameters": float(self.parameters), **costs})

    def kept(self, cell: EvaluateCell, score: Callable[[EvaluateCell], Outcome]) -> list[Record]:
        """Score, and return the records of what came out."""
        started, run_id = time.strftime(MOMENT, time.gmtime()), ""
        if self.tracker is not None:
            run_id = self.tracker.start_evaluate(
                cell, self.parent, describe(self.dataset), self.device, model_id=self.model_id
            )
        try:
            outcome = score(cell)
        except BaseException as error:
            if self.tracker is not None:
                self.tracker.fail(run_id, one_line(f"{type(error).__name__}: {error}"))
            raise
        rows = [self._record(cell, outcome, "test", outcome.accuracy, started)]
        if outcome.budget_score is not None:
            rows.append(self._record(cell, outcome, "budget", outcome.budget_score, started))
        if self.tracker is None:
            return rows
        metrics = {**evaluation_metrics(rows), **outcome.details}
        tags = {"budget_digest": outcome.budget.digest, NUM_CLASSES: str(len(self.dataset.classes))}
        self._finish(self.tracker, run_id, metrics, scored(self.model_id, cell, self.dataset), **tags)
        return [dataclasses.replace(row, run_id=run_id) for row in rows]

    def _finish(
        self, tracker: Tracker, run_id: str, metrics: Mapping[str, float], by: Scored | None = None, **tags: str
    ) -> None:
        """Close a run, what it was trained on among its axes.

        Args:
            by: the model that its accuracy ranks.
        """
        trained_on = self.stated.get("pretrain_dataset")
        if trained_on:
            tracker.client.log_param(run_id, "pretrain_dataset", trained_on)
            tags["pretrain_dataset"] = trained_on
        tracker.finish(run_id, metrics, {"modality": self.dataset.input_spec.modality, **tags}, by)

    def _record(self, cell: EvaluateCell, outcome: Outcome, split: str, value: float, started: str) -> Record:
        record = Record(
            suite=self.own.pretext,
            cell_id=cell.cell_id,
            run_id="",
            dataset=cell.dataset,
            pretrain_dataset="",
            modality=self.dataset.input_spec.modality,
            encoder=self.own.encoder,
            pretext=self.own.pretext,
            latent_dim=self.own.latent_dim,
            seed=self.own.seed,
            label_seed=cell.label_seed,
            label_fraction=cell.label_fraction,
            num_labels=len(outcome.budget.indices),
            labels_per_class=cell.labels_per_class or 0,
            num_classes=len(self.dataset.classes),
            protocol=cell.protocol,
            reading=cell.reading,
            metric="accuracy",
            value=value,
            split=split,
            pretrain_epochs=NOT_KNOWN,
            pretrain_steps=0,
            pretrain_seconds=NOT_KNOWN,
            pretrain_samples=0,
            pretrain_flops=NOT_KNOWN,
            evaluate_seconds=outcome.seconds,
            evaluate_flops=outcome.flops,
            parameters=self.parameters,
            dataset_version=cell.dataset_version,
            encoder_version=self.own.encoder_version,
            pretext_version=self.own.pretext_version,
            protocol_version=cell.protocol_version,
            config_hash=digest(self.own.config),
            git_commit=self.commit,
            sslbench_version=__version__,
            device=self.device,
            started_at=started,
            stratified=int(cell.stratified),
        )
        return dataclasses.replace(record, **self.stated)
