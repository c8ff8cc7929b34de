"""What a cell is: identities of before stay, and whatever is new in a cell is new in its identity."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sslbench.contract.cells import EvaluateCell, PretrainCell
from sslbench.contract.registry import At, Registry
from sslbench.contract.spec import InputError, PretextConfig, ProtocolConfig

PRETRAIN = PretrainCell("digits", "conv", "none", 16, 3, 2.0, 500, PretextConfig(), (0.5, 1.0))
EVALUATE = EvaluateCell(PRETRAIN, "letters", 0.1, 4, "nothing", ProtocolConfig())

#: Computed by the code of before readings, versions, steps and labels per class: published records hold such.
OF_OLD = "cbb0275bc4e46957", "28256985c4ed5dc0"

NEW_IN_PRETRAINING: dict[str, Any] = {
    "steps": 100,
    "flops": 1e12,
    "dataset_version": 2,
    "encoder_version": 2,
    "pretext_version": 2,
    "checkpoint_version": 2,
}
NEW_IN_EVALUATION: dict[str, Any] = {
    "reading": "map",
    "labels_per_class": 6,
    "compute_of": PRETRAIN,
    "dataset_version": 2,
    "protocol_version": 2,
    "stratified": False,
}


def test_what_has_nothing_new_has_its_old_identity() -> None:
    assert (PRETRAIN.cell_id, EVALUATE.cell_id) == OF_OLD


def test_whatever_is_new_in_a_cell_makes_it_another() -> None:
    pretrained = [dataclasses.replace(PRETRAIN, **{name: value}) for name, value in NEW_IN_PRETRAINING.items()]
    evaluated = [dataclasses.replace(EVALUATE, **{name: value}) for name, value in NEW_IN_EVALUATION.items()]
    assert len({cell.cell_id for cell in (PRETRAIN, EVALUATE, *pretrained, *evaluated)}) == 2 + 12
    other = dataclasses.replace(PRETRAIN, pretext_version=2)
    assert dataclasses.replace(EVALUATE, pretrain=other).cell_id != EVALUATE.cell_id
    spends = dataclasses.replace(EVALUATE, compute_of=PRETRAIN)
    assert dataclasses.replace(spends, compute_of=other).cell_id != spends.cell_id


def test_every_field_of_a_cell_is_either_of_old_or_known_as_new() -> None:
    """A field nobody thought of would change every identity, or none."""
    first = {"dataset", "encoder", "pretext", "latent_dim", "seed", "epochs", "num_unlabelled", "config", "checkpoints"}
    assert {item.name for item in dataclasses.fields(PretrainCell)} == first | set(NEW_IN_PRETRAINING)
    first = {"pretrain", "dataset", "label_fraction", "label_seed", "protocol", "config"}
    assert {item.name for item in dataclasses.fields(EvaluateCell)} == first | set(NEW_IN_EVALUATION)


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({}, "10% nothing on letters, labels 4"),
        ({"labels_per_class": 6}, "6 a class nothing on letters, labels 4"),
        ({"reading": "map", "dataset": "digits", "label_seed": 3}, "10% nothing of the map"),
        ({"label_fraction": 0.001, "dataset": "digits", "label_seed": 3}, "0.1% nothing"),
    ],
)
def test_titles_say_the_reading_and_the_labels_of_a_class(changes: dict[str, Any], title: str) -> None:
    assert dataclasses.replace(EVALUATE, **changes).title == title


def test_only_what_trains_on_inputs_was_pretrained_on_a_dataset() -> None:
    baseline = dataclasses.replace(PRETRAIN, epochs=0.0)
    assert baseline.pretrain_dataset == ""
    for length in ({"epochs": 0.5}, {"steps": 1}, {"flops": 1.0}):
        assert dataclasses.replace(baseline, **length).pretrain_dataset == "digits"


def test_a_plug_in_has_the_version_of_its_line_and_needs_no_import_for_it() -> None:
    registry: Registry[object] = Registry("thing", {"old": "nowhere:Old", "new": At("nowhere:New", version=3)})
    registry.register("mine")(object())
    registry.register("changed", version=2)(object())
    assert [registry.version(name) for name in registry] == [1, 3, 1, 2]
    with pytest.raises(InputError, match="unknown thing 'newer'; choose one of old, new, mine, changed"):
        registry.version("newer")


@pytest.mark.parametrize("version", [0, -1, True, 1.5])
def test_a_version_is_a_number_from_1_on(version: Any) -> None:
    with pytest.raises(InputError, match="version of thing 'mine'"):
        Registry("thing", {}).register("mine", version=version)
    with pytest.raises(InputError, match="version of thing 'mine'"):
        Registry("thing", {"mine": At("nowhere:Mine", version)})
