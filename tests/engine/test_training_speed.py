"""What keeps the training loop fast, as far as it can be seen without a clock and without a GPU."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from sslbench.contract.spec import InputSpec, OptimizerConfig, ViewPolicy
from sslbench.datasets._base import Dataset
from sslbench.encoders import ENCODERS
from sslbench.engine.pretrain import Pretraining
from sslbench.modalities.image import to_float
from sslbench.numerics.optimization import OPTIMIZERS, build_optimizer
from sslbench.pretexts import PRETEXTS
from tests.conftest import CPU, pretrain_cell

#: Operations whose result the host must have before it can go on: on a GPU it waits for all that went before.
WAITS = {"aten::_local_scalar_dense", "aten::nonzero", "aten::masked_select", "aten::equal", "aten::is_nonzero"}


class CountWaits(TorchDispatchMode):
    """Counts the operations that would make the host wait for the device."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(
        self,
        operation: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        self.count += str(operation).replace(".", "::").rpartition("::")[0] in WAITS
        return operation(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", [name for name in PRETEXTS if PRETEXTS.get(name).trains])
def test_a_step_runs_on_another_device_without_waiting_for_it(name: str) -> None:
    """The meta device has no values: asking it for one, or mixing it with the processor, is an error."""
    spec = InputSpec("image", (3, 32, 32), ViewPolicy(True, True, True))
    task = PRETEXTS.get(name)
    encoder = next(each for each in ("conv", "vit") if task.unsuitable(each, spec) is None)
    pretext = task(ENCODERS.get(encoder)(spec, 16), task.Config(), spec).to("meta")
    loss = pretext(to_float(torch.zeros(32, 3, 32, 32, dtype=torch.uint8, device="meta")))
    loss.backward()
    pretext.after_step(0.5)
    assert loss.shape == ()
    assert loss.device.type == "meta"


@pytest.mark.parametrize("name", ["autoencoder", "rotation", "simclr", "byol"])
def test_training_waits_for_the_device_only_where_it_reports(name: str, digits: Dataset) -> None:
    training = Pretraining(pretrain_cell(name), digits, CPU)
    with CountWaits() as waits:
        before_first = list(zip(training.reports(), iter(lambda: waits.count, None), strict=False))
    reports, counts = zip(*before_first, strict=True)
    between = [later - sooner for sooner, later in zip((0, *counts), counts, strict=False)]
    assert training.steps >= len(reports) >= 2
    assert set(between) == {2}  # the mean loss and the gradient norm


def test_a_network_without_weight_decay_is_updated_as_one_group() -> None:
    network = torch.nn.Linear(3, 2)
    assert len(build_optimizer(network, OptimizerConfig(weight_decay=0.0)).groups) == 1
    decayed, spared = build_optimizer(network, OptimizerConfig(weight_decay=0.1)).groups
    assert [parameter.ndim for parameter in decayed.parameters] == [2]
    assert [parameter.ndim for parameter in spared.parameters] == [1]


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_every_trained_parameter_is_updated_once(decay: float) -> None:
    network = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    groups = build_optimizer(network, OptimizerConfig(weight_decay=decay)).groups
    updated = [id(parameter) for group in groups for parameter in group.parameters]
    assert sorted(updated) == sorted(id(parameter) for parameter in network.parameters())


TORCH: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adam_gan": partial(torch.optim.Adam, betas=(0.5, 0.999)),
    "adamw": torch.optim.AdamW,
    "sgd": partial(torch.optim.SGD, momentum=0.9, nesterov=True),
}


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_update_is_that_of_torch_to_the_last_bit(name: str, decay: float) -> None:
    """Over changing learning rates, and in another memory order."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv2d(4, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.Conv2d(8, 8, 3))
    ours = network.to(memory_format=torch.channels_last)
    theirs = copy.deepcopy(ours)
    optimizer = build_optimizer(ours, OptimizerConfig(name, weight_decay=decay))
    split = [[each for each in theirs.parameters() if (each.ndim > 1) == decayed] for decayed in (True, False)]
    groups = [{"params": split[0], "weight_decay": decay}, {"params": split[1], "weight_decay": 0.0}]
    expected = TORCH[name](groups, lr=1.0, fused=True)
    for number in range(6):
        inputs = torch.rand(8, 4, 9, 9).to(memory_format=torch.channels_last)
        optimizer.learning_rate = expected.param_groups[0]["lr"] = expected.param_groups[1]["lr"] = 0.01 / (1 + number)
        for trained in (ours, theirs):
            trained(inputs).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        expected.step()
        expected.zero_grad()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert mine.grad is None
        assert torch.equal(mine, other)


def test_a_parameter_without_a_gradient_stays_as_it_is() -> None:
    network = torch.nn.ModuleList([torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)])
    before = copy.deepcopy(network.state_dict())
    network[0](torch.ones(1, 2)).sum().backward()
    build_optimizer(network, OptimizerConfig(weight_decay=0.1)).step()
    changed = [name for name, value in network.state_dict().items() if not torch.equal(value, before[name])]
    assert changed == ["0.weight", "0.bias"]
