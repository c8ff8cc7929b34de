"""Tasks robbed of what keeps them apart collapse and are flagged; the same tasks in health are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sslbench.contract.cells import PretrainCell
from sslbench.contract.settings import configure
from sslbench.datasets._base import Dataset
from sslbench.engine.examine import measure
from sslbench.engine.pretrain import Pretraining
from sslbench.pretexts import PRETEXTS
from tests.conftest import CPU

FAST = {"optimizer.batch_size": 64, "optimizer.learning_rate": 1e-2}  # collapse takes some hundred steps else

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
    found, reason = measure(training, dataset)
    assert found["collapsed"] == float(reason is not None)
    return reason


@pytest.mark.parametrize(("pretext", "robbed", "epochs"), CANARIES)
def test_a_robbed_task_is_flagged(digits: Dataset, pretext: str, robbed: dict[str, Any], epochs: float) -> None:
    reason = verdict(pretext, robbed, epochs, digits)
    assert reason is not None
    assert "collapse" in reason


@pytest.mark.parametrize(("pretext", "epochs"), [(pretext, epochs) for pretext, _, epochs in CANARIES])
def test_the_healthy_task_is_not(digits: Dataset, pretext: str, epochs: float) -> None:
    assert verdict(pretext, {}, epochs, digits) is None
