"""Train the whole network on the label budget."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from sslbench.contract.schema import ProperShare, Steps, Whole
from sslbench.contract.spec import OptimizerConfig, ProtocolConfig
from sslbench.encoders._base import INFERENCE_BATCH, Encoder
from sslbench.modalities import modality_of
from sslbench.numerics.flops import counted
from sslbench.numerics.optimization import EndlessBatches, build_optimizer, learning_rate_factor, set_learning_rate
from sslbench.numerics.randomness import island
from sslbench.protocols._base import USUAL, Effort, Prediction, TrainedProtocol

SCORED_STEPS = 20


@dataclass(frozen=True)
class FinetuneConfig(ProtocolConfig):
    """The one recipe of `finetune` and `supervised`.

    AdamW with a cosine to zero, mild views and smoothed labels. The steps are meant to be where accuracy stops gaining
    at every budget: `benchmarks/convergence.py` asks what a quarter, half and twice of them reach.

    Attributes:
        epochs: passes over the budget, as far as `min_steps` and `max_steps` allow.
        min_steps: lower bound on optimiser steps, so that a small budget is not undertrained (the rule of the
            few-label experiments of Gidaris et al. 2018).
        max_steps: upper bound; equal to `min_steps` it gives every budget the same number of steps.
        plain_share: of the steps, the last, which see the inputs as they are. Views teach much where labels are few
            and hide what the test inputs look like where they are many (He et al. 2019, arXiv:1909.09148).
        label_smoothing: share of the target that is spread over all classes (Szegedy et al. 2015, arXiv:1512.00567).
    """

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=1e-2, weight_decay=0.1, batch_size=64)
    epochs: Steps = 32
    min_steps: Whole = 2000
    max_steps: Steps = 24_000
    plain_share: ProperShare = 0.25
    label_smoothing: ProperShare = 0.1

    def steps(self, num_labels: int) -> int:
        """How many optimiser steps a budget of `num_labels` gets."""
        wanted = math.ceil(self.epochs * num_labels / self.optimizer.batch_size)
        return min(max(wanted, self.min_steps), self.max_steps)


class Finetune(TrainedProtocol):
    """Train encoder and a linear head together on the label budget, first on the mild views of its modality (for images
    shifts, and a mirror if allowed), in the end on the inputs themselves.

    Nothing is chosen along the way: the last weights answer.
    """

    Config: ClassVar[type[ProtocolConfig]] = FinetuneConfig

    def __init__(self, config: FinetuneConfig) -> None:
        self.config = config

    def predict(
        self,
        encoder: Encoder,
        inputs: torch.Tensor,
        labels: torch.Tensor,
        test_inputs: torch.Tensor,
        num_classes: int,
        effort: Effort = USUAL,
    ) -> Prediction:
        device, modality, policy = labels.device, modality_of(encoder.input_spec), encoder.input_spec.views
        head = nn.Linear(encoder.latent_dim, num_classes).to(device)
        network = nn.Sequential(encoder, nn.ReLU(), head).to(memory_format=modality.memory_format)
        optimizer = build_optimizer(network, self.config.optimizer)
        batch_size = min(self.config.optimizer.batch_size, len(labels))
        smoothing, right = self.config.label_smoothing, torch.zeros((), device=device)

        def learn(network: nn.Module, chosen: torch.Tensor, plain: bool = False) -> torch.Tensor:
            """Scores of a batch, its gradients left on the network's parameters."""
            batch = modality.batch(inputs[chosen])
            scores = network(batch if plain else modality.mild_view(batch, policy))
            functional.cross_entropy(scores, labels[chosen], label_smoothing=smoothing).backward()
            return scores

        network.train()
        with island(0):  # counted on the side: nothing of the training changes by it
            everything = torch.arange(batch_size, device=device)
            flops = counted(lambda: learn(copy.deepcopy(network), everything))[1]
        stretched = max(1, round(effort.stretch * self.config.steps(len(labels))))
        steps = stretched + math.ceil(effort.extra_flops / flops)
        batches = EndlessBatches(len(labels), batch_size, device)
        for step in range(steps):
            chosen = next(batches)
            factor = learning_rate_factor(self.config.optimizer, step, steps)
            set_learning_rate(optimizer, self.config.optimizer.learning_rate * factor)
            scores = learn(network, chosen, step >= (1 - self.config.plain_share) * steps)
            optimizer.step()
            optimizer.zero_grad()
            if step >= steps - SCORED_STEPS:
                right += (scores.argmax(dim=1) == labels[chosen]).float().mean()
        network.eval()
        with torch.inference_mode():
            scored = (network(modality.batch(part)) for part in test_inputs.split(INFERENCE_BATCH))
            answers = torch.cat([scores.argmax(dim=1) for scores in scored])
        train_accuracy = float(right) / min(steps, SCORED_STEPS)
        return Prediction(answers, None, {"steps": steps, "train_accuracy": train_accuracy}, flops * steps)
