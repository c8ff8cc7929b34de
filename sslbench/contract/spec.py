"""The contract in one page: the nouns every layer shares. Loads nothing but the standard library."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sslbench.contract.errors import InputError as InputError

if TYPE_CHECKING:  # `schema` says why
    from sslbench.contract.schema import (
        Axis,
        BatchSize,
        Count,
        Distinct,
        Epochs,
        Flops,
        Fraction,
        Line,
        Name,
        NonNegative,
        Positive,
        ProperShare,
        Seed,
        Size,
        Steps,
    )

#: About three a decade, so that no curve has to be guessed across more than a factor of 3.
DEFAULT_FRACTIONS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)

#: Rows that every table carries, in this order, before the pretexts. Those that begin with `supervised` are trained
#: from scratch, each for another length.
BASELINES = (
    "majority_class",
    "raw_pixels",
    "raw_values",
    "minirocket",
    "tfidf",
    "random_init",
    "supervised_quarter",
    "supervised_half",
    "supervised",
    "supervised_double",
    "supervised_compute",
)

#: Protocols whose scores belong in every block of a table, whatever the block's protocol and reading.
REFERENCE_PROTOCOLS = {
    "majority_class": "majority_class",
    "minirocket": "minirocket",
    "tfidf": "tfidf",
    "supervised_quarter": "finetune",
    "supervised_half": "finetune",
    "supervised": "finetune",
    "supervised_double": "finetune",
    "supervised_compute": "finetune",
}

#: Where a frozen encoder may be read: its `latent_dim` numbers, what they are projected from, or the feature map
#: before that is pooled, averaged over a grid of two places per axis.
READINGS = ("latent", "pooled", "map")


@dataclass(frozen=True)
class Range:
    """Where Optuna may look for a value: [low, high], on a log scale if `log`."""

    low: float
    high: float
    log: bool = False


def tuned(default: Any, low: float, high: float, *, log: bool = False) -> Any:
    """Declare a hyper-parameter: its default for people and its range for Optuna, on one line.

    Raises:
        ValueError: the default lies outside its own range.
    """
    if not low <= default <= high:
        raise ValueError(f"default {default} lies outside its range [{low}, {high}]")
    return field(default=default, metadata={"tuned": Range(low, high, log)})


@dataclass(frozen=True)
class Checked:
    """Base of what people write: every field is held against its declared type when one is made.

    Raises:
        InputError: naming the field, what it may be and what it is.
    """

    def __post_init__(self) -> None:
        from sslbench.contract.schema import check_fields

        check_fields(self, self._whose())

    def _whose(self) -> str:
        """What errors begin with."""
        return type(self).__name__


@dataclass(frozen=True)
class OptimizerConfig(Checked):
    """How a pretext's parameters are updated. `warmup` is the share of all steps spent rising to the peak."""

    name: Literal["adam", "adam_gan", "adamw", "sgd"] = "adamw"
    learning_rate: Positive = tuned(1e-3, 1e-4, 3e-2, log=True)
    weight_decay: NonNegative = tuned(1e-4, 1e-6, 1e-1, log=True)
    batch_size: BatchSize = 256
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup: ProperShare = 0.1


@dataclass(frozen=True)
class PretextConfig(Checked):
    """Base of every pretext's configuration; subclasses add their own fields."""

    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)


@dataclass(frozen=True)
class ProtocolConfig(Checked):
    """Base of every protocol's configuration."""


@dataclass(frozen=True)
class ViewPolicy:
    """What a random view may do to an input of this dataset without changing what it shows.

    A digit must not be mirrored; grey images have no hue. `min_crop_scale` is the smallest share of the area of an
    image, or of the length of a series, that a crop may keep. `sentences`: a text holds several, in order, with a mark
    after each.
    """

    horizontal_flip: bool = False
    intensity_jitter: bool = True
    color_jitter: bool = False
    min_crop_scale: float = 0.2
    sentences: bool = False


@dataclass(frozen=True)
class InputSpec:
    """What one input looks like: its modality, its shape without the batch, and what views may do.

    Attributes:
        vocabulary: what the numbers of a text stand for, a tokeniser as `tokenizers` writes it; empty for all else.
    """

    modality: str
    shape: tuple[int, ...]
    views: ViewPolicy = ViewPolicy()
    vocabulary: str = field(default="", repr=False)

    @property
    def size(self) -> int:
        """How many numbers one input has."""
        product = 1
        for length in self.shape:
            product *= length
        return product


def table_protocol(protocol: str, reading: str) -> str:
    """What tables call a protocol with a reading: `linear_probe`, or `linear_probe, map`; the latent is not said."""
    return protocol if reading == READINGS[0] else f"{protocol}, {reading}"


class Combination(NamedTuple):
    """One evaluation that the axes of a suite give, as its `include` is asked about it.

    Attributes:
        label_fraction: of the budget, in (0, 1].
        labels_per_class: of the budget, where the suite gave it so.
        reading: of `READINGS`; the first where a protocol knows no other.
    """

    dataset: str
    pretext: str
    latent_dim: int
    seed: int
    label_fraction: float
    labels_per_class: int | None
    protocol: str
    reading: str


def check_draw(stratified: bool, labels_per_class: Sequence[int], whose: str) -> None:
    """Hold two ways to draw a label budget against each other.

    Raises:
        InputError: so many labels of every class cannot be drawn without looking at labels.
    """
    if labels_per_class and not stratified:
        raise InputError(f"{whose}: labels_per_class looks at labels, and stratified=False draws without; keep one")


