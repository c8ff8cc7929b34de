"""One worker process: takes cells from the queues, pretrains, evaluates, logs."""

from __future__ import annotations

import copy
import math
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from sslbench.contract.cells import PretrainCell
from sslbench.contract.errors import one_line
from sslbench.contract.spec import READINGS, table_protocol
from sslbench.datasets import load as load_dataset
from sslbench.datasets._base import Dataset
from sslbench.engine.evaluate import Outcome, evaluate, extract_budget, sees_features
from sslbench.engine.examine import draw, measure
from sslbench.engine.pretrain import Pretraining
from sslbench.stores.addresses import Stores
from sslbench.stores.answers import ANSWERS_FILE, answers_npz
from sslbench.stores.inputs import describe
from sslbench.stores.queue import CellFailed, CellQueue
from sslbench.stores.readback import COSTS, checkpoint_metrics, checkpoint_tags
from sslbench.stores.tracker import ENCODER_FILE, Tracker
from sslbench.stores.urls import hidden
from sslbench.sweep.features import FeatureCache, features_folder
from sslbench.sweep.news import Failure, Finished, NewsWriter, Status, status_folder
from sslbench.sweep.plan import Plan
from sslbench.sweep.studies import queued_evaluation


class Worker:
    """Runs cells until both queues are empty.

    Args:
        number: of this worker, from 0; names its status and result files.
        datasets: identity to the name `load_dataset` takes, and the data root.
    """

    def __init__(
        self,
        number: int,
        plan: Plan,
        queues: tuple[CellQueue, CellQueue],
        tracker: Tracker,
        stores: Stores,
        datasets: Mapping[str, str],
        data_root: Path,
        device: torch.device,
    ) -> None:
        self.plan, self.tracker, self.device = plan, tracker, device
        self.pretrain_queue, self.evaluate_queue = queues
        self.dataset_names, self.data_root = datasets, data_root
        self.pretrain_cells = {cell.cell_id: cell for cell in plan.pretrain}
        self.evaluate_cells = {cell.cell_id: cell for cell in plan.evaluations}
        self.parents = tracker.finished()
        self.loaded: dict[str, Dataset] = {}
        self.features = FeatureCache(features_folder(stores, tracker.suite), tracker, device)
        self.news = NewsWriter(status_folder(stores, tracker.suite), number)

    def run(self) -> None:
        """Evaluate what can be evaluated, else pretrain, until there is nothing left anywhere."""
        while True:
            if self.evaluate_queue.work(os.getpid(), self._evaluate):
                continue
            if self.pretrain_queue.work(os.getpid(), self._pretrain):
                continue
            if not self.pretrain_queue.running():  # nobody's encoder is about to bring new evaluations
                return
            self.news.tell(Status("waiting for the last encoders"))
            time.sleep(0.5)

    # Pretraining

    def _pretrain(self, cell_id: str) -> float | None:
        cell = self.pretrain_cells.get(cell_id)
        if cell is None or cell_id in self.parents:
            return None
        dataset = self._dataset(cell.dataset)
        run_id = self.tracker.start_pretrain(cell, describe(dataset), str(self.device))
        try:
            rank = self._train_and_log(cell, dataset, run_id)
        except Exception as error:
            self._failed(run_id, cell.title, error)
            raise CellFailed(cell.title) from error
        self.parents[cell_id] = run_id
        self.evaluate_queue.fill(
            queued_evaluation(child, self.dataset_names)
            for child in self.plan.evaluate[cell_id]
            if child.cell_id not in self.parents
        )
        return None if rank is None else rank / cell.latent_dim

    def _train_and_log(self, cell: PretrainCell, dataset: Dataset, run_id: str) -> float | None:
        """Returns the effective rank of what the encoder says, if it was measured."""
        self.features.forget()
        training = Pretraining(cell, dataset, self.device)
        monitor = self.tracker.monitor(run_id) if training.pretext.trains else None
        loss, scores = self._train(cell, training, run_id)
        if monitor is not None:
            monitor.finish()
        encoder = training.pretext.evaluated
        features = self.features.extract(cell, encoder, dataset, self.readings(cell.cell_id))
        found, verdict = measure(training, dataset)
        with tempfile.TemporaryDirectory() as folder:
            save_file(_plain(encoder), Path(folder) / ENCODER_FILE)
            draw(training, features.get(READINGS[0]), dataset, Path(folder) / "pictures")
            for name, content in dataset.files.items():
                (Path(folder) / name).write_text(content, encoding="utf-8")
            self.tracker.log_files(run_id, Path(folder))
        costs = {
            "pretrain_epochs": training.epochs,
            "pretrain_steps": float(training.steps),
            "pretrain_seconds": training.seconds,
            "pretrain_samples": float(training.samples),
            "pretrain_flops": training.flops,
            "parameters": float(training.parameters),
        }
        final = {"final_loss": loss} if training.pretext.trains else {}
        tags = {"modality": dataset.input_spec.modality, **verdict}
        tags |= checkpoint_tags(self.plan.checkpoints[cell.cell_id])
        self.tracker.finish(run_id, {**costs, **final, **found, **scores}, tags)
        told = "; ".join(f"{name.upper()}, {why}" for name, why in verdict.items())
        self.news.finished(Finished(cell.title, cell.pretext, verdict=told))
        return found.get("representation.rankme")

    def _train(self, cell: PretrainCell, training: Pretraining, run_id: str) -> tuple[float, dict[str, float]]:
        """Train and log the curve; returns the last loss and the scores of the checkpoints."""
        loss, last_epoch = 0.0, 0.0
        points: list[tuple[int, Mapping[str, float]]] = []
        scores: dict[str, float] = {}
        self.news.tell(Status(cell.title))
        for report in training.reports():
            loss = report.loss
            curve = {
                "loss": report.loss,
                "learning_rate": report.learning_rate,
                "images_per_second": report.images_per_second,
                "gradient_norm": report.gradient_norm,
                "epoch": report.epoch,
            }
            points.append((report.step, curve))
            for epochs in report.checkpoints:
                scores |= self._checkpoint(cell, training, epochs)
            self.news.tell(Status(cell.title, report.step / report.steps, report.images_per_second))
            if math.floor(report.epoch) > last_epoch or report.step == report.steps:
                self.tracker.log_points(run_id, points)
                points, last_epoch = [], math.floor(report.epoch)
        return loss, scores

    def _checkpoint(self, cell: PretrainCell, training: Pretraining, epochs: float) -> dict[str, float]:
        """Score the encoder in training: a copy, so that nothing of its training, random numbers included, changes."""
        encoder = copy.deepcopy(training.pretext.evaluated)
        found: dict[str, float] = {}
        for child in self.plan.checkpoints[cell.cell_id]:
            dataset = self._dataset(child.dataset)
            features = extract_budget(child, encoder, dataset, self.device)
            outcome = evaluate(child, dataset, encoder, features, self.device)
            scored = {
                "test": outcome.accuracy,
                **({} if outcome.budget_score is None else {"budget": outcome.budget_score}),
                "labels": float(len(outcome.budget.indices)),
                "seconds": outcome.seconds,
                "flops": outcome.flops,
            }
            found |= checkpoint_metrics(child, epochs, scored)
        return found

    # Evaluation

    def _evaluate(self, cell_id: str) -> float | None:
        cell = self.evaluate_cells.get(cell_id)
        if cell is None or cell_id in self.parents:
            return None
        if cell.pretrain.cell_id not in self.parents:
            self.parents.update(self.tracker.finished())
        parent = self.parents[cell.pretrain.cell_id]
        dataset = self._dataset(cell.dataset)
        title = f"{cell.title} of {cell.pretrain.title}"
        self.news.tell(Status(title))
        run_id = self.tracker.start_evaluate(cell, parent, describe(dataset), str(self.device))
        try:
            encoder, features = self.features.load(cell, dataset, parent, self.readings(cell.pretrain.cell_id))
            outcome = evaluate(cell, dataset, encoder, features, self.device)
            self._log_outcome(outcome, run_id, parent, dataset)
        except Exception as error:
            self._failed(run_id, cell.title, error)
            raise CellFailed(cell.title) from error
        self.parents[cell_id] = run_id
        scored = outcome.budget_score, cell.label_fraction, table_protocol(cell.protocol, cell.reading)
        self.news.finished(Finished(title, cell.pretrain.pretext, *scored))
        return outcome.budget_score

    def readings(self, cell_id: str) -> tuple[str, ...]:
        """Where evaluations that see features read the encoder of a pretraining."""
        wanted = {child.reading for child in self.plan.evaluate[cell_id] if sees_features(child.protocol)}
        return tuple(reading for reading in READINGS if reading in wanted)

    def _log_outcome(self, outcome: Outcome, run_id: str, parent: str, dataset: Dataset) -> None:
        with tempfile.TemporaryDirectory() as folder:
            indices = outcome.budget.indices.numpy().astype(np.int32)
            np.savez_compressed(Path(folder) / "labelled_indices.npz", indices=indices)
            answers = answers_npz(outcome.answers.numpy(), outcome.right.numpy(), len(dataset.classes))
            (Path(folder) / ANSWERS_FILE).write_bytes(answers)
            self.tracker.log_files(run_id, Path(folder))
        costs = self.tracker.pretrained(parent)
        metrics = {
            "accuracy": outcome.accuracy,
            **({} if outcome.budget_score is None else {"budget_accuracy": outcome.budget_score}),
            "evaluate_seconds": outcome.seconds,
            "evaluate_flops": outcome.flops,
            "num_labels": float(len(outcome.budget.indices)),
            "num_classes": float(len(dataset.classes)),
            **{name: costs[name] for name in COSTS if name in costs},
            **outcome.details,
        }
        tags = {"modality": dataset.input_spec.modality, "budget_digest": outcome.budget.digest}
        self.tracker.finish(run_id, metrics, tags)

    def _dataset(self, identity: str) -> Dataset:
        if identity not in self.loaded:
            self.loaded[identity] = load_dataset(self.dataset_names[identity], self.data_root)
        return self.loaded[identity]

    def _failed(self, run_id: str, title: str, error: Exception) -> None:
        reason = hidden(one_line(f"{type(error).__name__}: {error}"))
        self.tracker.fail(run_id, reason)
        self.news.failed(Failure(title, reason))


def _plain(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Weights as safetensors wants them: on the processor, in plain memory order."""
    return {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
