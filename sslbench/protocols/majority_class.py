"""Answer the commonest class."""

from __future__ import annotations

import torch

from sslbench.protocols._base import FrozenProtocol, Prediction


class MajorityClass(FrozenProtocol):
    """Answer the most frequent class of the label budget for every input; ties go to the lowest label."""

    def predict(
        self, features: torch.Tensor, labels: torch.Tensor, test_features: torch.Tensor, num_classes: int, seed: int
    ) -> Prediction:
        counts = torch.bincount(labels, minlength=num_classes)
        answer = int(counts.argmax())
        answers = torch.full((len(test_features),), answer, dtype=torch.int64)
        return Prediction(answers, None, {"train_accuracy": float(counts[answer]) / len(labels)})
