"""Tasks robbed of what keeps them apart collapse and are flagged; the same tasks in health are not."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch.nn import functional

from sslbench.contract.cells import FEW_STEPS, PretrainCell
from sslbench.contract.settings import configure
from sslbench.datasets._base import Dataset
from sslbench.engine.examine import measure
from sslbench.engine.pretrain import Pretraining
from sslbench.pretexts import PRETEXTS
from tests.conftest import CPU

FAST = {"optimizer.batch_size": 64, "optimizer.learning_rate": 1e-2}  # collapse takes some hundred steps else


@pytest.fixture(scope="module")
def small(digits: Dataset) -> Dataset:
    """The digits at half their size, which take a quarter of the time."""
    train, test = (
        functional.avg_pool2d(images.float(), 2).round().to(torch.uint8)
        for images in (digits.train_inputs, digits.test_inputs)
    )
    spec = dataclasses.replace(digits.input_spec, shape=(1, 14, 14))
    return dataclasses.replace(digits, input_spec=spec, train_inputs=train, test_inputs=test, unlabelled_inputs=train)


CANARIES: list[tuple[str, dict[str, Any], float]] = [
    ("vicreg", {"variance_weight": 0.0}, 10),
    ("simsiam", {"stop_gradient": False}, 20),
    ("dino", {"centering": False}, 14),
]


def verdict(pretext: str, settings: Mapping[str, Any], epochs: float, dataset: Dataset) -> str | None:
    config = configure(PRETEXTS.get(pretext).Config(), {**FAST, **settings}, pretext)
    training = Pretraining(PretrainCell("digits", "conv", pretext, 32, 0, epochs, None, config), dataset, CPU)
    for _ in training.reports():
        pass
    found, against = measure(training, dataset)
    assert found["collapsed"] == float("collapsed" in against)
    assert "undertrained" not in against
    return against.get("collapsed")


@pytest.mark.parametrize(("pretext", "robbed", "epochs"), CANARIES)
def test_a_robbed_task_is_flagged(small: Dataset, pretext: str, robbed: dict[str, Any], epochs: float) -> None:
    reason = verdict(pretext, robbed, epochs, small)
    assert reason is not None
    assert "collapse" in reason


@pytest.mark.parametrize(("pretext", "epochs"), [(pretext, epochs) for pretext, _, epochs in CANARIES])
def test_the_healthy_task_is_not(small: Dataset, pretext: str, epochs: float) -> None:
    assert verdict(pretext, {}, epochs, small) is None


def test_what_was_trained_for_a_few_steps_is_undertrained_and_never_collapsed(digits: Dataset) -> None:
    config = PRETEXTS.get("vicreg").Config()
    training = Pretraining(PretrainCell("digits", "conv", "vicreg", 32, 0, 0.0, None, config, steps=5), digits, CPU)
    for _ in training.reports():
        pass
    found, against = measure(training, digits)
    assert (found["collapsed"], against) == (0.0, {"undertrained": "5 steps"})
    training.steps = FEW_STEPS  # as if it had been trained for long: it looks like a collapse in scale
    assert measure(training, digits)[1].keys() <= {"collapsed"}
