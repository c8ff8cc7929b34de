"""Runs written to MLflow."""

from __future__ import annotations

import calendar
import re
import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from mlflow import MlflowClient
from mlflow.entities import Dataset as RunDataset
from mlflow.entities import DatasetInput, InputTag, LoggedModelInput, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME

from sslbench import __version__
from sslbench.contract.cells import EvaluateCell, PretrainCell
from sslbench.contract.errors import InputError
from sslbench.contract.owner import OWNER, me
from sslbench.contract.provenance import git_commit
from sslbench.contract.record import Record
from sslbench.stores.axes import axes_of, axes_of_evaluation, parameters
from sslbench.stores.models import log_model, model_of
from sslbench.stores.moved import follow_artifacts
from sslbench.stores.readback import MOMENT, provenance
from sslbench.stores.runs import CHECKPOINTS, ENCODER_FILE, Runs
from sslbench.stores.urls import hidden, reason, shown

#: Tag of a pretraining that went on from where another run of its cell was: that run.
RESUMED_FROM = "resumed_from"

BATCH = 1000  # what one log_batch call may carry

#: What MLflow takes in no name of a model.
FORBIDDEN = re.compile("[/:.%\"']")


class Scored(NamedTuple):
    """The model of MLflow that a run's accuracy is about, and on what it was reached: dataset, budget and protocol."""

    model_id: str
    on: str
    digest: str


