"""Vote among the nearest labelled inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn import functional

from sslbench.protocols._base import FrozenProtocol, Prediction
from sslbench.spec import ProtocolConfig

CHUNK = 1000  # queries at a time: 60,000 neighbours x 1,000 queries are 240 MB
PROBED = 2000  # how many of the bank the leave-one-out score asks


@dataclass(frozen=True)
class KNNConfig(ProtocolConfig):
    """Fixed, not tuned: the usual k = 200 (Wu et al.) would exceed a small budget's classes."""

    neighbours: int = 20
    temperature: float = 0.07


class KNN(FrozenProtocol):
    """Weighted k-nearest-neighbour vote by cosine similarity; the bank is the labelled subset, nothing else.

    Wu et al. 2018, arXiv:1805.01978: each neighbour votes with weight exp(similarity / temperature).
    """

    Config: ClassVar[type[ProtocolConfig]] = KNNConfig

    def __init__(self, config: KNNConfig) -> None:
        self.config = config

    def predict(
        self, features: torch.Tensor, labels: torch.Tensor, test_features: torch.Tensor, num_classes: int, seed: int
    ) -> Prediction:
        bank = functional.normalize(features, dim=1)
        queries = functional.normalize(test_features, dim=1)
        answers = torch.cat([self._vote(chunk, bank, labels, num_classes) for chunk in queries.split(CHUNK)])
        return Prediction(answers, self._leave_one_out(bank, labels, num_classes, seed))

    def _vote(
        self,
        queries: torch.Tensor,
        bank: torch.Tensor,
        labels: torch.Tensor,
        num_classes: int,
        *,
        skip_self: bool = False,
    ) -> torch.Tensor:
        """Predicted class `(q,)`; with `skip_self` the nearest neighbour, the query itself, has no vote."""
        count = min(self.config.neighbours + skip_self, len(bank))
        similarity, nearest = (queries @ bank.T).topk(count, dim=1)
        weights = ((similarity - 1) / self.config.temperature).exp()
        votes = torch.zeros(len(queries), num_classes, device=queries.device)
        start = 1 if skip_self else 0
        votes.scatter_add_(1, labels[nearest[:, start:]], weights[:, start:])
        return votes.argmax(dim=1)

    def _leave_one_out(self, bank: torch.Tensor, labels: torch.Tensor, num_classes: int, seed: int) -> float:
        if len(bank) < 2:
            return 0.0
        generator = torch.Generator().manual_seed(seed)
        asked = torch.randperm(len(bank), generator=generator)[:PROBED].to(bank.device)
        answers = [self._vote(bank[chunk], bank, labels, num_classes, skip_self=True) for chunk in asked.split(CHUNK)]
        return float((torch.cat(answers) == labels[asked]).float().mean())
