"""Multinomial logistic regression on frozen features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from sslbench.protocols._base import FrozenProtocol, Prediction
from sslbench.protocols._logistic import Standardiser, fit_path
from sslbench.spec import ProtocolConfig


@dataclass(frozen=True)
class LinearProbeConfig(ProtocolConfig):
    """The L2 strengths to choose from, strongest first, and how to choose.

    Attributes:
        strengths: weights of `strength / 2 * |W|^2` beside the mean cross entropy; scikit-learn's `C` is
            `1 / (strength * n)`.
        folds: cross-validation folds inside the budget; fewer where a class has fewer labels.
        single_split_above: larger budgets hold out one fold once instead of each in turn: with thousands of
            held-out labels the choice no longer wavers, and rotating would cost five times as much.
    """

    strengths: tuple[float, ...] = (1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
    folds: int = 5
    single_split_above: int = 5000


class LinearProbe(FrozenProtocol):
    """Multinomial logistic regression on standardised features, its L2 strength chosen inside the label budget.

    The choice is by accuracy in stratified cross-validation over the budget, ties going to the stronger penalty.
    Where a class has a single label no fold can both train and score it: then the middle strength is used as is.
    The standard protocol of self-supervised learning, e.g. Kornblith et al. 2019, arXiv:1805.08974.
    """

    Config: ClassVar[type[ProtocolConfig]] = LinearProbeConfig

    def __init__(self, config: LinearProbeConfig) -> None:
        self.config = config

    def predict(
        self, features: torch.Tensor, labels: torch.Tensor, test_features: torch.Tensor, num_classes: int, seed: int
    ) -> Prediction:
        standardise = Standardiser(features)
        inputs = standardise(features)
        chosen, score = self._choose(inputs, labels, num_classes, seed)
        everything = torch.ones(1, len(labels), device=features.device)
        strengths = self.config.strengths[: chosen + 1]
        fitted = fit_path(inputs, labels, everything, strengths[-1:], num_classes)[-1]
        answers = fitted.scores(standardise(test_features))[:, 0].argmax(dim=1)
        return Prediction(answers, score, {"l2": strengths[-1]})

    def _choose(self, inputs: torch.Tensor, labels: torch.Tensor, num_classes: int, seed: int) -> tuple[int, float]:
        """Index of the best strength and its cross-validated accuracy."""
        held_out = hold_out(labels, num_classes, self.config, seed)
        if held_out is None:
            return len(self.config.strengths) // 2, 0.0
        path = fit_path(inputs, labels, (~held_out).float(), self.config.strengths, num_classes)
        accuracies = []
        for fitted in path:
            right = labels == fitted.scores(inputs).argmax(dim=2).T  # (folds, n)
            accuracies.append(float((right & held_out).sum()) / float(held_out.sum()))
        best = max(range(len(accuracies)), key=lambda index: (accuracies[index], -index))
        return best, accuracies[best]


def hold_out(labels: torch.Tensor, num_classes: int, config: LinearProbeConfig, seed: int) -> torch.Tensor | None:
    """Which label each fold holds out, bool `(folds, n)`, stratified; None where a class has a single label."""
    counts = torch.bincount(labels, minlength=num_classes)
    folds = min(config.folds, int(counts[counts > 0].min()))
    if folds < 2:
        return None
    generator = torch.Generator().manual_seed(seed)
    shuffled = torch.randperm(len(labels), generator=generator).to(labels.device)
    by_class = shuffled[labels[shuffled].argsort(stable=True)]
    fold_of = torch.empty_like(labels)
    fold_of[by_class] = torch.arange(len(labels), device=labels.device) % folds
    used = 1 if len(labels) > config.single_split_above else folds
    return fold_of == torch.arange(used, device=labels.device)[:, None]