class Tracker(Runs):
    """Runs of one suite: a parent per pretraining, a child per evaluation.

    Args:
        tracking_uri: MLflow store; its schema must exist (`addresses.prepare`).
        suite: name of the experiment.
        artifact_root: where a new experiment keeps artifacts; None leaves it to the server.
        told_apart_by: axes of a pretraining that the names of its runs say too.

    Raises:
        InputError: the store cannot be reached or its experiment cannot be opened.
    """

    def __init__(
        self, tracking_uri: str, suite: str, artifact_root: Path | None, told_apart_by: Sequence[str] = ()
    ) -> None:
        self.tracking_uri, self.suite, self.told_apart_by = tracking_uri, suite, told_apart_by
        follow_artifacts(tracking_uri, artifact_root)
        try:
            self.client = MlflowClient(tracking_uri)
            self.experiment_id = self._experiment(artifact_root)
        except (MlflowException, OSError) as error:
            raise InputError(f"tracking URI {shown(tracking_uri)!r} cannot be used: {reason(error)}") from error
        self.commit = git_commit()

    def _experiment(self, artifact_root: Path | None) -> str:
        experiment = self.client.get_experiment_by_name(self.suite)
        if experiment is not None:
            if experiment.lifecycle_stage == "deleted":
                self.client.restore_experiment(experiment.experiment_id)
            return str(experiment.experiment_id)
        location = None if artifact_root is None else (artifact_root / self.suite).resolve().as_uri()
        # The UI opens an experiment of this kind on its runs and curves, not on traces of language models.
        kind = {"mlflow.experimentKind": "custom_model_development"}
        try:
            return str(self.client.create_experiment(self.suite, artifact_location=location, tags=kind))
        except MlflowException:
            made = self.client.get_experiment_by_name(self.suite)
            if made is None:
                raise
            return str(made.experiment_id)  # by another machine, at this moment

    def start_pretrain(
        self, cell: PretrainCell, source: RunDataset | None, device: str, published: Record | None = None
    ) -> str:
        """Open the parent run of a pretraining and return its id.

        Args:
            source: what it trains on; None where nothing is run.
            published: a record of it, where it is taken from published results.
        """
        tags = {**axes_of(cell), "kind": "pretrain", "cell_id": cell.cell_id, "device": device}
        name = self._name(cell)
        return self.start(name, tags, parameters(tags, cell.config), source=source, published=published)

    def _name(self, cell: PretrainCell) -> str:
        """Of a pretraining, e.g. `simclr d=128 s=0`, or `simclr d=128 s=0 · digits` in a suite of several datasets."""
        return " · ".join([cell.title, *(getattr(cell, axis) for axis in self.told_apart_by)])

    def start_evaluate(
        self,
        cell: EvaluateCell,
        parent: str,
        source: RunDataset | None,
        device: str,
        published: Record | None = None,
        model_id: str | None = None,
    ) -> str:
        """Open the child run of an evaluation and return its id; as `start_pretrain`.

        Args:
            model_id: the model that is evaluated.
        """
        tags = {**axes_of_evaluation(cell), "kind": "evaluate", "cell_id": cell.cell_id, "device": device}
        name = f"{self._name(cell.pretrain)} · {cell.title}"
        run_id = self.start(name, tags, parameters(tags, cell.config), parent, source, published)
        if model_id is not None:
            self.client.log_inputs(run_id, models=[LoggedModelInput(model_id)])
        return run_id

    def start(
        self,
        name: str,
        tags: Mapping[str, str],
        params: Mapping[str, object],
        parent: str | None = None,
        source: RunDataset | None = None,
        published: Record | None = None,
    ) -> str:
        """Open a run of any kind, below a parent or not, and return its id; `tags` may name another suite."""
        own = {"suite": self.suite, "git_commit": self.commit, "sslbench_version": __version__, OWNER: me()}
        own[MLFLOW_RUN_NAME] = name
        below = {MLFLOW_PARENT_RUN_ID: parent} if parent else {}
        origin = {} if published is None else provenance(published)
        started = None if published is None else _began(published)
        run = self.client.create_run(self.experiment_id, started, {**own, **below, **tags, **origin})
        run_id = str(run.info.run_id)
        self.client.log_batch(run_id, params=[Param(key, str(value)) for key, value in params.items()])
        if source is not None:
            inputs = [DatasetInput(source, [InputTag("mlflow.data.context", "training")])]
            try:
                self.client.log_inputs(run_id, inputs)
            except MlflowException:  # another worker brought the same dataset at the same moment: now it is there
                self.client.log_inputs(run_id, inputs)
        return run_id

    def reopen(self, tags: Mapping[str, str]) -> str | None:
        """Open the last run with these tags again and return its id; None if there is none."""
        known = self.search(" and ".join(f"tags.{key} = '{value}'" for key, value in tags.items()))
        if not known:
            return None
        run_id = str(known[-1].info.run_id)
        self.client.update_run(run_id, "RUNNING")
        return run_id

    def log_points(self, run_id: str, points: Sequence[tuple[int, Mapping[str, float]]]) -> None:
        """Log a stretch of curves in one call: (step, name to value) each."""
        now = int(time.time() * 1000)
        self._log_metrics(
            run_id, [Metric(key, value, now, step) for step, values in points for key, value in values.items()]
        )

    def _log_metrics(self, run_id: str, metrics: Sequence[Metric]) -> None:
        for start in range(0, len(metrics), BATCH):
            self.client.log_batch(run_id, metrics=metrics[start : start + BATCH])

    def log_files(self, run_id: str, folder: Path) -> None:
        """Log everything below a folder as artifacts."""
        self.client.log_artifacts(run_id, str(folder))

    def log_checkpoint(self, run_id: str, content: bytes, number: int) -> None:
        """Keep a state of a pretraining, and the one before: two files in turn, so that a kill spoils only one.

        Args:
            number: how many this run has kept before.
        """
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{number % 2}.safetensors"
            path.write_bytes(content)
            self.client.log_artifact(run_id, str(path), CHECKPOINTS)

    def go_on(self, run_id: str, from_run: str, step: int) -> None:
        """Say that a run goes on from a checkpoint of another, and repeat the other's curves as far as that step."""
        self.client.set_tag(run_id, RESUMED_FROM, from_run)
        curves = [key for key in self.client.get_run(from_run).data.metrics if not key.startswith("system/")]
        points = [point for key in curves for point in self.client.get_metric_history(from_run, key)]
        self._log_metrics(run_id, [point for point in points if point.step <= step])

    def drop_checkpoints(self, cell_id: str) -> None:
        """Delete the checkpoints of all runs of a pretraining. The cell is finished: where artifacts cannot be deleted,
        as in some stores, or not now, they stay and do no harm."""
        with suppress(MlflowException, OSError, NotImplementedError):
            for run in self._pretraining_runs(cell_id):
                if self._checkpoint_files(run):
                    get_artifact_repository(run.info.artifact_uri, self.tracking_uri).delete_artifacts(CHECKPOINTS)

    def log_model(self, run_id: str, cell: PretrainCell, folder: Path) -> str:
        """Keep what `models.write_model` wrote as the model of a pretraining, and return its id."""
        name = f"{cell.title}, {cell.encoder} on {cell.dataset}"
        return log_model(self.client, run_id, FORBIDDEN.sub(" ", name), axes_of(cell), folder)

    def finish(
        self,
        run_id: str,
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        scored: Scored | None = None,
        published: Record | None = None,
    ) -> None:
        """Log what the run found and close it; only now does its cell count as done.

        Args:
            scored: the model whose accuracy is among the metrics.
            published: the row it is taken from; it lasted then as long as that says.
        """
        now = int(time.time() * 1000)
        labels = [Param("num_labels", f"{metrics['num_labels']:g}")] if "num_labels" in metrics else []
        self.client.log_batch(
            run_id,
            metrics=[
                Metric(key, value, now, 0, *(scored or ()) if key == "accuracy" else ())
                for key, value in metrics.items()
            ],
            params=labels,
            tags=[RunTag(key, value) for key, value in tags.items()],
        )
        ended = None
        if published is not None:
            took = metrics.get("evaluate_seconds", metrics.get("pretrain_seconds", 0.0))
            ended = _began(published) + round(1000 * took)
        self.client.set_terminated(run_id, "FINISHED", ended)

    def fail(self, run_id: str, why: str) -> None:
        """Close a run that went wrong; its model goes. The reason is a tag, and reports publish it: no passwords."""
        self._drop_model(run_id)
        self.client.set_tag(run_id, "error", hidden(why))
        self.client.set_terminated(run_id, "FAILED")

    def forget(self, run_id: str) -> None:
        """Delete a run and its model, so that its cell is done again."""
        self._drop_model(run_id)
        self.client.delete_run(run_id)

    def _drop_model(self, run_id: str) -> None:
        model_id = model_of(self.client.get_run(run_id))
        if model_id is not None:
            self.client.delete_logged_model(model_id)

    def forget_published(self, cell_ids: Collection[str]) -> None:
        """Delete the runs of these pretrainings that were taken from published results without their encoders."""
        taken = [run for run in self._published("pretrain") if run.data.tags["cell_id"] in cell_ids] if cell_ids else []
        having = self.artifacts([run.info.run_id for run in taken], ENCODER_FILE)
        for run in taken:
            if run.info.run_id not in having:
                self.forget(run.info.run_id)

    def monitor(self, run_id: str) -> SystemMetricsMonitor:
        """A started monitor of processor, memory and GPU for the run; call its `finish()` at the end."""
        # Said here, not set for all: MLflow's global setting goes into the environment and would redirect other stores.
        monitor = SystemMetricsMonitor(
            run_id, sampling_interval=5, samples_before_logging=1, tracking_uri=self.tracking_uri
        )
        monitor.start()
        return monitor

    def kill_orphans(
        self, held: Callable[[], Mapping[str, str]], given_up: Callable[[], Mapping[str, str]] = dict
    ) -> int:
        """Close runs left open by processes that died; returns how many.

        Args:
            held: gives the owner of every cell that is being worked on, by the cell's identity: runs of these stay
                open. It is asked after the open runs were listed, so that none is missed that has begun since.
            given_up: gives the reason why a cell is not tried any more, by its identity: its run has failed.
        """
        running = self.search("attributes.status = 'RUNNING'")
        holding, reasons = (held(), given_up()) if running else ({}, {})
        orphans = 0
        for run in running:
            mine = holding.get(run.data.tags.get("cell_id", "")) == run.data.tags.get(OWNER, "")
            # One that is no longer held may just have been finished.
            if not mine and self.client.get_run(run.info.run_id).info.status == "RUNNING":
                why = reasons.get(run.data.tags.get("cell_id", ""))
                self.close(run.info.run_id) if why is None else self.fail(run.info.run_id, why)
                orphans += 1
        return orphans

    def close(self, run_id: str) -> None:
        """End a run that will never be finished; a model that it made already goes."""
        self._drop_model(run_id)
        self.client.set_terminated(run_id, "KILLED")


def _began(published: Record) -> int:
    """When a published run did, in milliseconds since 1970."""
    return 1000 * calendar.timegm(time.strptime(published.started_at, MOMENT))
