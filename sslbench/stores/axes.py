"""What runs are found, grouped and compared by: their tags and parameters."""

from __future__ import annotations

from collections.abc import Mapping

from sslbench.contract.cells import EvaluateCell, PretrainCell
from sslbench.contract.identity import canonical, digest
from sslbench.contract.spec import Suite

#: What a sweep goes through: tags of every run, to find it by, and parameters, for charts to group and compare by.
AXES = (
    *("dataset", "pretrain_dataset", "encoder", "pretext", "latent_dim", "seed"),
    *("label_seed", "label_fraction", "labels_per_class", "protocol", "reading", "stratified"),
)


def told_apart_by(suite: Suite) -> tuple[str, ...]:
    """What the names of a suite's runs say beside pretext, size and seed: the axes that have several values in it."""
    several = {"dataset": suite.all_datasets, "encoder": suite.encoders}
    return tuple(axis for axis, values in several.items() if len(values) > 1)


def axes_of(cell: PretrainCell) -> dict[str, str]:
    """Tags of every run of a pretraining and of its evaluations."""
    return {
        "dataset": cell.dataset,
        "pretrain_dataset": cell.pretrain_dataset,
        "encoder": cell.encoder,
        "pretext": cell.pretext,
        "latent_dim": str(cell.latent_dim),
        "seed": str(cell.seed),
        "dataset_version": str(cell.dataset_version),
        "encoder_version": str(cell.encoder_version),
        "pretext_version": str(cell.pretext_version),
        "checkpoint_version": str(cell.checkpoint_version),
        "config_hash": digest(cell.config),
    }


def axes_of_evaluation(cell: EvaluateCell) -> dict[str, str]:
    """Tags of every run of an evaluation: those of its pretraining, and how it is evaluated, on what."""
    return {
        **axes_of(cell.pretrain),
        "dataset": cell.dataset,
        "label_seed": str(cell.label_seed),
        "label_fraction": repr(cell.label_fraction),
        "labels_per_class": str(cell.labels_per_class or 0),
        "protocol": cell.protocol,
        "reading": cell.reading,
        "dataset_version": str(cell.dataset_version),
        "protocol_version": str(cell.protocol_version),
        **({} if cell.stratified else {"stratified": "0"}),
    }


def parameters(tags: Mapping[str, str], config: object) -> dict[str, str]:
    """The axes of a cell and its settings."""
    return {name: tags[name] for name in AXES if tags.get(name)} | _flatten(config)


def _flatten(config: object) -> dict[str, str]:
    """A config's fields as MLflow parameters, nested ones with dots."""
    flat: dict[str, str] = {}
    for name, value in canonical(config).items():
        if isinstance(value, dict):
            flat.update({f"{name}.{inner}": str(item) for inner, item in value.items()})
        else:
            flat[name] = str(value)
    return flat
