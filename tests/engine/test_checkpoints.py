"""Scoring an encoder in training changes nothing of the training, to the bit."""

from __future__ import annotations

import copy
import dataclasses

import pytest
import torch

from sslbench.datasets._base import Dataset
from sslbench.engine.budget import draw_budget
from sslbench.engine.evaluate import evaluate, extract, extract_budget
from sslbench.engine.pretrain import Pretraining, build
from tests.conftest import CPU, evaluate_cell, pretrain_cell

CHECKPOINTS = (0.3, 0.4, 1.0)


def trained(
    dataset: Dataset, pretext: str, checkpoints: tuple[float, ...]
) -> tuple[dict[str, torch.Tensor], list[float]]:
    """Weights after one epoch, and the epochs at which the encoder was scored."""
    cell = dataclasses.replace(pretrain_cell(pretext), epochs=1.0, checkpoints=checkpoints)
    training = Pretraining(cell, dataset, CPU)
    scored: list[float] = []
    for report in training.reports():
        for epochs in report.checkpoints:
            encoder = copy.deepcopy(training.pretext.encoder)
            child = evaluate_cell(cell, 0.02, "knn")
            evaluate(child, dataset, encoder, extract_budget(child, encoder, dataset, CPU), CPU)
            scored.append(epochs)
    return training.pretext.state_dict(), scored


@pytest.mark.parametrize("pretext", ["rotation", "moco"])
def test_checkpoints_leave_every_weight_and_statistic_as_it_would_be(digits: Dataset, pretext: str) -> None:
    undisturbed, nothing = trained(digits, pretext, ())
    disturbed, scored = trained(digits, pretext, CHECKPOINTS)
    assert nothing == []
    assert scored == list(CHECKPOINTS)
    assert undisturbed.keys() == disturbed.keys()
    assert all(torch.equal(undisturbed[name], disturbed[name]) for name in undisturbed)


def test_a_checkpoint_computes_no_features_outside_its_budget(digits: Dataset) -> None:
    cell = evaluate_cell(pretrain_cell("random_init"), 0.05, "knn")
    encoder = build(cell.pretrain, digits, CPU).encoder
    few, every = extract_budget(cell, encoder, digits, CPU), extract(encoder, digits, CPU)["latent"]
    budget = draw_budget("digits", digits.train_labels, 0.05, 0).indices
    known = few.train.isfinite().all(dim=1)
    assert known.nonzero().flatten().tolist() == budget.tolist()
    assert torch.equal(few.test, every.test)
    torch.testing.assert_close(few.train[budget], every.train[budget])
    assert evaluate(cell, digits, encoder, few, CPU).accuracy == evaluate(cell, digits, encoder, every, CPU).accuracy


def test_a_checkpoint_falls_on_the_step_its_epochs_end_at(digits: Dataset) -> None:
    cell = dataclasses.replace(pretrain_cell("rotation"), epochs=3.0, checkpoints=(1.0, 1.5, 3.0))
    training = Pretraining(cell, digits, CPU)
    per_epoch = len(digits.unlabelled_inputs) / training.batch_size
    assert training.checkpoints == {round(per_epoch): (1.0,), round(1.5 * per_epoch): (1.5,), training.steps: (3.0,)}


def test_checkpoints_closer_than_a_step_share_it(digits: Dataset) -> None:
    cell = dataclasses.replace(pretrain_cell("rotation"), epochs=1.0, checkpoints=(0.001, 0.002))
    assert Pretraining(cell, digits, CPU).checkpoints == {1: (0.001, 0.002)}
