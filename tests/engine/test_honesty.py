"""The honesty rules of budgets and of trainings, each held by a test that would notice a breach.

Those of protocols are part of their contract (`sslbench.testing`), which runs over every registered one in
`tests/protocols/test_protocol_contract.py`; here are breaches that it notices.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable

import pytest
import torch

from sslbench.contract.spec import ProtocolConfig
from sslbench.datasets._base import Dataset
from sslbench.encoders import ENCODERS
from sslbench.engine.budget import draw_budget
from sslbench.engine.evaluate import evaluate, extract, refit
from sslbench.engine.pretrain import Pretraining, build
from sslbench.protocols import PROTOCOLS
from sslbench.protocols._base import FrozenProtocol, Prediction
from sslbench.testing import ProtocolContract
from tests.conftest import CPU, evaluate_cell, pretrain_cell


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
        digests.add(evaluate(cell, digits, encoder, extract(encoder, digits, CPU)["latent"], CPU).budget.digest)
    assert len(digests) == 1


def losses(dataset: Dataset, *, evaluating: bool) -> list[float]:
    """The loss curve of a rotation pretraining, with or without evaluations and pictures in between."""
    training = Pretraining(pretrain_cell("rotation"), dataset, CPU)
    curve = []
    for report in training.reports():
        curve.append(report.loss)
        if evaluating:
            encoder = copy.deepcopy(training.pretext.encoder)
            features = extract(encoder, dataset, CPU)["latent"]
            for protocol in ("knn", "linear_probe"):
                evaluate(evaluate_cell(training.cell, 0.02, protocol), dataset, encoder, features, CPU)
    return curve


def test_evaluating_leaves_the_random_numbers_of_training_untouched(digits: Dataset) -> None:
    assert losses(digits, evaluating=True) == losses(digits, evaluating=False)


def breach(answer: Callable[[torch.Tensor, torch.Tensor], Prediction]) -> type[FrozenProtocol]:
    """A protocol that answers from the budget's features and the test features."""

    class Breach(FrozenProtocol):
        Config = ProtocolConfig

        def predict(
            self, features: torch.Tensor, labels: torch.Tensor, test_features: torch.Tensor, num_classes: int, seed: int
        ) -> Prediction:
            return answer(features, test_features)

    return Breach


def zeros(test_features: torch.Tensor) -> torch.Tensor:
    return torch.zeros(len(test_features), dtype=torch.int64)


ANSWERS = "test_it_answers_a_class_for_every_test_input"
BREACHES = {
    "a class there is not": (ANSWERS, lambda known, asked: Prediction(zeros(asked) + 3, 0.5)),
    "a share above one": (ANSWERS, lambda known, asked: Prediction(zeros(asked), 1.5)),
    "too few answers": (ANSWERS, lambda known, asked: Prediction(zeros(asked)[1:], 0.5)),
    "dice": (
        "test_it_follows_the_seed_of_the_cell_and_no_other",
        lambda known, asked: Prediction(
            torch.randint(3, (len(asked),), generator=torch.Generator().manual_seed(torch.Generator().seed())), 0.5
        ),
    ),
    "features written over": (
        "test_it_changes_nothing_it_is_given",
        lambda known, asked: Prediction(zeros(asked.zero_()), 0.5),
    ),
    "the budget's features written over": (
        "test_it_changes_nothing_it_is_given",
        lambda known, asked: Prediction(zeros(asked), float(known.zero_().max())),
    ),
}


@pytest.mark.parametrize("kind", BREACHES.keys())
def test_the_contract_of_protocols_notices(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    test, answer = BREACHES[kind]
    monkeypatch.setitem(vars(PROTOCOLS)["_loaded"], "breach", breach(answer))
    fails(test, "breach", (0.5,) if test == ANSWERS else ())


def test_the_contract_of_protocols_notices_an_engine_that_hands_out_other_labels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sslbench.engine.evaluate._of_budget", lambda features, budget: features[: len(budget.indices)])
    fails("test_labels_outside_the_budget_change_nothing", "knn", (0.5,))


def fails(test: str, protocol: str, more: tuple[float, ...]) -> None:
    """A test of the contract fails on a protocol."""
    contract = ProtocolContract()
    dataset = contract.made_up()
    encoder = ENCODERS.get(contract.encoder)(dataset.input_spec, 8)
    with pytest.raises(AssertionError):
        getattr(contract, test)(protocol, dataset, encoder, *more)


@pytest.mark.parametrize(("pretext", "encoder"), [("dino", "conv"), ("ijepa", "vit")])
def test_an_evaluated_teacher_is_trained_by_fine_tuning_as_any_other_encoder_is(
    digits: Dataset, pretext: str, encoder: str
) -> None:
    cell = evaluate_cell(pretrain_cell(pretext, encoder=encoder), 0.05, "finetune")
    teacher = build(cell.pretrain, digits, CPU).evaluated
    assert all(weight.requires_grad for weight in refit(teacher, encoder, digits.input_spec).parameters())
