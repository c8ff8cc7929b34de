"""One worker process: takes cells from the queues, pretrains, evaluates, logs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from sslbench.contract.cells import EvaluateCell, PretrainCell
from sslbench.contract.errors import one_line
from sslbench.contract.spec import table_protocol
from sslbench.datasets._base import Dataset
from sslbench.engine.evaluate import Outcome, evaluate
from sslbench.stores.addresses import Stores
from sslbench.stores.answers import ANSWERS_FILE, answers_npz
from sslbench.stores.claim import CellFailed, Claim, ClaimLost, NotYet
from sslbench.stores.idle import Idle
from sslbench.stores.inputs import describe
from sslbench.stores.outage import store_lost
from sslbench.stores.queue import CHUNK, CellQueue
from sslbench.stores.readback import COSTS, NUM_CLASSES, costs_metrics
from sslbench.stores.runs import ArtifactLost, Pretrained
from sslbench.stores.storage import HEARTBEAT_SECONDS
from sslbench.stores.tracker import Tracker
from sslbench.stores.urls import hidden
from sslbench.sweep.features import FeatureCache, features_folder
from sslbench.sweep.news import Failure, Finished, News, Status
from sslbench.sweep.plan import Plan
from sslbench.sweep.request import load_one
from sslbench.sweep.studies import missing_evaluations, missing_pretrainings, queued_evaluation, queued_pretraining
from sslbench.sweep.trainer import Trainer, scored


class Worker:
    """Runs cells until both queues are empty.

    Args:
        news: where it says what it does.
        datasets: identity to the name `load_dataset` takes, and the data root.
    """

    def __init__(
        self,
        news: News,
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
        self.news = news
        self.trainer = Trainer(news, plan, tracker, self.features, self._dataset, device)

    def run(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Evaluate what can be evaluated, else pretrain, until there is nothing left anywhere or `stop` says so.

        While others have cells in hand it waits: an encoder brings evaluations, and who dies leaves its cell.
        """
        parts = ((self.evaluate_queue, self.evaluate_cells), (self.pretrain_queue, self.pretrain_cells))
        looked, idle = time.monotonic(), Idle()
        while not stop():
            began = time.monotonic()
            if self.evaluate_queue.work(self.evaluate_cells, self._evaluate) or self.pretrain_queue.work(
                self.pretrain_cells, self._pretrain
            ):
                idle.over()
                continue
            if self._top_up():  # from what this worker knows; below, now and then, with a look at what others did
                continue
            held = any(queue.held().keys() & cells.keys() for queue, cells in parts)
            if not held or time.monotonic() - looked > HEARTBEAT_SECONDS:
                looked = time.monotonic()
                for queue, _ in parts:
                    queue.release_gone()
                if self._top_up(self.tracker.finished):
                    continue
            # Looked at after who holds what, so that what somebody queued before it ended is seen.
            waiting = any(one.user_attrs.get("cell_id") in cells for queue, cells in parts for one in queue.waiting())
            if not held and not waiting:
                return
            if not waiting:
                self.news.tell(Status("waiting for the last cells of others"))
                idle.rest(began)

    def _top_up(self, look: Callable[[], dict[str, str]] | None = None, wait: bool = True) -> int:
        """Queue what did not fit into the queues before; returns how many cells.

        Args:
            look: finds out what is done, by whomever; without it, this worker's own knowledge has to do.
            wait: for another that is at it; else that is left to the other.
        """
        if max(len(self.pretrain_cells), len(self.evaluate_cells)) <= self.evaluate_queue.window:
            return 0
        self.parents = look() if look is not None else self.parents
        about = self.plan, self.parents, self.dataset_names
        queued = self.pretrain_queue.top_up(missing_pretrainings(*about), wait)
        return queued + self.evaluate_queue.top_up(missing_evaluations(*about), wait)

    def _taken(self, claim: Claim) -> None:
        """Top the queues up from time to time: one trial's number is one worker's, so that it is one who does."""
        if claim.number % CHUNK == 0:
            self._top_up(wait=False)

    # Pretraining

    def _done(self, claim: Claim) -> bool:
        """Whether the cell is finished, by whomever."""
        if claim.repeated and claim.cell_id not in self.parents:
            run_id = self.tracker.finished_run(claim.cell_id)
            if run_id is not None:
                self.parents[claim.cell_id] = run_id
        return claim.cell_id in self.parents

    def _pretrain(self, claim: Claim) -> float | None:
        self._taken(claim)
        cell = self.pretrain_cells[claim.cell_id]
        children = (
            queued_evaluation(child, self.dataset_names)
            for child in self.plan.evaluate[cell.cell_id]
            if child.cell_id not in self.parents
        )
        if self._done(claim):
            self.evaluate_queue.top_up(children)  # who finished it may have died before it did so
            return None
        run_id = None
        try:
            dataset = self._dataset(cell.dataset)
            run_id = self.tracker.start_pretrain(cell, describe(dataset), str(self.device))
            found, rank = self.trainer.run(cell, dataset, run_id, claim)
        except ClaimLost:
            self._close(run_id)
            raise
        except Exception as error:
            if store_lost(error):
                raise
            self._failed(run_id, cell.title, error)
            raise CellFailed(cell.title) from error
        self.tracker.drop_checkpoints(cell.cell_id)
        self.news.finished(found)
        self.parents[cell.cell_id] = run_id
        self.evaluate_queue.fill(children)
        return None if rank is None else rank / cell.latent_dim

    # Evaluation

    def _evaluate(self, claim: Claim) -> float | None:
        self._taken(claim)
        cell = self.evaluate_cells[claim.cell_id]
        if self._done(claim):
            return None
        if cell.pretrain.cell_id not in self.parents:
            self.parents.update(self.tracker.finished())
        parent = self.parents.get(cell.pretrain.cell_id)
        if parent is None:
            return None  # its encoder was lost: who pretrains it again queues this again
        title = f"{cell.title} of {cell.pretrain.title}"
        self.news.tell(Status(title))
        run_id = None
        try:
            dataset, pretrained = self._dataset(cell.dataset), self.tracker.pretrained(parent)
            run_id = self.tracker.start_evaluate(
                cell, parent, describe(dataset), str(self.device), model_id=pretrained.model_id
            )
            encoder, features = self.features.load(cell, dataset, parent, self.plan.readings(cell.pretrain.cell_id))
            outcome = evaluate(cell, dataset, encoder, features, self.device)
            claim.check()
            self._log_outcome(cell, outcome, run_id, pretrained, dataset)
        except ArtifactLost:
            self._close(run_id)
            self._lost(cell.pretrain, parent)
            return None
        except ClaimLost:
            self._close(run_id)
            raise
        except Exception as error:
            if store_lost(error):
                raise
            self._failed(run_id, cell.title, error)
            raise CellFailed(cell.title) from error
        self.parents[cell.cell_id] = run_id
        score = outcome.budget_score, cell.label_fraction, table_protocol(cell.protocol, cell.reading)
        self.news.finished(Finished(title, cell.pretrain.pretext, *score))
        return outcome.budget_score

    def _lost(self, cell: PretrainCell, run_id: str) -> None:
        """Have an encoder that is gone or damaged pretrained again.

        Raises:
            NotYet: somebody has done so.
        """
        self.parents = self.tracker.finished()
        if self.parents.get(cell.cell_id) not in (run_id, None):
            raise NotYet
        if self.parents.pop(cell.cell_id, None) is not None:
            self.tracker.forget(run_id)
        self.pretrain_queue.fill([queued_pretraining(cell, self.dataset_names)])

    def _log_outcome(
        self, cell: EvaluateCell, outcome: Outcome, run_id: str, pretrained: Pretrained, dataset: Dataset
    ) -> None:
        with tempfile.TemporaryDirectory() as folder:
            indices = outcome.budget.indices.numpy().astype(np.int32)
            np.savez_compressed(Path(folder) / "labelled_indices.npz", indices=indices)
            answers = answers_npz(outcome.answers.numpy(), outcome.right.numpy(), len(dataset.classes))
            (Path(folder) / ANSWERS_FILE).write_bytes(answers)
            self.tracker.log_files(run_id, Path(folder))
        costs, model_id = pretrained
        metrics = {
            "accuracy": outcome.accuracy,
            **({} if outcome.budget_score is None else {"budget_accuracy": outcome.budget_score}),
            "evaluate_seconds": outcome.seconds,
            "num_labels": float(len(outcome.budget.indices)),
            **costs_metrics(
                {"evaluate_flops": outcome.flops, **{name: costs[name] for name in COSTS if name in costs}}
            ),
            **outcome.details,
        }
        tags = {"modality": dataset.input_spec.modality, "budget_digest": outcome.budget.digest}
        tags[NUM_CLASSES] = str(len(dataset.classes))
        self.tracker.finish(run_id, metrics, tags, scored(model_id, cell, dataset))

    def _dataset(self, identity: str) -> Dataset:
        if identity not in self.loaded:
            self.loaded[identity] = load_one(self.dataset_names[identity], self.data_root)
        return self.loaded[identity]

    def _close(self, run_id: str | None) -> None:
        """End a run that will not be finished, if it was opened."""
        if run_id is not None:
            self.tracker.close(run_id)

    def _failed(self, run_id: str | None, title: str, error: Exception) -> None:
        """Say that a cell went wrong, in its run too if it was opened."""
        reason = hidden(one_line(f"{type(error).__name__}: {error}"))
        if run_id is not None:
            self.tracker.fail(run_id, reason)
        self.news.failed(Failure(title, reason))
