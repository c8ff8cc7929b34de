"""The probe agrees with scikit-learn and chooses inside the budget."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from sslbench.datasets._base import Dataset
from sslbench.engine.budget import draw_budget
from sslbench.engine.evaluate import extract
from sslbench.engine.pretrain import build
from sslbench.protocols._logistic import Fitted, fit_path
from sslbench.protocols._standardiser import Standardiser
from sslbench.protocols.linear_probe import LinearProbe, LinearProbeConfig, hold_out, stratified_part
from tests.conftest import CPU, pretrain_cell


@pytest.fixture(scope="module")
def features(digits: Dataset) -> tuple[torch.Tensor, torch.Tensor]:
    encoder = build(pretrain_cell("random_init", latent_dim=32), digits, CPU).encoder
    both = extract(encoder, digits, CPU)["latent"]
    return both.train, both.test


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("strength", [1e-1, 1e-3])
def test_predictions_agree_with_scikit_learn(
    digits: Dataset, features: tuple[torch.Tensor, torch.Tensor], fraction: float, strength: float
) -> None:
    budget = draw_budget("digits", digits.train_labels, fraction, 0)
    labels = digits.train_labels[budget.indices]
    standardise = Standardiser(features[0][budget.indices])
    inputs, test = standardise(features[0][budget.indices]), standardise(features[1])
    fitted = next(fit_path(inputs, labels, torch.ones(1, len(labels)), [strength], 10))
    ours = fitted.scores(test)[0].argmax(dim=0).numpy()
    reference = LogisticRegression(C=1 / (strength * len(labels)), max_iter=5000, tol=1e-8)
    theirs = reference.fit(inputs.double().numpy(), labels.numpy()).predict(test.double().numpy())
    truth = digits.test_labels.numpy()
    assert abs((ours == truth).mean() - (theirs == truth).mean()) <= 0.003
    assert np.abs(fitted.weights[0].numpy() - reference.coef_).max() < 0.05 * np.abs(reference.coef_).max()


def test_folds_solved_together_equal_folds_solved_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs, labels = torch.randn(90, 5, generator=generator), torch.arange(90) % 3
    held_out = hold_out(labels, 3, LinearProbeConfig(), 0)
    assert held_out is not None
    weights = (~held_out).float()
    together = next(fit_path(inputs, labels, weights, [0.1], 3))
    for fold in range(len(weights)):
        alone = next(fit_path(inputs, labels, weights[fold : fold + 1], [0.1], 3))
        torch.testing.assert_close(together.weights[fold], alone.weights[0], atol=5e-3, rtol=0.05)


def test_every_label_is_held_out_once_and_classes_stay_balanced() -> None:
    labels = torch.arange(100) % 4
    held_out = hold_out(labels, 4, LinearProbeConfig(), 1)
    assert held_out is not None
    assert torch.equal(held_out.sum(dim=0), torch.ones(100, dtype=torch.int64))
    for fold in held_out:
        assert torch.equal(torch.bincount(labels[fold], minlength=4), torch.full((4,), 5))


def test_a_single_label_in_a_class_uses_the_middle_strength() -> None:
    labels = torch.arange(5)
    assert hold_out(labels, 5, LinearProbeConfig(), 0) is None
    features = torch.eye(5) * 3
    prediction = LinearProbe(LinearProbeConfig()).predict(features, labels, features, 5, 0)
    assert torch.equal(prediction.labels, labels)
    assert prediction.details["l2"] == LinearProbeConfig().strengths[3]


def test_large_budgets_hold_out_one_fold_once() -> None:
    labels = torch.arange(6000) % 10
    held_out = hold_out(labels, 10, LinearProbeConfig(), 0)
    assert held_out is not None
    assert held_out.shape == (1, 6000)
    assert int(held_out.sum()) == 1200


def test_constant_features_do_not_blow_up() -> None:
    features = torch.cat([torch.randn(40, 2), torch.full((40, 1), 7.0)], dim=1)
    prediction = LinearProbe(LinearProbeConfig()).predict(features, torch.arange(40) % 2, features, 2, 0)
    assert 0 <= prediction.budget_score <= 1


def test_noise_calls_for_a_stronger_penalty_than_signal() -> None:
    generator = torch.Generator().manual_seed(1)
    labels = torch.arange(200) % 2
    noise = torch.randn(200, 50, generator=generator)
    signal = noise.clone()
    signal[:, 0] += 20.0 * labels
    probe = LinearProbe(LinearProbeConfig())
    on_signal = probe.predict(signal, labels, signal, 2, 0)
    on_noise = probe.predict(noise, labels, noise, 2, 0)
    assert on_signal.budget_score > 0.95
    assert on_noise.budget_score < 0.7


def test_large_budgets_choose_on_a_stratified_part_and_keep_the_penalty_of_each_label() -> None:
    generator = torch.Generator().manual_seed(3)
    labels = torch.arange(900) % 3
    inputs = torch.randn(900, 6, generator=generator)
    inputs[:, 0] += labels
    part = stratified_part(labels, 300, seed=5)
    assert torch.equal(torch.bincount(labels[part]), torch.full((3,), 100))
    assert len(part.unique()) == 300
    on_part = LinearProbe(LinearProbeConfig(choose_on_at_most=300)).choose(inputs, labels, 3, seed=5)
    alone = LinearProbe(LinearProbeConfig()).choose(inputs[part], labels[part], 3, seed=5)
    assert on_part.accuracy == alone.accuracy
    assert on_part.strength == pytest.approx(alone.strength / 3)


def test_the_search_ends_once_weaker_penalties_are_clearly_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(1)
    labels = torch.arange(400) % 2
    inputs = torch.randn(400, 120, generator=generator)
    inputs[:, 0] += 1.5 * labels
    solved = []

    def counting(
        inputs: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor, strengths: tuple[float, ...], classes: int
    ) -> Iterator[Fitted]:
        for fitted in fit_path(inputs, labels, weights, strengths, classes):
            solved.append(fitted)
            yield fitted

    whole = LinearProbe(LinearProbeConfig()).choose(inputs, labels, 2, seed=0)
    monkeypatch.setattr("sslbench.protocols.linear_probe.fit_path", counting)
    assert LinearProbe(LinearProbeConfig()).choose(inputs, labels, 2, seed=0).strength == whole.strength
    assert len(solved) < len(LinearProbeConfig().strengths)
