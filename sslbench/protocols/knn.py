"""Vote among the nearest labelled inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from sslbench.contract.schema import Positive, Size
from sslbench.contract.spec import ProtocolConfig
from sslbench.protocols._base import FrozenProtocol, Prediction
from sslbench.protocols._standardiser import Standardiser

CHUNK = 250  # queries at a time: 60,000 neighbours x 250 queries are 60 MB
PROBED = 2000  # how many of the bank the leave-one-out score asks
EPSILON = 1e-12  # the shortest length a feature is divided by
BLOCK = 64  # neighbours whose largest similarity is looked at before their own


def nearest(similarity: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The `count` largest of each row of `(q, n)` and their places, both `(q, count)`, largest first.

    What is among a row's largest lies in one of the `count` blocks with the largest maxima, so only those are
    sorted: exact, and twice as fast as sorting out whole rows.
    """
    blocks = similarity.shape[1] // BLOCK
    if blocks <= 2 * count:
        found = similarity.topk(count, dim=1)
        return found.values, found.indices
    whole, rest = similarity[:, : blocks * BLOCK].unflatten(1, (blocks, BLOCK)), similarity[:, blocks * BLOCK :]
    chosen = whole.amax(dim=2).topk(count, dim=1).indices
    candidates = whole.gather(1, chosen[:, :, None].expand(-1, -1, BLOCK)).flatten(1)
    found = torch.cat([candidates, rest], dim=1).topk(count, dim=1)
    block = chosen.gather(1, (found.indices // BLOCK).clamp(max=count - 1))
    in_rest = found.indices >= count * BLOCK
    places = torch.where(in_rest, found.indices - count * BLOCK + blocks * BLOCK, block * BLOCK + found.indices % BLOCK)
    return found.values, places


@dataclass(frozen=True)
class Bank:
    """Features `(n, d)` of length 1, and their labels `(n,)`."""

    features: torch.Tensor
    labels: torch.Tensor


@dataclass(frozen=True)
class KNNConfig(ProtocolConfig):
    """Fixed, not tuned: the usual k = 200 (Wu et al.) would exceed a small budget's classes."""

    neighbours: Size = 20
    temperature: Positive = 0.07


class KNN(FrozenProtocol):
    """Weighted k-nearest-neighbour vote by cosine similarity; the bank is the labelled subset, nothing else.

    Wu et al. 2018, arXiv:1805.01978: each neighbour votes with weight exp(similarity / temperature). Features are
    standardised over the budget first, as for the linear probe: a cosine between features that share a large mean, as
    those of pixels and of untrained networks do, tells little about them.
    """

    Config: ClassVar[type[ProtocolConfig]] = KNNConfig

    def __init__(self, config: KNNConfig) -> None:
        self.config = config

    def predict(
        self, features: torch.Tensor, labels: torch.Tensor, test_features: torch.Tensor, num_classes: int, seed: int
    ) -> Prediction:
        standardise = Standardiser(features)
        bank = Bank(_directions(standardise(features)), labels)
        answers = self._vote(_directions(standardise(test_features)), bank, num_classes)
        return Prediction(answers, self._leave_one_out(bank, num_classes, seed))

    def _vote(self, queries: torch.Tensor, bank: Bank, num_classes: int, *, skip_self: bool = False) -> torch.Tensor:
        """Predicted class `(q,)`; with `skip_self` the nearest neighbour, the query itself, has no vote."""
        count = min(self.config.neighbours + skip_self, len(bank.labels))
        start = 1 if skip_self else 0
        # One piece of memory for all products: fresh pages for each would cost as much as the product.
        product = queries.new_empty(CHUNK, len(bank.labels))
        answers = []
        for chunk in queries.split(CHUNK):
            cosines = torch.mm(chunk, bank.features.T, out=product[: len(chunk)])
            similarity, places = nearest(cosines, count)
            weights = ((similarity - 1) / self.config.temperature).exp()
            votes = torch.zeros(len(chunk), num_classes, device=queries.device)
            votes.scatter_add_(1, bank.labels[places[:, start:]], weights[:, start:])
            answers.append(votes.argmax(dim=1))
        return torch.cat(answers)

    def _leave_one_out(self, bank: Bank, num_classes: int, seed: int) -> float | None:
        """Share of the bank's labels that the rest of it tells; None where no class has another label to tell it by."""
        if int(torch.bincount(bank.labels).max()) < 2:
            return None
        generator = torch.Generator().manual_seed(seed)
        asked = torch.randperm(len(bank.labels), generator=generator)[:PROBED].to(bank.labels.device)
        answers = self._vote(bank.features[asked], bank, num_classes, skip_self=True)
        return float((answers == bank.labels[asked]).float().mean())


def _directions(features: torch.Tensor) -> torch.Tensor:
    """Features scaled to length 1, in place: a copy would be the largest thing a worker holds."""
    return features.div_(features.norm(dim=1, keepdim=True).clamp_min_(EPSILON))
