"""Cells: the smallest pieces of work, each with an identity that follows from its definition alone."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sslbench.contract.identity import digest
from sslbench.contract.spec import READINGS, PretextConfig, ProtocolConfig

#: With fewer optimiser steps of pretraining than this an encoder is undertrained, whatever it looks like.
FEW_STEPS = 200


def steps_in(epochs: float, inputs: int, batch_size: int) -> int:
    """Optimiser steps of so many passes over so many inputs; a batch holds at most all of them."""
    return max(1, round(epochs * inputs / min(batch_size, inputs)))


@dataclass(frozen=True)
class PretrainCell:
    """One pretraining: everything that decides which encoder comes out of it.

    Its length is one of `epochs`, `steps` and `flops`; a baseline's is none of them.

    Attributes:
        dataset: the one whose unlabelled inputs are seen; for baselines, which see none, the evaluated one.
        checkpoints: epochs after which the encoder in training is scored; they change what is recorded of it.
        steps: of the optimiser.
        flops: floating-point operations of the whole training, forward and backward.
        dataset_version, encoder_version, pretext_version: of the plug-ins, as their registries say.
        checkpoint_version: of the protocol that scores checkpoints; 1 where there are none.
    """

    dataset: str
    encoder: str
    pretext: str
    latent_dim: int
    seed: int
    epochs: float
    num_unlabelled: int | None
    config: PretextConfig
    checkpoints: tuple[float, ...] = ()
    steps: int | None = None
    flops: float | None = None
    dataset_version: int = 1
    encoder_version: int = 1
    pretext_version: int = 1
    checkpoint_version: int = 1

    @cached_property
    def cell_id(self) -> str:
        """Identity: the hash of the definition; no path, host, worker count or device takes part."""
        return digest({"kind": "pretrain", **_definition(self)})

    @property
    def title(self) -> str:
        """The name people read, e.g. `simclr d=128 s=0`."""
        return f"{self.pretext} d={self.latent_dim} s={self.seed}"

    def steps_over(self, unlabelled: int) -> int:
        """Optimiser steps over a dataset with so many unlabelled inputs, of a length given in epochs or steps."""
        inputs = min(self.num_unlabelled or unlabelled, unlabelled)
        return self.steps or steps_in(self.epochs, inputs, self.config.optimizer.batch_size)

    @property
    def pretrain_dataset(self) -> str:
        """What records say: the dataset trained on; empty for baselines, which train on none."""
        return self.dataset if self.epochs or self.steps or self.flops else ""


@dataclass(frozen=True)
class EvaluateCell:
    """One evaluation of one pretrained encoder: a protocol on a label budget.

    Attributes:
        dataset: the evaluated one; another than the pretraining's is transfer.
        label_fraction: share of the training labels; of a budget given per class what that comes to.
        label_seed: draws the labelled subset and nothing else; all other randomness follows the pretraining's seed.
        reading: where a frozen encoder is read, one of `READINGS`.
        labels_per_class: so many of each instead of a stratified fraction; None for a fraction.
        compute_of: the pretraining whose operations `supervised_compute` spends beside its own.
        dataset_version, protocol_version: of the plug-ins, as their registries say.
        stratified: whether every class has its share of the budget; else inputs are drawn without looking at a label.
    """

    pretrain: PretrainCell
    dataset: str
    label_fraction: float
    label_seed: int
    protocol: str
    config: ProtocolConfig
    reading: str = READINGS[0]
    labels_per_class: int | None = None
    compute_of: PretrainCell | None = None
    dataset_version: int = 1
    protocol_version: int = 1
    stratified: bool = True

    @cached_property
    def cell_id(self) -> str:
        """Identity: the hash of the definition, the pretraining's identity included."""
        other = {"compute_of": self.compute_of.cell_id} if self.compute_of else {}
        return digest({"kind": "evaluate", **_definition(self), "pretrain": self.pretrain.cell_id, **other})

    @property
    def title(self) -> str:
        """The name people read, e.g. `1% linear_probe`, or `1% knn on digits, labels 3` where these are not usual."""
        budget = f"{self.labels_per_class} a class" if self.labels_per_class else f"{100 * self.label_fraction:g}%"
        budget += "" if self.stratified else " at random"
        where = "" if self.reading == READINGS[0] else f" of the {self.reading}"
        on = "" if self.dataset == self.pretrain.dataset else f" on {self.dataset}"
        labels = "" if self.label_seed == self.pretrain.seed else f", labels {self.label_seed}"
        return f"{budget} {self.protocol}{where}{on}{labels}"


def _definition(cell: PretrainCell | EvaluateCell) -> dict[str, Any]:
    """The fields that define a cell.

    Those with a default came later, and before all cells were as it says: one that is so still has its old identity.
    `checkpoints` alone was there from the start.
    """
    return {
        item.name: getattr(cell, item.name)
        for item in dataclasses.fields(cell)
        if getattr(cell, item.name) != item.default or item.name == "checkpoints"
    }
