"""Selection rules of `sslbench tune`: how good is an encoder, without the test split? One entry here adds one."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch

from sslbench.contract.registry import Registry
from sslbench.encoders._base import Encoder
from sslbench.engine.evaluate import represent
from sslbench.engine.pretrain import TrainingError
from sslbench.numerics.diagnostics import NUM_SAMPLES, rankme
from sslbench.numerics.randomness import island
from sslbench.protocols import PROTOCOLS
from sslbench.protocols._base import FrozenProtocol

SUPERVISED = "supervised"


@dataclass(frozen=True)
class Sight:
    """All that a rule may look at. There is no field for a test input, a test label or a label outside the budget.

    Attributes:
        inputs: of the label budget, as the dataset stores them, `(n, ...)`.
        labels: int64 `(n,)` of the label budget.
        unlabelled: likewise, `(M, ...)`.
        num_classes: how many classes the dataset has.
        seed: of every random choice a rule makes.
    """

    inputs: torch.Tensor
    labels: torch.Tensor
    unlabelled: torch.Tensor
    num_classes: int
    seed: int


class Criterion(ABC):
    """A selection rule; larger scores are better.

    Attributes:
        uses_labels: whether scores depend on the labels of the budget.
    """

    uses_labels: ClassVar[bool] = True

    @abstractmethod
    def unsuitable(self, arm: str, sight: Sight) -> str | None:
        """Why the rule cannot judge an arm (a pretext, or `supervised`); None if it can."""

    @abstractmethod
    def score(self, encoder: Encoder, sight: Sight, device: torch.device) -> float:
        """How good an encoder is. It is left as it was, to the bit, and so are the random numbers of its training.

        Raises:
            TrainingError: its representation is not finite.
        """


class BudgetCV(Criterion):
    """Accuracy of the linear probe, cross-validated inside the label budget (of fine-tuning for `supervised`)."""

    def unsuitable(self, arm: str, sight: Sight) -> str | None:
        counts = torch.bincount(sight.labels)
        if int(counts[counts > 0].min()) >= 2:
            return None
        return f"of its {len(sight.labels)} labels a class has one, and cross-validation needs two; give more labels"

    def score(self, encoder: Encoder, sight: Sight, device: torch.device) -> float:
        features = _features(encoder, sight.inputs, device)
        protocol = PROTOCOLS.get("linear_probe")
        probe = protocol(protocol.Config())
        if not isinstance(probe, FrozenProtocol):
            raise TypeError("the linear probe must not train the encoder")
        with island(sight.seed):
            nobody = features[:0]
            found = probe.predict(features, sight.labels.to(device), nobody, sight.num_classes, sight.seed)
        if found.budget_score is None:
            raise ValueError("cross-validation needs two labels of every class; `unsuitable` says so beforehand")
        return found.budget_score


class LabelFree(Criterion):
    """RankMe of the representation: its effective rank over unlabelled inputs; no label is used."""

    uses_labels: ClassVar[bool] = False

    def unsuitable(self, arm: str, sight: Sight) -> str | None:
        if arm != SUPERVISED:
            return None
        return "it learns from labels, and a rule without labels cannot judge it; use budget_cv"

    def score(self, encoder: Encoder, sight: Sight, device: torch.device) -> float:
        return rankme(_features(encoder, sight.unlabelled[:NUM_SAMPLES], device))


CRITERIA: Registry[type[Criterion]] = Registry(
    "criterion", {"budget_cv": "sslbench.tuning.criteria:BudgetCV", "label_free": "sslbench.tuning.criteria:LabelFree"}
)


def _features(encoder: Encoder, inputs: torch.Tensor, device: torch.device) -> torch.Tensor:
    features = represent(copy.deepcopy(encoder), inputs, device)["latent"]
    if not bool(features.isfinite().all()):
        raise TrainingError("the representation is not finite")
    return features
