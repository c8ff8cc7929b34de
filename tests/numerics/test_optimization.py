"""Which parameters an optimiser updates, by which rule and how far."""

from __future__ import annotations

import copy

import pytest
import torch

from sslbench.contract.spec import OptimizerConfig
from sslbench.numerics.optimization import OPTIMIZERS, build_optimizer, set_learning_rate


def updated(network: torch.nn.Module, config: OptimizerConfig) -> list[torch.Tensor]:
    """The parameters after one step on a loss whose gradient is 1 everywhere."""
    optimizer = build_optimizer(network, config)
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    return [parameter.detach() for parameter in network.parameters()]


def test_a_network_without_weight_decay_is_updated_as_one_group() -> None:
    network = torch.nn.Linear(3, 2)
    assert len(build_optimizer(network, OptimizerConfig(weight_decay=0.0)).param_groups) == 1
    decayed, spared = build_optimizer(network, OptimizerConfig(weight_decay=0.1)).param_groups
    assert [parameter.ndim for parameter in decayed["params"]] == [2]
    assert [parameter.ndim for parameter in spared["params"]] == [1]
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.1, 0.0)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_every_trained_parameter_is_updated_once(decay: float) -> None:
    network = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    groups = build_optimizer(network, OptimizerConfig(weight_decay=decay)).param_groups
    found = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(found) == sorted(id(parameter) for parameter in network.parameters())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_learning_rate_scales_the_step(name: str) -> None:
    network = torch.nn.Linear(3, 2)
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)  # nothing to decay
        parameter.grad = torch.ones_like(parameter)
    optimizer = build_optimizer(network, OptimizerConfig(name, learning_rate=1.0, weight_decay=0.1))
    set_learning_rate(optimizer, 0.01)
    optimizer.step()
    length = 0.019 if name == "sgd" else 0.01  # Nesterov adds 0.9 of the gradient; Adam's first step is the rate
    for parameter in network.parameters():
        torch.testing.assert_close(parameter.detach(), torch.full_like(parameter, -length))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_only_matrices_are_decayed(name: str) -> None:
    torch.manual_seed(0)
    network = torch.nn.Linear(3, 2)
    plain = updated(copy.deepcopy(network), OptimizerConfig(name, weight_decay=0.0))
    decayed = updated(copy.deepcopy(network), OptimizerConfig(name, weight_decay=0.5))
    assert torch.equal(plain[1], decayed[1])
    if name in ("adamw", "sgd"):  # of Adam's first step only the sign is left, whatever is added to the gradient
        assert not torch.allclose(plain[0], decayed[0])


def test_a_parameter_without_a_gradient_stays_as_it_is() -> None:
    network = torch.nn.ModuleList([torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)])
    before = copy.deepcopy(network.state_dict())
    network[0](torch.ones(1, 2)).sum().backward()
    build_optimizer(network, OptimizerConfig(weight_decay=0.1)).step()
    changed = [name for name, value in network.state_dict().items() if not torch.equal(value, before[name])]
    assert changed == ["0.weight", "0.bias"]
