"""What cells will take, from what cells like them took: whatever gives their length, and wherever they are read."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sslbench.contract.cells import EvaluateCell, PretrainCell
from sslbench.contract.record import Record
from sslbench.contract.spec import Suite
from sslbench.datasets._base import Dataset
from sslbench.sweep.cells import Source
from sslbench.sweep.estimate import CostBook, remaining
from sslbench.sweep.plan import make_plan
from tests.conftest import evaluate_cell, pretrain_cell
from tests.made_up import record


def took(pretext: str, protocol: str, seconds: float, fraction: float = 0.05, **changes: Any) -> Record:
    """An evaluation that took so long, of a pretraining of 5,000 inputs and 2.5e12 operations in 10 s."""
    return dataclasses.replace(record(pretext, protocol, fraction, 0, 0.5), evaluate_seconds=seconds, **changes)


def trained(**length: Any) -> PretrainCell:
    return dataclasses.replace(pretrain_cell("rotation"), **{"epochs": 0.0, **length})


@pytest.mark.parametrize(
    ("length", "seconds"),
    [
        ({"epochs": 2.0}, 2 * 1000 * 10 / 5000),
        ({"epochs": 2.0, "num_unlabelled": 100}, 2 * 100 * 10 / 5000),
        ({"steps": 7}, 7 * 256 * 10 / 5000),
        ({"steps": 7, "num_unlabelled": 100}, 7 * 100 * 10 / 5000),
        ({"flops": 5e12}, 20.0),
    ],
)
def test_a_pretraining_costs_by_its_length(length: dict[str, Any], seconds: float) -> None:
    book = CostBook([took("rotation", "knn", 1.0)])
    assert book.pretraining(trained(**length), 1000) == pytest.approx(seconds)
    assert CostBook([took("simclr", "knn", 1.0)]).pretraining(trained(**length), 1000) is None
    assert book.pretraining(pretrain_cell("random_init"), 1000) == 0


def evaluated(pretext: str, protocol: str, fraction: float = 0.05, **changes: Any) -> EvaluateCell:
    return dataclasses.replace(evaluate_cell(pretrain_cell(pretext), fraction, protocol), **changes)


def test_readings_cost_what_that_reading_took() -> None:
    book = CostBook([took("rotation", "linear_probe", 1.0), took("rotation", "linear_probe", 4.0, reading="map")])
    assert book.evaluation(evaluated("simclr", "linear_probe"), 1000) == 1
    assert book.evaluation(evaluated("simclr", "linear_probe", reading="map"), 1000) == 4
    assert book.evaluation(evaluated("simclr", "linear_probe", reading="pooled"), 1000) == 2.5  # of anything known
    assert book.evaluation(evaluated("simclr", "knn"), 1000) is None


def test_baselines_that_were_never_run_take_their_multiple_of_supervised() -> None:
    book = CostBook([took("supervised", "finetune", 8.0), took("rotation", "finetune", 9.0)])
    names = ("supervised", "supervised_quarter", "supervised_half", "supervised_double")
    assert [book.evaluation(evaluated(name, "finetune"), 1000) for name in names] == [8, 2, 4, 16]
    assert book.evaluation(evaluated("rotation", "finetune"), 1000) == 9
    compute = evaluated("supervised_compute", "finetune", compute_of=trained(epochs=2.0))
    assert book.evaluation(compute, 1000) == 8 + 4
    unknown = dataclasses.replace(compute, compute_of=dataclasses.replace(trained(epochs=2.0), pretext="simclr"))
    assert book.evaluation(unknown, 1000) is None
    assert (
        CostBook([took("supervised_double", "finetune", 15.0)]).evaluation(
            evaluated("supervised_double", "finetune"), 1000
        )
        == 15
    )


def test_what_is_left_counts_every_reading_and_baseline_once(digits: Dataset) -> None:
    suite = Suite(
        *("s", ("digits",), ("conv",), ("raw_pixels", "supervised", "supervised_double", "rotation"), (16,), (0,)),
        steps=100,
        label_fractions=(0.05,),
        protocols=("linear_probe",),
        readings=("latent", "map"),
    )
    plan = make_plan(suite, {"digits": Source.of("digits", digits)})
    book = CostBook(
        [
            took("supervised", "finetune", 8.0),
            took("rotation", "linear_probe", 1.0),
            took("rotation", "linear_probe", 4.0, reading="map"),
        ]
    )
    left = remaining(plan, (), book, {"digits": len(digits.unlabelled_inputs)})
    pretraining = 100 * 256 * 10 / 5000
    assert left.seconds == pytest.approx(pretraining + 1 + (1 + 4) + 8 + 16)  # pixels, rotation twice, both baselines
    assert left.unknown == 0
    (rotation,) = [cell for cell in plan.pretrain if cell.pretext == "rotation"]
    read = [cell.cell_id for cell in plan.evaluations if cell.reading == "map"]
    left = remaining(plan, [rotation.cell_id, *read], book, {"digits": len(digits.unlabelled_inputs)})
    assert left.seconds == pytest.approx(1 + 1 + 8 + 16)
