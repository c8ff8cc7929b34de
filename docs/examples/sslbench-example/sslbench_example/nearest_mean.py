"""Answer the class whose mean is nearest."""

from __future__ import annotations

import torch
from torch.nn import functional

from sslbench.protocols import FrozenProtocol, Prediction


class NearestMean(FrozenProtocol):
    """Answer the class whose mean representation lies nearest (Mensink et al. 2013, doi:10.1109/TPAMI.2013.83).

    Nothing is chosen and nothing held out, so the budget does not tell how good it is.
    """

    def predict(
        self, features: torch.Tensor, labels: torch.Tensor, test_features: torch.Tensor, num_classes: int, seed: int
    ) -> Prediction:
        members = functional.one_hot(labels, num_classes).to(features.dtype)  # (n, K)
        counts = members.sum(dim=0)
        means = members.T @ features / counts.clamp_min(1)[:, None]
        distances = torch.cdist(test_features, means)
        distances[:, counts == 0] = float("inf")  # a small budget may lack classes
        return Prediction(distances.argmin(dim=1), budget_score=None)
