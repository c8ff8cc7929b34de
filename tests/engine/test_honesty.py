"""The honesty rules, each held by a test that would notice a breach."""

from __future__ import annotations

import copy
import dataclasses
import itertools

import pytest
import torch

from sslbench.datasets._base import Dataset
from sslbench.engine.budget import draw_budget
from sslbench.engine.evaluate import Features, evaluate, extract
from sslbench.engine.pretrain import Pretraining, build
from tests.conftest import CPU, evaluate_cell, pretrain_cell

PROTOCOLS = ("linear_probe", "knn", "finetune")


def permuted(labels: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Labels with those at the positions `where` shuffled among themselves; surely not as before."""
    changed = labels.clone()
    changed[where] = labels[where.roll(1)]
    assert not torch.equal(changed, labels)
    return changed


def predicted(dataset: Dataset, fraction: float, protocol: str, monkeypatch: pytest.MonkeyPatch) -> torch.Tensor:
    """What a protocol answers for the test split, whatever its labels are."""
    answers: list[torch.Tensor] = []
    cell = evaluate_cell(pretrain_cell("random_init"), fraction, protocol)
    if protocol == "finetune":
        quick = dataclasses.replace(cell.config, min_steps=10, max_steps=10)
        cell = dataclasses.replace(cell, config=quick)
    encoder = build(cell.pretrain, dataset, CPU).encoder
    from sslbench.protocols import PROTOCOLS as registry

    kind = registry.get(protocol)
    original = vars(kind)["predict"]

    def spy(*arguments: object) -> object:
        prediction = original(*arguments)
        answers.append(prediction.labels)
        return prediction

    monkeypatch.setattr(kind, "predict", spy)
    evaluate(cell, dataset, encoder, extract(encoder, dataset, CPU), CPU)
    monkeypatch.undo()
    return answers[0]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("fraction", [0.02, 0.25])
def test_labels_outside_the_budget_change_nothing(
    digits: Dataset, protocol: str, fraction: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = draw_budget("digits", digits.train_labels, fraction, 0)
    outside = torch.ones(len(digits.train_labels), dtype=torch.bool)
    outside[budget.indices] = False
    # The budget is drawn per class, so what may be permuted without drawing another budget is what lies outside it.
    changed = permuted(digits.train_labels, outside.nonzero().flatten())
    other = dataclasses.replace(digits, train_labels=changed)
    monkeypatch.setattr("sslbench.engine.evaluate.draw_budget", lambda *_: budget)
    first = predicted(digits, fraction, protocol, monkeypatch)
    monkeypatch.setattr("sslbench.engine.evaluate.draw_budget", lambda *_: budget)
    assert torch.equal(first, predicted(other, fraction, protocol, monkeypatch))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_test_labels_change_the_score_and_nothing_else(
    digits: Dataset, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = permuted(digits.test_labels, torch.arange(len(digits.test_labels)))
    other = dataclasses.replace(digits, test_labels=changed)
    first = predicted(digits, 0.1, protocol, monkeypatch)
    assert torch.equal(first, predicted(other, 0.1, protocol, monkeypatch))
    cell = evaluate_cell(pretrain_cell("random_init"), 0.1, "knn")
    encoder = build(cell.pretrain, digits, CPU).encoder
    features = extract(encoder, digits, CPU)
    before, after = (evaluate(cell, data, encoder, features, CPU) for data in (digits, other))
    assert before.accuracy != after.accuracy
    assert before.budget_score == after.budget_score
    assert before.details == after.details


def test_smaller_budgets_lie_inside_larger_ones(digits: Dataset) -> None:
    budgets = [draw_budget("digits", digits.train_labels, fraction, 3) for fraction in (0.01, 0.05, 0.1, 0.5, 1.0)]
    for smaller, larger in itertools.pairwise(budgets):
        assert set(smaller.indices.tolist()) < set(larger.indices.tolist())
    assert len(budgets[-1].indices) == len(digits.train_labels)


def test_budgets_are_stratified_with_at_least_one_per_class(digits: Dataset) -> None:
    sizes = torch.bincount(digits.train_labels)
    for fraction in (0.001, 0.01, 0.1, 0.3):
        budget = draw_budget("digits", digits.train_labels, fraction, 0)
        counts = torch.bincount(digits.train_labels[budget.indices], minlength=10)
        assert torch.equal(counts, (sizes * fraction).round().clamp_min(1).long())


def test_budgets_depend_on_dataset_fraction_and_seed_alone(digits: Dataset) -> None:
    drawn = draw_budget("digits", digits.train_labels, 0.05, 0)
    torch.manual_seed(999)
    assert draw_budget("digits", digits.train_labels, 0.05, 0).digest == drawn.digest
    assert draw_budget("digits", digits.train_labels, 0.05, 1).digest != drawn.digest
    assert draw_budget("mnist", digits.train_labels, 0.05, 0).digest != drawn.digest


def test_every_pretext_is_evaluated_on_the_same_labels(digits: Dataset) -> None:
    digests = set()
    for pretext in ("random_init", "autoencoder", "rotation"):
        cell = evaluate_cell(pretrain_cell(pretext), 0.05, "knn")
        encoder = build(cell.pretrain, digits, CPU).encoder
        digests.add(evaluate(cell, digits, encoder, extract(encoder, digits, CPU), CPU).budget.digest)
    assert len(digests) == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_evaluation_leaves_the_encoder_as_it_was(digits: Dataset, protocol: str) -> None:
    cell = evaluate_cell(pretrain_cell("random_init"), 0.02, protocol)
    if protocol == "finetune":
        cell = dataclasses.replace(cell, config=dataclasses.replace(cell.config, min_steps=5, max_steps=5))
    encoder = build(cell.pretrain, digits, CPU).encoder
    before = copy.deepcopy(encoder.state_dict())
    evaluate(cell, digits, encoder, extract(encoder, digits, CPU), CPU)
    after = encoder.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def losses(dataset: Dataset, *, evaluating: bool) -> list[float]:
    """The loss curve of a rotation pretraining, with or without evaluations and pictures in between."""
    training = Pretraining(pretrain_cell("rotation"), dataset, CPU)
    curve = []
    for report in training.reports():
        curve.append(report.loss)
        if evaluating:
            encoder = copy.deepcopy(training.pretext.encoder)
            features = extract(encoder, dataset, CPU)
            for protocol in ("knn", "linear_probe"):
                evaluate(evaluate_cell(training.cell, 0.02, protocol), dataset, encoder, features, CPU)
    return curve


def test_evaluating_leaves_the_random_numbers_of_training_untouched(digits: Dataset) -> None:
    assert losses(digits, evaluating=True) == losses(digits, evaluating=False)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_same_seed_gives_the_same_outcome_in_any_order(digits: Dataset, protocol: str) -> None:
    def outcome(warm_up: int) -> float:
        torch.manual_seed(warm_up)
        cell = evaluate_cell(pretrain_cell("autoencoder"), 0.05, protocol)
        if protocol == "finetune":
            cell = dataclasses.replace(cell, config=dataclasses.replace(cell.config, min_steps=5, max_steps=5))
        training = Pretraining(cell.pretrain, digits, CPU)
        for _ in training.reports():
            pass
        features = extract(training.pretext.encoder, digits, CPU)
        for _ in range(warm_up):
            evaluate(cell, digits, training.pretext.encoder, features, CPU)
        return evaluate(cell, digits, training.pretext.encoder, features, CPU).accuracy

    assert outcome(0) == outcome(2)


def test_a_frozen_protocol_sees_no_more_features_than_the_budget(digits: Dataset) -> None:
    cell = evaluate_cell(pretrain_cell("random_init"), 0.05, "knn")
    encoder = build(cell.pretrain, digits, CPU).encoder
    features = extract(encoder, digits, CPU)
    budget = draw_budget("digits", digits.train_labels, 0.05, 0)
    spoiled = torch.full_like(features.train, float("nan"))
    spoiled[budget.indices] = features.train[budget.indices]
    honest = evaluate(cell, digits, encoder, features, CPU)
    blind = evaluate(cell, digits, encoder, Features(spoiled, features.test), CPU)
    assert honest.accuracy == blind.accuracy
