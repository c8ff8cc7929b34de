"""What every protocol promises. No argument carries a test label or a label outside the budget."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import torch

from sslbench.contract.spec import ProtocolConfig
from sslbench.encoders._base import Encoder


@dataclass(frozen=True)
class Prediction:
    """What a protocol answers.

    Attributes:
        labels: int64 `(N,)`, the predicted class of every test input.
        budget_score: accuracy in [0, 1] on labels of the budget that were held out (cross-validation, leave-one-out):
            what a person may look at when choosing; None where nothing was, e.g. of one label a class.
        details: chosen hyper-parameters and the like, logged as metrics of the run.
        training_flops: floating-point operations of training the network; 0 for protocols that do not.
    """

    labels: torch.Tensor
    budget_score: float | None
    details: dict[str, float] = field(default_factory=dict)
    training_flops: float = 0.0


@dataclass(frozen=True)
class Effort:
    """How much longer than its own settings say a protocol trains, for baselines that ask what training longer adds.

    Attributes:
        stretch: multiple of its own steps.
        extra_flops: floating-point operations of further steps.
    """

    stretch: float = 1.0
    extra_flops: float = 0.0


#: As long as the settings say.
USUAL = Effort()


class Protocol:
    """A protocol of either kind; subclass `FrozenProtocol` or `TrainedProtocol`.

    Attributes:
        Config: the frozen dataclass of this protocol's settings.
        modality: the one its inputs must be of; None for a protocol that fits any.
    """

    Config: ClassVar[type[ProtocolConfig]] = ProtocolConfig
    modality: ClassVar[str | None] = None

    def __init__(self, config: ProtocolConfig) -> None:
        self.settings = config


class FrozenProtocol(Protocol, ABC):
    """Sees representations only, so it cannot change the encoder."""

    @abstractmethod
    def predict(
        self, features: torch.Tensor, labels: torch.Tensor, test_features: torch.Tensor, num_classes: int, seed: int
    ) -> Prediction:
        """Learn from the budget, answer for the test inputs.

        Args:
            features: `(n, latent_dim)` of the budget.
            labels: int64 `(n,)` of the budget.
            test_features: `(N, latent_dim)`.
            num_classes: how many classes the dataset has; a small budget may lack some.
            seed: fixes every random choice.
        """


class TrainedProtocol(Protocol, ABC):
    """Trains the encoder further, in place: hand it a copy."""

    @abstractmethod
    def predict(
        self,
        encoder: Encoder,
        inputs: torch.Tensor,
        labels: torch.Tensor,
        test_inputs: torch.Tensor,
        num_classes: int,
        effort: Effort = USUAL,
    ) -> Prediction:
        """Train on the budget, answer for the test inputs. Draws from torch's global generator.

        Args:
            encoder: starting point; its weights change.
            inputs: `(n, ...)` of the budget, as the dataset stores them.
            labels: int64 `(n,)` of the budget.
            test_inputs: `(N, ...)`, likewise.
            num_classes: how many classes the dataset has.
            effort: how long to train.
        """