def everything(one: Combination) -> bool:
    """The default `include` of a suite: run every combination."""
    return True


@dataclass(frozen=True)
class Suite(Checked):
    """A named sweep: the grid of cells behind one published table.

    Attributes:
        datasets: what encoders are evaluated on.
        epochs, steps, flops: how long every pretext is trained, exactly one of them: passes over the unlabelled inputs
            (may be a fraction), optimiser steps, or floating-point operations. Equal epochs are not equal steps where
            batch sizes differ, and equal steps not equal work where a task makes two views of an input.
        pretrain_datasets: what encoders are pretrained on, each for every evaluated dataset; empty means each
            dataset for itself. Baselines train on none and appear once per evaluated dataset.
        label_seeds: labelled subsets that every pretraining is evaluated on; empty means one, drawn with the
            pretraining's seed. Several let the spread be split into that of the labels and that of the training.
        checkpoints: epochs after which the encoder in training is scored by `knn` at `checkpoint_fraction`. Nothing
            is chosen by them: they show how optimistic a choice on test would have been.
        checkpoint_fraction: None means the smallest label fraction.
        settings_file: tuned settings that `settings` are added to, a file that `sslbench tune` wrote, relative to the
            suite's own; empty means none.
        num_unlabelled: how many inputs pretraining sees; None means all.
        settings: overrides of pretext and protocol fields by name, e.g.
            `{"simclr": {"temperature": 0.5, "optimizer.batch_size": 512}}`.
        labels_per_class: label budgets of so many labels of every class, beside the fractions.
        readings: where frozen encoders are read, of `READINGS`; `raw_pixels` has one, which stands in all tables.
        primary: the protocol, and with a comma the reading where that is not the latent (`linear_probe, map`), that
            headlines and claims are about, named before anything is run; empty for the first protocol and reading.
        compute_of: the pretext whose operations `supervised_compute` spends on training from scratch.
        stratified: whether every class has its share of a label budget, at least one label; else the inputs of a budget
            are drawn at random, without looking at any label, and a class may be missing from it.
        include: whether to run a combination, for grids with holes; what is evaluated nowhere is not pretrained.
        notes: lines printed under the tables, e.g. the number of optimiser steps of every training.
    """

    name: Name
    datasets: Axis[Line]
    encoders: Axis[Line]
    pretexts: Axis[Line]
    latent_dims: Axis[Size]
    seeds: Axis[Seed]
    epochs: Epochs | None = None
    label_fractions: Distinct[Fraction] = DEFAULT_FRACTIONS
    protocols: Axis[Line] = ("linear_probe", "knn", "finetune")
    num_unlabelled: Count | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    include: Callable[[Combination], bool] = everything
    notes: tuple[Line, ...] = ()
    pretrain_datasets: Distinct[Line] = ()
    label_seeds: Distinct[Seed] = ()
    checkpoints: Distinct[Epochs] = ()
    checkpoint_fraction: Fraction | None = None
    settings_file: Line = ""
    steps: Steps | None = None
    flops: Flops | None = None
    labels_per_class: Distinct[Count] = ()
    readings: Axis[Line] = READINGS[:1]
    primary: Line = ""
    compute_of: Line = ""
    stratified: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_length()
        if not self.label_fractions and not self.labels_per_class:
            raise InputError(f"{self._whose()}: label_fractions and labels_per_class are both empty; name a budget")
        check_draw(self.stratified, self.labels_per_class, self._whose())
        for reading in self.readings:
            if reading not in READINGS:
                raise InputError(f"{self._whose()}: unknown reading {reading!r}; choose one of {', '.join(READINGS)}")
        if "supervised_compute" in self.pretexts and not self.compute_of:
            raise InputError(f"{self._whose()}: supervised_compute needs compute_of, whose compute it spends")

    def _check_length(self) -> None:
        given = [name for name in ("epochs", "steps", "flops") if getattr(self, name) is not None]
        if len(given) != 1:
            raise InputError(
                f"{self._whose()}: give exactly one of epochs, steps and flops, not {' and '.join(given) or 'none'}"
            )
        if self.checkpoints and self.epochs is None:
            raise InputError(f"{self._whose()}: checkpoints are epochs, so they need epochs, not {given[0]}")
        for epoch in self.checkpoints:
            if self.epochs is not None and epoch > self.epochs:
                raise InputError(
                    f"{self._whose()}: checkpoint {epoch:g} comes after the last of {self.epochs:g} epochs"
                )

    def _whose(self) -> str:
        return f"suite {self.name!r}" if isinstance(self.name, str) else "a suite"

    @property
    def all_datasets(self) -> tuple[str, ...]:
        """Every dataset needed, to pretrain on or to evaluate."""
        return tuple(dict.fromkeys([*self.datasets, *self.pretrain_datasets]))

    @property
    def scored_fraction(self) -> float:
        """The label fraction of checkpoints."""
        return self.checkpoint_fraction or min(self.label_fractions, default=1.0)

    def grid(self) -> list[tuple[str, str, str, int, int]]:
        """Every (dataset, encoder, pretext, latent_dim, seed), in table order."""
        return list(itertools.product(self.datasets, self.encoders, self.pretexts, self.latent_dims, self.seeds))
