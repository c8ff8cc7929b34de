"""One pretraining of a sweep: trained, scored on the way, kept from time to time, measured, drawn and logged."""

from __future__ import annotations

import copy
import math
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import torch

from sslbench.contract.cells import EvaluateCell, PretrainCell
from sslbench.contract.spec import READINGS
from sslbench.datasets._base import Dataset
from sslbench.encoders import saved as pickling
from sslbench.encoders._base import Encoder
from sslbench.encoders.saved import saved, weights
from sslbench.engine.checkpoint import CheckpointRefused
from sslbench.engine.evaluate import evaluate, extract_budget
from sslbench.engine.examine import draw, measure
from sslbench.engine.pretrain import Pretraining
from sslbench.modalities import modality_of
from sslbench.stores.claim import Claim
from sslbench.stores.models import write_model
from sslbench.stores.readback import checkpoint_metrics, checkpoint_tags, costs_metrics
from sslbench.stores.runs import ENCODER_DIGEST, ENCODER_FILE, digest_of
from sslbench.stores.tracker import Scored, Tracker
from sslbench.sweep.features import FeatureCache
from sslbench.sweep.news import Finished, News, Status
from sslbench.sweep.plan import Plan

#: A training that takes longer is kept about this often, so that another process goes on from there if this one dies.
CHECKPOINT_SECONDS = 60.0

#: A loss above it is drawn as this one's perplexity: no number would hold that of any.
MOST_NATS = 100.0


def log_model(tracker: Tracker, run_id: str, cell: PretrainCell, encoder: Encoder, dataset: Dataset) -> str:
    """Keep a pretraining's encoder as a model of MLflow too, with one input as its example; returns its id."""
    example = modality_of(dataset.input_spec).batch(dataset.test_inputs[:1])
    with tempfile.TemporaryDirectory() as folder:
        write_model(Path(folder), saved(encoder, cell.encoder), pickling, example.numpy(), cell.latent_dim)
        return tracker.log_model(run_id, cell, Path(folder))


def scored(model_id: str | None, cell: EvaluateCell, dataset: Dataset) -> Scored | None:
    """What an evaluation ranks its encoder's model by; None where there is no model."""
    return None if model_id is None else Scored(model_id, f"{dataset.name}, {cell.title}", dataset.digest)


class Trainer:
    """Pretrains cells of a plan.

    Args:
        news: where it says how far it is.
        features: of the worker; a new encoder's are kept there.
        load: a dataset by its identity.
    """

    def __init__(
        self,
        news: News,
        plan: Plan,
        tracker: Tracker,
        features: FeatureCache,
        load: Callable[[str], Dataset],
        device: torch.device,
    ) -> None:
        self.news, self.plan, self.tracker = news, plan, tracker
        self.features, self.load, self.device = features, load, device

    def run(self, cell: PretrainCell, dataset: Dataset, run_id: str, claim: Claim) -> tuple[Finished, float | None]:
        """Pretrain a cell and log what came of it to its run, which is finished then.

        Args:
            claim: on the cell; it is checked before anything counts.

        Returns:
            What there is to tell, and the effective rank of the representation, if it was measured.

        Raises:
            ClaimLost: the cell was taken away.
        """
        self.features.forget()
        training = Pretraining(cell, dataset, self.device)
        monitor = self.tracker.monitor(run_id) if training.pretext.trains else None
        try:
            loss, scores = self._train(cell, training, run_id, claim)
        finally:
            if monitor is not None:
                monitor.finish()
        encoder = training.pretext.evaluated
        readings = self.plan.readings(cell.cell_id)
        features = self.features.extract(cell, encoder, dataset, readings)
        found, verdict = measure(training, dataset)
        with tempfile.TemporaryDirectory() as folder:
            kept = weights(encoder)
            (Path(folder) / ENCODER_FILE).write_bytes(kept)
            draw(training, features.get(READINGS[0]), dataset, Path(folder) / "pictures")
            for name, content in dataset.files.items():
                (Path(folder) / name).write_text(content, encoding="utf-8")
            self.tracker.log_files(run_id, Path(folder))
        if readings or training.pretext.trains:  # else all that is evaluated was trained with labels
            log_model(self.tracker, run_id, cell, encoder, dataset)
        costs = {
            "pretrain_epochs": training.epochs,
            "pretrain_steps": float(training.steps),
            "pretrain_seconds": training.seconds,
            "pretrain_samples": float(training.samples),
            "pretrain_flops": training.flops,
            "parameters": float(training.parameters),
        }
        final = {"final_loss": loss} if training.pretext.trains else {}
        tags = {"modality": dataset.input_spec.modality, ENCODER_DIGEST: digest_of(kept), **verdict}
        tags |= checkpoint_tags(self.plan.checkpoints[cell.cell_id])
        claim.check()
        self.tracker.finish(run_id, {**costs_metrics(costs), **final, **found, **scores}, tags)
        told = "; ".join(f"{name.upper()}, {why}" for name, why in verdict.items())
        return Finished(cell.title, cell.pretext, verdict=told), found.get("representation.rankme")

    def _train(
        self, cell: PretrainCell, training: Pretraining, run_id: str, claim: Claim
    ) -> tuple[float, dict[str, float]]:
        """Train and log the curve; returns the last loss and the scores of the checkpoints."""
        loss, last_epoch = 0.0, 0.0
        points: list[tuple[int, Mapping[str, float]]] = []
        scores = self._resume(cell, training, run_id)
        kept_at, kept = time.monotonic(), 0
        self.news.tell(Status(cell.title))
        for report in training.reports():
            loss = report.loss
            curve = {
                "loss": report.loss,
                "learning_rate": report.learning_rate,
                "inputs_per_second": report.inputs_per_second,
                "gradient_norm": report.gradient_norm,
                "epoch": report.epoch,
                **({"perplexity": math.exp(min(report.loss, MOST_NATS))} if training.pretext.perplexed else {}),
            }
            points.append((report.step, curve))
            for epochs in report.checkpoints:
                scores |= self._checkpoint(cell, training, epochs)
            self.news.tell(Status(cell.title, report.step / report.steps, report.inputs_per_second))
            last = report.step == report.steps
            keep = not last and time.monotonic() - kept_at >= CHECKPOINT_SECONDS
            if keep or last or math.floor(report.epoch) > last_epoch:
                self.tracker.log_points(run_id, points)
                points, last_epoch = [], math.floor(report.epoch)
            if keep:  # after the points: who goes on from here repeats them
                claim.check()
                self.tracker.log_checkpoint(run_id, training.state(scores), kept)
                claim.note_progress()
                kept_at, kept = time.monotonic(), kept + 1
        return loss, scores

    def _resume(self, cell: PretrainCell, training: Pretraining, run_id: str) -> dict[str, float]:
        """Go on where an interrupted run of the cell had come furthest, if any had; returns the scores from before."""
        if not training.pretext.trains:
            return {}
        found = None
        for from_run, content in self.tracker.checkpoints(cell.cell_id):
            with suppress(CheckpointRefused):
                found = from_run, training.resume(content)
        if found is None:
            return {}
        from_run, checkpoint = found
        self.tracker.go_on(run_id, from_run, checkpoint.step)
        return dict(checkpoint.notes)

    def _checkpoint(self, cell: PretrainCell, training: Pretraining, epochs: float) -> dict[str, float]:
        """Score the encoder in training: a copy, so that nothing of its training, random numbers included, changes."""
        encoder = copy.deepcopy(training.pretext.evaluated)
        found: dict[str, float] = {}
        for child in self.plan.checkpoints[cell.cell_id]:
            dataset = self.load(child.dataset)
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
