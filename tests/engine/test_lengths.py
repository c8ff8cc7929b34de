"""How long trainings are: in epochs, steps or operations, and longer where a baseline asks what that adds."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
import torch

from sslbench.contract.cells import PretrainCell
from sslbench.contract.spec import InputError, Suite
from sslbench.datasets._base import Dataset
from sslbench.engine.evaluate import evaluate
from sslbench.engine.pretrain import Pretraining, build, flops_of
from sslbench.numerics.flops import counted
from sslbench.pretexts import PRETEXTS
from sslbench.protocols._base import Effort
from sslbench.protocols.finetune import Finetune, FinetuneConfig
from sslbench.sweep.asked import Selection
from sslbench.sweep.plan import Plan, Source, make_plan, select
from tests.conftest import CPU, evaluate_cell, pretrain_cell

PUBLIC = tuple(PRETEXTS)  # before any suite's file adds its own
SUITE = Suite("s", ("digits",), ("conv",), ("random_init", "rotation"), (8,), (0,), 1.0, (0.05,), ("knn",))


def planned(digits: Dataset, **changes: Any) -> Plan:
    return make_plan(dataclasses.replace(SUITE, **changes), {"digits": Source.of("digits", digits)})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"epochs": None}, "give exactly one of epochs, steps and flops, not none"),
        ({"steps": 5}, "not epochs and steps"),
        ({"flops": 1e9}, "not epochs and flops"),
        ({"epochs": None, "steps": 5, "flops": 1e9}, "not steps and flops"),
        ({"epochs": None, "steps": 5, "checkpoints": (1.0,)}, "checkpoints are epochs, so they need epochs, not steps"),
        ({"epochs": None, "flops": 1e9, "checkpoints": (1,)}, "checkpoints are epochs, so they need epochs, not flops"),
    ],
)
def test_a_length_is_given_in_one_way(given: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=f"suite 's': .*{re.escape(told)}"):
        dataclasses.replace(SUITE, **given)


def test_a_part_of_a_suite_is_as_long_as_the_whole(digits: Dataset) -> None:
    suite = dataclasses.replace(SUITE, epochs=None, flops=1e9)
    part = select(suite, Selection(pretexts=("rotation",)))
    whole = {cell.cell_id for cell in make_plan(suite, {"digits": Source.of("digits", digits)}).pretrain}
    assert {cell.cell_id for cell in make_plan(part, {"digits": Source.of("digits", digits)}).pretrain} < whole


@pytest.mark.parametrize(
    ("length", "expected"),
    [({"epochs": 2.0}, (2.0, None, None)), ({"steps": 7}, (0.0, 7, None)), ({"flops": 5e9}, (0.0, None, 5e9))],
)
def test_what_trains_has_the_length_and_baselines_have_none(
    digits: Dataset, length: dict[str, Any], expected: tuple[float, int | None, float | None]
) -> None:
    cells = {cell.pretext: cell for cell in planned(digits, **{"epochs": None, **length}).pretrain}
    trained, untrained = cells["rotation"], cells["random_init"]
    assert (trained.epochs, trained.steps, trained.flops) == expected
    assert (untrained.epochs, untrained.steps, untrained.flops) == (0.0, None, None)
    assert trained.pretrain_dataset == "digits"
    assert untrained.pretrain_dataset == ""
    assert Pretraining(untrained, digits, CPU).steps == 0


@pytest.mark.parametrize("length", [{"epochs": 2.0}, {"steps": 7}, {"flops": 5e9}])
def test_a_longer_task_has_a_multiple_of_the_length(
    digits: Dataset, length: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = {"pretexts": ("rotation",), "epochs": None, **length}
    (usual,) = planned(digits, **suite).pretrain
    monkeypatch.setattr(PRETEXTS.get("rotation"), "stretch", 3.0)
    (longer,) = planned(digits, **suite).pretrain
    for name in ("epochs", "steps", "flops"):
        assert getattr(longer, name) == (getattr(usual, name) and 3 * getattr(usual, name))
    assert longer.cell_id != usual.cell_id


def test_fine_tuning_of_a_longer_task_is_as_long_as_of_any_other(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = evaluate_cell(pretrain_cell("rotation"), 0.02, "finetune")
    cell = dataclasses.replace(cell, config=FinetuneConfig(min_steps=2, max_steps=2))
    encoder = build(cell.pretrain, digits, CPU).encoder
    monkeypatch.setattr(PRETEXTS.get("rotation"), "stretch", 3.0)
    assert evaluate(cell, digits, encoder, None, CPU).details["steps"] == 2


def lengthened(pretext: str, **length: Any) -> PretrainCell:
    """A training in batches of 64 on the digits."""
    cell = pretrain_cell(pretext, latent_dim=8)
    config = dataclasses.replace(cell.config, optimizer=dataclasses.replace(cell.config.optimizer, batch_size=64))
    return dataclasses.replace(cell, epochs=0.0, config=config, **length)


@pytest.mark.parametrize("pretext", ["rotation", "autoencoder", "simclr"])
def test_steps_and_operations_are_kept_whatever_a_step_costs(digits: Dataset, pretext: str) -> None:
    training = Pretraining(lengthened(pretext, steps=3), digits, CPU)
    reports = list(training.reports())
    assert (training.steps, reports[-1].step, training.samples) == (3, 3, 192)
    assert training.epochs == pytest.approx(192 / len(digits.unlabelled_inputs))
    one = training.flops / 3
    again = Pretraining(lengthened(pretext, flops=3.4 * one), digits, CPU)
    assert again.steps == 3
    done = counted(lambda: list(again.reports()))[1]
    assert abs(done - 3.4 * one) < one
    assert Pretraining(lengthened(pretext, flops=3.6 * one), digits, CPU).steps == 4
    assert Pretraining(lengthened(pretext, flops=1.0), digits, CPU).steps == 1, "no training is none"


def test_a_task_whose_steps_grow_dearer_is_counted_stage_by_stage(digits: Dataset) -> None:
    training = Pretraining(lengthened("simclr_progressive", steps=4), digits, CPU)
    done = counted(lambda: list(training.reports()))[1]
    assert training.flops == pytest.approx(done, rel=0.01)
    whole = Pretraining(lengthened("simclr", steps=4), digits, CPU).flops
    assert 0.6 * whole < training.flops < 0.75 * whole, "half of the steps cost about a quarter"
    assert Pretraining(lengthened("simclr_progressive", flops=training.flops), digits, CPU).steps == 4


def test_two_views_cost_twice_so_equal_operations_are_half_the_steps(digits: Dataset) -> None:
    flops = 20 * Pretraining(lengthened("simclr", steps=1), digits, CPU).flops
    views = {name: Pretraining(lengthened(name, flops=flops), digits, CPU) for name in ("simclr", "vicreg", "rotation")}
    assert views["simclr"].steps == 20
    for training in views.values():
        assert training.flops == pytest.approx(flops, rel=0.05)
    assert views["rotation"].steps != views["simclr"].steps


def trained(digits: Dataset, effort: Effort, **config: int) -> tuple[float, float]:
    """Steps and operations of fine-tuning a new network on 20 digits."""
    protocol = Finetune(FinetuneConfig(**config))
    encoder = build(pretrain_cell("random_init"), digits, CPU).encoder
    inputs, labels = digits.train_inputs[:20], digits.train_labels[:20]
    torch.manual_seed(0)
    told = protocol.predict(encoder, inputs, labels, digits.test_inputs[:5], 10, effort)
    return told.details["steps"], told.training_flops


def test_an_effort_stretches_the_steps_and_spends_further_operations(digits: Dataset) -> None:
    usual, flops = trained(digits, Effort(), min_steps=6, max_steps=6)
    assert usual == 6
    assert trained(digits, Effort(stretch=2.0), min_steps=6, max_steps=6) == (12, 2 * flops)
    assert trained(digits, Effort(stretch=0.5), min_steps=6, max_steps=6) == (3, flops / 2)
    one = flops / 6
    steps, spent = trained(digits, Effort(extra_flops=2.5 * one), min_steps=6, max_steps=6)
    assert steps == 9
    assert 0 <= spent - flops - 2.5 * one < one


def test_the_shortest_effort_is_a_step(digits: Dataset) -> None:
    assert trained(digits, Effort(stretch=0.25), min_steps=1, max_steps=1)[0] == 1


def test_each_longer_baseline_asks_for_its_own_multiple() -> None:
    stretches = {name: PRETEXTS.get(name).stretch for name in PRETEXTS if name.startswith("supervised")}
    assert stretches == {
        "supervised": 1.0,
        "supervised_quarter": 0.25,
        "supervised_half": 0.5,
        "supervised_double": 2.0,
        "supervised_compute": 1.0,
    }
    assert {PRETEXTS.get(name).stretch for name in PUBLIC if not name.startswith("supervised")} == {1.0}


def test_what_is_matched_is_counted_and_not_run(digits: Dataset) -> None:
    matched = lengthened("rotation", steps=100)
    state = torch.random.get_rng_state()
    flops = flops_of(matched, digits, CPU)
    assert torch.equal(torch.random.get_rng_state(), state), "random numbers of the caller are used up"
    assert flops == Pretraining(matched, digits, CPU).flops
    cell = evaluate_cell(pretrain_cell("supervised_compute"), 0.02, "finetune")
    cell = dataclasses.replace(cell, config=FinetuneConfig(min_steps=2, max_steps=2))
    encoder = build(cell.pretrain, digits, CPU).encoder
    usual = evaluate(cell, digits, encoder, None, CPU)
    few = dataclasses.replace(cell, compute_of=lengthened("rotation", steps=2))
    longer = evaluate(few, digits, encoder, None, CPU)
    added, spent = longer.flops - usual.flops, flops_of(lengthened("rotation", steps=2), digits, CPU)
    assert 0 <= added - spent < added / (longer.details["steps"] - usual.details["steps"])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"compute_of": ""}, "supervised_compute needs compute_of"),
        ({"compute_of": "random_init"}, "compute_of 'random_init' is a baseline, which spends nothing"),
        ({"compute_of": "rotatoin"}, "unknown pretext 'rotatoin'; choose one of"),
        ({"compute_of": "colorization"}, "suite 's': compute_of 'colorization' needs"),
    ],
)
def test_compute_that_cannot_be_matched_is_refused_in_one_line(
    digits: Dataset, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(InputError, match=told) as caught:
        planned(digits, pretexts=("supervised_compute",), **changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("encoder", "widest"), [("conv", 128), ("mlp", 128), ("vit", 96), ("resnet18", 512)])
def test_a_latent_size_above_the_width_is_refused_before_work(digits: Dataset, encoder: str, widest: int) -> None:
    told = f"encoder '{encoder}' is {widest} wide: latent size {widest + 1} would still have rank {widest}; choose"
    with pytest.raises(InputError, match=told) as caught:
        planned(digits, encoders=(encoder,), latent_dims=(8, widest + 1))
    assert "\n" not in str(caught.value)
    assert planned(digits, encoders=(encoder,), latent_dims=(widest,)).pretrain
