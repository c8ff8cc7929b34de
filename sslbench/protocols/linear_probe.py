"""Multinomial logistic regression on frozen features."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch

from sslbench.contract.schema import Axis, Count, Folds, Positive, Whole
from sslbench.contract.spec import ProtocolConfig
from sslbench.protocols._base import FrozenProtocol, Prediction
from sslbench.protocols._logistic import Fitted, fit_path
from sslbench.protocols._standardiser import Standardiser


@dataclass(frozen=True)
class LinearProbeConfig(ProtocolConfig):
    """The L2 strengths to choose from, strongest first, and how to choose.

    Attributes:
        strengths: weights of `strength / 2 * |W|^2` beside the mean cross entropy; scikit-learn's `C` is
            `1 / (strength * n)`.
        folds: cross-validation folds inside the budget; fewer where a class has fewer labels.
        single_split_above: larger budgets hold out one fold once instead of each in turn: with thousands of
            held-out labels the choice no longer wavers, and rotating would cost five times as much.
        choose_on_at_most: larger budgets choose on a stratified part of so many labels. scikit-learn's `C` carries
            over to the whole: the strength shrinks as the number of labels grows.
    """

    strengths: Axis[Positive] = (1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
    folds: Folds = 5
    single_split_above: Whole = 5000
    choose_on_at_most: Count = 10_000


@dataclass(frozen=True)
class Choice:
    """The L2 strength a budget chose, its held-out accuracy in [0, 1], and a solution near the final one.

    Where nothing could be held out the last two are None.
    """

    strength: float
    accuracy: float | None
    start: Fitted | None


class LinearProbe(FrozenProtocol):
    """Multinomial logistic regression on standardised features, its L2 strength chosen inside the label budget.

    The choice is by accuracy in stratified cross-validation over the budget, ties going to the stronger penalty. The
    search starts at the strongest and ends once a weaker one is worse than the best by more than its standard error:
    what follows only overfits more, and costs most. Where a class has a single label no fold can both train and
    score it: then the middle strength is used as is.
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
        choice = self.choose(inputs, labels, num_classes, seed)
        everything = torch.ones(1, len(labels), device=features.device)
        fitted = next(fit_path(inputs, labels, everything, [choice.strength], num_classes, choice.start))
        answers = fitted.scores(standardise(test_features))[0].argmax(dim=0)
        return Prediction(answers, choice.accuracy, {"l2": choice.strength})

    def choose(self, inputs: torch.Tensor, labels: torch.Tensor, num_classes: int, seed: int) -> Choice:
        """The best strength for standardised features `(n, d)` of the budget, judged by its own labels `(n,)`."""
        total = len(labels)
        if total > self.config.choose_on_at_most:
            part = stratified_part(labels, self.config.choose_on_at_most, seed)
            inputs, labels = inputs[part], labels[part]
        held_out = hold_out(labels, num_classes, self.config, seed)
        if held_out is None:
            return Choice(self.config.strengths[len(self.config.strengths) // 2], None, None)
        strength, highest, start = self.config.strengths[0], -1.0, None
        scored = float(held_out.sum())
        path = fit_path(inputs, labels, (~held_out).to(inputs.dtype), self.config.strengths, num_classes)
        for tried, fitted in zip(self.config.strengths, path, strict=True):
            right = labels == fitted.scores(inputs).argmax(dim=1)  # (folds, n)
            accuracy = float((right & held_out).sum()) / scored
            if accuracy > highest:
                strength, highest, start = tried, accuracy, fitted.averaged()
            elif accuracy < highest - math.sqrt(highest * (1 - highest) / scored):
                break
        return Choice(strength * len(labels) / total, highest, start)


def stratified_part(labels: torch.Tensor, count: int, seed: int) -> torch.Tensor:
    """Positions, ascending, of about `count` labels with every class in its share."""
    generator = torch.Generator().manual_seed(seed)
    shuffled = torch.randperm(len(labels), generator=generator).to(labels.device)
    by_class = shuffled[labels[shuffled].argsort(stable=True)]
    return by_class[torch.linspace(0, len(labels) - 1, count, device=labels.device).long()].sort().values


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
