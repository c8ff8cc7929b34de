"""Names, identities, seeds and suites."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from sslbench.contract.cells import EvaluateCell, PretrainCell
from sslbench.contract.identity import canonical, digest, named_seed
from sslbench.contract.registry import Registry
from sslbench.contract.settings import configure
from sslbench.contract.spec import InputError, OptimizerConfig, ProtocolConfig, Suite, tuned
from sslbench.pretexts import PRETEXTS
from tests.conftest import evaluate_cell, pretrain_cell


def suite(**changes: object) -> Suite:
    whole = Suite("s", ("digits",), ("conv",), ("simclr",), (8,), (0,), 1.0)
    return dataclasses.replace(whole, **changes)


def test_identity_is_the_same_in_another_process() -> None:
    program = (
        "from tests.conftest import pretrain_cell, evaluate_cell\n"
        "print(pretrain_cell('simclr').cell_id, evaluate_cell(pretrain_cell('simclr'), 0.1, 'knn').cell_id)"
    )
    there = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    here = pretrain_cell("simclr")
    assert there.split() == [here.cell_id, evaluate_cell(here, 0.1, "knn").cell_id]


def test_everything_that_defines_a_cell_changes_its_identity() -> None:
    cell = pretrain_cell("simclr")
    changed = [
        dataclasses.replace(cell, **{name: value})
        for name, value in {
            "dataset": "mnist",
            "encoder": "mlp",
            "pretext": "rotation",
            "latent_dim": 17,
            "seed": 1,
            "epochs": 2.0,
            "num_unlabelled": 10,
            "config": dataclasses.replace(cell.config, temperature=0.3),
            "checkpoints": (0.25,),
        }.items()
    ]
    assert len({cell.cell_id, *(other.cell_id for other in changed)}) == len(changed) + 1


def test_an_evaluation_is_identified_by_its_pretraining_too() -> None:
    pretrainings = [pretrain_cell("simclr", seed=seed) for seed in (0, 1)]
    first, second = (EvaluateCell(cell, "digits", 0.1, 0, "knn", ProtocolConfig()) for cell in pretrainings)
    assert first.cell_id != second.cell_id
    for changes in ({"label_fraction": 0.2}, {"label_seed": 1}, {"dataset": "mnist"}, {"protocol": "linear_probe"}):
        assert dataclasses.replace(first, **changes).cell_id != first.cell_id


def test_titles_are_what_people_read() -> None:
    cell = pretrain_cell("simclr", latent_dim=128)
    assert cell.title == "simclr d=128 s=0"
    evaluation = EvaluateCell(cell, "digits", 0.01, 0, "linear_probe", ProtocolConfig())
    assert evaluation.title == "1% linear_probe"
    assert dataclasses.replace(evaluation, dataset="mnist", label_seed=3).title == "1% linear_probe on mnist, labels 3"


def test_named_seeds_differ_by_every_name() -> None:
    seeds = {named_seed("a", 0), named_seed("a", 1), named_seed("b", 0), named_seed("a", 0, "x"), named_seed("a0")}
    assert len(seeds) == 5
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_mappings_hash_alike_in_any_order() -> None:
    assert digest({"a": 1, "b": [1.5, None]}) == digest({"b": (1.5, None), "a": 1})


def test_a_path_cannot_define_a_cell() -> None:
    from pathlib import Path

    with pytest.raises(TypeError, match="no canonical form"):
        canonical({"root": Path("/data")})


def test_a_default_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="outside its range"):
        tuned(2.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label_fractions": (0.0,)}, "label_fractions must be greater than 0, not 0.0"),
        ({"label_fractions": (1.5,)}, "label_fractions must be less than or equal to 1, not 1.5"),
        ({"latent_dims": (0,)}, "latent_dims must be greater than or equal to 1, not 0"),
        ({"seeds": ()}, "suite 's': seeds must name at least one"),
        ({"epochs": 0}, "epochs must be greater than 0, not 0"),
        ({"checkpoints": (0.5, 2)}, "checkpoint 2 comes after the last of 1 epochs"),
    ],
)
def test_impossible_suites_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        suite(**changes)


def test_settings_reach_nested_fields_and_keep_types() -> None:
    config = configure(PRETEXTS.get("simclr").Config(), {"optimizer.batch_size": 512, "temperature": 1}, "simclr")
    assert config.optimizer.batch_size == 512
    assert config.temperature == 1.0
    assert isinstance(config.temperature, float)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"temprature": 0.1}, "unknown setting 'temprature' of simclr; choose one of"),
        ({"optimizer.lr": 0.1}, "unknown setting 'lr' of simclr.optimizer"),
        ({"temperature": "hot"}, "setting 'temperature' of simclr must be a valid number, not 'hot'"),
        ({"temperature.x": 1}, "has no fields of its own"),
    ],
)
def test_wrong_settings_are_named(overrides: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        configure(PRETEXTS.get("simclr").Config(), overrides, "simclr")


def test_an_unknown_name_lists_the_choices() -> None:
    with pytest.raises(InputError, match="unknown pretext 'simclrr'; choose one of majority_class, "):
        PRETEXTS.get("simclrr")


def test_a_plug_in_can_be_registered_from_outside() -> None:
    registry: Registry[type[OptimizerConfig]] = Registry("thing", {})

    @registry.register("mine")
    class Mine(OptimizerConfig):
        """My own thing."""

    assert registry.get("mine") is Mine
    assert list(registry) == ["mine"]
    assert registry.summary("mine") == "My own thing."


def test_every_entry_of_every_registry_can_be_imported_and_described() -> None:
    from sslbench.datasets import DATASETS
    from sslbench.encoders import ENCODERS
    from sslbench.protocols import PROTOCOLS

    for registry in (PRETEXTS, DATASETS, ENCODERS, PROTOCOLS):
        for name in registry:
            summary = registry.summary(name)
            assert len(summary) > 15, (registry.kind, name)
            assert registry.get(name) is not None


def test_cells_are_hashable_and_frozen() -> None:
    cell = pretrain_cell("simclr")
    assert isinstance(cell, PretrainCell)
    with pytest.raises(dataclasses.FrozenInstanceError):
        cell.seed = 3
