"""What evaluations say they cost, against sums by hand."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from sslbench.contract.spec import InputSpec
from sslbench.datasets._base import Dataset
from sslbench.encoders import ENCODERS
from sslbench.engine.evaluate import evaluate, extract
from sslbench.engine.pretrain import build
from sslbench.numerics.flops import counted
from sslbench.protocols.finetune import FinetuneConfig
from tests.conftest import CPU, evaluate_cell, pretrain_cell

LAYERS = (784 * 128, 128 * 16)  # of `mlp` with latent size 16
HEAD = 16 * 10


@pytest.mark.parametrize("protocol", ["linear_probe", "knn"])
def test_a_frozen_protocol_costs_the_representations_of_its_budget_and_of_the_test_inputs(
    protocol: str, digits: Dataset
) -> None:
    cell = evaluate_cell(pretrain_cell("random_init", encoder="mlp"), 0.05, protocol)
    encoder = build(cell.pretrain, digits, CPU).encoder
    outcome = evaluate(cell, digits, encoder, extract(encoder, digits, CPU)["latent"], CPU)
    represented = len(outcome.budget.indices) + len(digits.test_inputs)
    assert outcome.flops == 2 * sum(LAYERS) * represented


def test_training_from_scratch_costs_its_steps_and_its_answers(digits: Dataset) -> None:
    """A step: forward, gradients of weights, gradients of inputs, but for the images, whose gradient nobody needs."""
    scratch = evaluate_cell(pretrain_cell("supervised", encoder="mlp"), 0.05, "finetune")
    cell = dataclasses.replace(scratch, config=FinetuneConfig(min_steps=3, max_steps=3))
    outcome = evaluate(cell, digits, build(cell.pretrain, digits, CPU).encoder, None, CPU)
    batch = min(FinetuneConfig().optimizer.batch_size, len(outcome.budget.indices))
    step = 2 * batch * (3 * (sum(LAYERS) + HEAD) - LAYERS[0])
    assert outcome.flops == 3 * step + 2 * sum(LAYERS) * len(digits.test_inputs)


@pytest.mark.parametrize("encoder", ["mlp", "conv", "resnet18", "vit"])
def test_the_count_is_that_of_torch(encoder: str) -> None:
    network = ENCODERS.get(encoder)(InputSpec("image", (1, 28, 28)), 16).train()
    inputs = torch.rand(4, 1, 28, 28)

    def work() -> None:
        network(inputs).sum().backward()
        with torch.inference_mode():
            network(inputs)

    with FlopCounterMode(display=False) as expected:
        work()
    assert counted(work)[1] == expected.get_total_flops() > 0
