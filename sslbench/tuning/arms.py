"""What is tuned: each pretext, and `supervised` on the same terms. An arm trains in stretches, scored after each."""

from __future__ import annotations

import dataclasses
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from sklearn.model_selection import StratifiedKFold

from sslbench.contract.cells import PretrainCell
from sslbench.contract.identity import named_seed
from sslbench.datasets._base import Dataset
from sslbench.engine.pretrain import Pretraining, TrainingError, build
from sslbench.numerics.flops import counted
from sslbench.numerics.randomness import island
from sslbench.protocols import PROTOCOLS
from sslbench.protocols._base import TrainedProtocol
from sslbench.protocols.finetune import FinetuneConfig
from sslbench.tuning.criteria import Criterion, Sight

STRETCHES = 5


@dataclass(frozen=True)
class Stretch:
    """Where a trial is after one of its stretches.

    Attributes:
        share: of the trial done, in (0, 1].
        score: so far; larger is better. NaN says that the training went wrong numerically and ended.
        seconds, samples, flops: of the trial so far.
    """

    share: float
    score: float
    seconds: float
    samples: int
    flops: float


@dataclass(frozen=True)
class Bench:
    """What arms train on and are judged by.

    Attributes:
        seen: the dataset that pretexts train on; only its unlabelled inputs are used.
        blind: the evaluated dataset with nothing in it but the label budget.
    """

    seen: Dataset
    blind: Dataset
    sight: Sight
    rule: Criterion
    device: torch.device


class Arm(ABC):
    """Something with settings to tune.

    Attributes:
        name: a pretext, or `supervised`.
        config: the suite's own settings, where every arm starts.
    """

    def __init__(self, name: str, config: Any) -> None:
        self.name, self.config = name, config

    @abstractmethod
    def stretches(self, config: Any) -> Iterator[Stretch]:
        """Train with a config; the caller may stop asking at any stretch."""


class PretextArm(Arm):
    """A pretraining, its encoder judged after each fifth.

    Args:
        cell: of the pretraining; its config is where tuning starts.
    """

    def __init__(self, cell: PretrainCell, bench: Bench) -> None:
        super().__init__(cell.pretext, cell.config)
        ends = tuple(cell.epochs * number / STRETCHES for number in range(1, STRETCHES + 1))
        self.cell, self.bench = dataclasses.replace(cell, checkpoints=ends), bench

    def stretches(self, config: Any) -> Iterator[Stretch]:
        started = time.perf_counter()
        bench = self.bench
        training = Pretraining(dataclasses.replace(self.cell, config=config), bench.seen, bench.device)
        share, samples, flops = 0.0, 0, 0.0
        try:
            for report in training.reports():
                samples, share = report.step * training.batch_size, report.step / report.steps
                flops = training.flops * share
                if report.checkpoints:
                    score = bench.rule.score(training.pretext.evaluated, bench.sight, bench.device)
                    seconds = time.perf_counter() - started
                    for end in report.checkpoints:
                        yield Stretch(end / self.cell.epochs, score, seconds, samples, flops)
        except TrainingError:
            yield Stretch(share, math.nan, time.perf_counter() - started, samples, flops)


class SupervisedArm(Arm):
    """Training from scratch inside the label budget by protocol `finetune`, cross-validated: a fold is a stretch.

    Args:
        cell: of the untrained encoder.
        config: of the protocol.
        share: of the optimiser steps that a suite gives `supervised`, per fold.
    """

    def __init__(self, cell: PretrainCell, config: FinetuneConfig, share: float, bench: Bench) -> None:
        steps = max(1, round(share * config.steps(len(bench.sight.labels))))
        super().__init__(cell.pretext, dataclasses.replace(config, min_steps=steps, max_steps=steps))
        self.cell, self.bench, self.sight, self.steps = cell, bench, bench.sight, steps

    def stretches(self, config: Any) -> Iterator[Stretch]:
        labels = self.sight.labels
        folds = min(STRETCHES, int(torch.bincount(labels)[labels.unique()].min()))
        draw = StratifiedKFold(folds, shuffle=True, random_state=self.sight.seed % 2**32)
        flops = self.steps * self._flops(config)
        started, right, asked, samples = time.perf_counter(), 0, 0, 0
        for fold, (inside, outside) in enumerate(draw.split(labels, labels)):
            answers = self._answer(config, torch.from_numpy(inside), torch.from_numpy(outside), fold)
            right += int((answers.cpu() == labels[outside]).sum())
            asked += len(outside)
            samples += self.steps * min(config.optimizer.batch_size, len(inside))
            seconds = time.perf_counter() - started
            yield Stretch((fold + 1) / folds, right / asked, seconds, samples, (fold + 1) * flops)

    def _answer(self, config: Any, inside: torch.Tensor, outside: torch.Tensor, fold: int) -> torch.Tensor:
        """Labels that a network trained on the budget's positions `inside` gives to those `outside`."""
        protocol = PROTOCOLS.get("finetune")(config)
        if not isinstance(protocol, TrainedProtocol):
            raise TypeError("fine-tuning must train the encoder")
        inputs, labels, device = self.sight.inputs, self.sight.labels, self.bench.device
        with island(named_seed("tuning fold", self.sight.seed, fold)):
            encoder = build(self.cell, self.bench.blind, device).encoder
            known = inputs[inside].to(device), labels[inside].to(device)
            return protocol.predict(encoder, *known, inputs[outside].to(device), self.sight.num_classes).labels

    def _flops(self, config: Any) -> float:
        """Floating-point operations of one optimiser step, forward and backward (and of answering for one input)."""
        everything = torch.arange(len(self.sight.labels))
        one = dataclasses.replace(config, min_steps=1, max_steps=1)
        return counted(lambda: self._answer(one, everything, everything[:1], 0))[1]
