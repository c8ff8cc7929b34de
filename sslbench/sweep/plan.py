"""Suite -> cells: what there is to do, checked before anything starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product

from sslbench.contract.schema import shown
from sslbench.contract.settings import configure
from sslbench.contract.spec import (
    READINGS,
    REFERENCE_PROTOCOLS,
    EvaluateCell,
    InputError,
    InputSpec,
    PretextConfig,
    PretrainCell,
    ProtocolConfig,
    Suite,
    table_protocol,
)
from sslbench.datasets import check as check_dataset
from sslbench.datasets import version_of
from sslbench.datasets._base import Dataset
from sslbench.encoders import ENCODERS
from sslbench.engine.evaluate import sees_features
from sslbench.modalities import modality_of
from sslbench.pretexts import PRETEXTS
from sslbench.pretexts._base import Pretext
from sslbench.protocols import PROTOCOLS


@dataclass(frozen=True)
class Source:
    """What planning knows of a dataset: its identity and inputs, its training labels and how many classes they have."""

    name: str
    input_spec: InputSpec
    num_labels: int
    num_classes: int

    @classmethod
    def of(cls, dataset: Dataset) -> Source:
        """Of a loaded dataset."""
        return cls(dataset.name, dataset.input_spec, len(dataset.train_labels), len(dataset.classes))


@dataclass(frozen=True)
class Selection:
    """Which part of a suite to run; an empty axis means all of it."""

    datasets: tuple[str, ...] = ()
    pretexts: tuple[str, ...] = ()
    latent_dims: tuple[int, ...] = ()
    label_fractions: tuple[float, ...] = ()
    seeds: tuple[int, ...] = ()
    encoders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """Every cell of a suite's selection.

    Attributes:
        pretrain: in the order to run them.
        evaluate: grouped by pretraining, in the same order.
        checkpoints: pretraining to the evaluations that score it on the way, after the epochs its cell names.
        unsuitable: (dataset, encoder, pretext) to the reason it is left out.
    """

    pretrain: tuple[PretrainCell, ...]
    evaluate: Mapping[str, tuple[EvaluateCell, ...]]
    checkpoints: Mapping[str, tuple[EvaluateCell, ...]] = field(default_factory=dict)
    unsuitable: Mapping[tuple[str, str, str], str] = field(default_factory=dict)

    @property
    def evaluations(self) -> list[EvaluateCell]:
        """All evaluation cells, in order."""
        return [cell for cells in self.evaluate.values() for cell in cells]


def select(suite: Suite, selection: Selection) -> Suite:
    """Narrow a suite to a selection.

    Values beyond the suite's own are allowed on every axis but must exist (a known pretext, a fraction in (0, 1]).

    Raises:
        InputError: a value does not exist or is impossible.
    """
    return replace(
        suite,
        datasets=selection.datasets or suite.datasets,
        encoders=selection.encoders or suite.encoders,
        pretexts=selection.pretexts or suite.pretexts,
        latent_dims=selection.latent_dims or suite.latent_dims,
        label_fractions=selection.label_fractions or suite.label_fractions,
        labels_per_class=() if selection.label_fractions else suite.labels_per_class,
        seeds=selection.seeds or suite.seeds,
        checkpoint_fraction=suite.scored_fraction,  # a part of a suite is scored as the whole would be
    )


def check(suite: Suite) -> None:
    """Raise an error for the first name a suite uses that does not exist, before any data is read.

    Raises:
        InputError: naming the culprit and the choices.
    """
    for dataset in suite.all_datasets:
        check_dataset(dataset)
    for encoder in suite.encoders:
        ENCODERS.check(encoder)
    for pretext in suite.pretexts:
        PRETEXTS.check(pretext)
    for protocol in suite.protocols:
        PROTOCOLS.check(protocol)
    for owner in suite.settings:  # also of what this suite does not run: a typo there is a typo
        if owner not in PRETEXTS and owner not in PROTOCOLS:
            known = ", ".join([*PRETEXTS, *PROTOCOLS])
            raise InputError(f"settings for unknown pretext or protocol {owner!r}; choose one of {known}")
        if owner in PRETEXTS:
            _pretext_config(suite, owner)
        if owner in PROTOCOLS:
            protocol_config(suite, owner)
    if suite.compute_of and not PRETEXTS.get(suite.compute_of).trains:
        raise InputError(f"suite {suite.name!r}: compute_of {suite.compute_of!r} is a baseline, which spends nothing")
    named = [table_protocol(*pair) for protocol in suite.protocols for pair in _readings(suite, protocol)]
    if suite.primary and suite.primary not in named:
        raise InputError(
            f"suite {suite.name!r}: primary {suite.primary!r} is not run; choose one of {'; '.join(named)}"
        )
    for pretext, latent_dim, fraction in product(suite.pretexts, suite.latent_dims, suite.label_fractions):
        for protocol, reading in _protocols(suite, pretext):
            _included(suite, pretext, latent_dim, fraction, protocol, reading)


def make_plan(suite: Suite, inputs: Mapping[str, Source]) -> Plan:
    """Unroll a suite's grid.

    Args:
        inputs: every dataset the suite names.

    Raises:
        InputError: a name or a setting is wrong.
    """
    check(suite)
    pretrain: dict[str, PretrainCell] = {}
    evaluate: dict[str, dict[str, EvaluateCell]] = {}
    checkpoints: dict[str, dict[str, EvaluateCell]] = {}
    unsuitable: dict[tuple[str, str, str], str] = {}
    for dataset, encoder, pretext, latent_dim, seed in suite.grid():
        task = PRETEXTS.get(pretext)
        target = Target(dataset, inputs[dataset])
        for source in (suite.pretrain_datasets if task.trains else ()) or (dataset,):
            trained_on = inputs[source]
            reason = does_not_fit(task, encoder, trained_on.input_spec)
            if reason is not None:
                unsuitable[trained_on.name, encoder, pretext] = reason
                continue
            reason = _cannot_transfer(encoder, trained_on.input_spec, target.source.input_spec)
            if reason is not None:
                unsuitable[f"{trained_on.name}, evaluated on {target.source.name}", encoder, pretext] = reason
                continue
            drawn = _Drawn(source, trained_on, encoder, latent_dim, seed)
            cell = _pretrain_cell(suite, pretext, drawn)
            compute = _compute(suite, drawn) if pretext == "supervised_compute" else None
            pretrain.setdefault(cell.cell_id, cell)
            children = evaluate.setdefault(cell.cell_id, {})
            children.update({child.cell_id: child for child in _evaluate_cells(suite, cell, target, compute)})
            scores = checkpoints.setdefault(cell.cell_id, {})
            scores.update({child.cell_id: child for child in _checkpoint_cells(suite, cell, target)})
    ordered = sorted(pretrain.values(), key=lambda cell: not PRETEXTS.get(cell.pretext).trains)
    return Plan(
        tuple(ordered),
        {cell.cell_id: tuple(evaluate[cell.cell_id].values()) for cell in ordered},
        {cell.cell_id: tuple(checkpoints[cell.cell_id].values()) for cell in ordered},
        unsuitable,
    )


def does_not_fit(task: type[Pretext], encoder: str, spec: InputSpec) -> str | None:
    """Why a task, or the encoder it would train, does not fit such inputs; None if both do."""
    if task.modality not in (None, spec.modality):
        return f"needs inputs of modality {task.modality!r}, not {spec.modality!r}"
    taken = ENCODERS.get(task.encoder_name or encoder).modality
    if taken not in (None, spec.modality):
        return f"encoder {task.encoder_name or encoder!r} takes inputs of modality {taken!r}, not {spec.modality!r}"
    return task.unsuitable(encoder, spec)


def _cannot_transfer(encoder: str, seen: InputSpec, shown: InputSpec) -> str | None:
    """Why an encoder pretrained on one dataset's inputs cannot represent another's; None if it can."""
    if seen.modality != shown.modality:
        return f"pretrained on {seen.modality}, cannot represent {shown.modality}"
    if modality_of(seen).fits(seen, shown, ENCODERS.get(encoder).any_size):
        return None
    before, after = ("x".join(str(length) for length in spec.shape) for spec in (seen, shown))
    return f"pretrained on inputs of {before}, encoder {encoder!r} cannot represent {after}"


@dataclass(frozen=True)
class Target:
    """A dataset to evaluate on, and the name it was asked for by."""

    asked: str
    source: Source


@dataclass(frozen=True)
class _Drawn:
    """One place of the grid, whatever the pretext."""

    asked: str
    source: Source
    encoder: str
    latent_dim: int
    seed: int


def _pretrain_cell(suite: Suite, pretext: str, drawn: _Drawn) -> PretrainCell:
    task, encoder, latent_dim = PRETEXTS.get(pretext), drawn.encoder, drawn.latent_dim
    if task.encoder_name is not None:
        encoder, latent_dim = task.encoder_name, drawn.source.input_spec.size
    widest = ENCODERS.get(encoder).max_latent_dim(drawn.source.input_spec)
    if latent_dim > widest:
        raise InputError(
            f"encoder {encoder!r} is {widest} wide: latent size {latent_dim} would still have rank {widest}; "
            f"choose at most {widest}"
        )
    baseline = PretrainCell(
        drawn.source.name,
        encoder,
        pretext,
        latent_dim,
        drawn.seed,
        0.0,
        None,
        _pretext_config(suite, pretext),
        dataset_version=version_of(drawn.asked),
        encoder_version=ENCODERS.version(encoder),
        pretext_version=PRETEXTS.version(pretext),
    )
    if not task.trains:
        return baseline
    return replace(
        baseline,
        epochs=float(suite.epochs or 0),  # 1 and 1.0 epochs are the same cell
        steps=suite.steps,
        flops=suite.flops,
        num_unlabelled=suite.num_unlabelled,
        checkpoints=tuple(sorted(float(epoch) for epoch in suite.checkpoints)),
    )


def _compute(suite: Suite, drawn: _Drawn) -> PretrainCell:
    """The pretraining that `supervised_compute` is given as many operations as."""
    reason = does_not_fit(PRETEXTS.get(suite.compute_of), drawn.encoder, drawn.source.input_spec)
    if reason is not None:
        raise InputError(f"suite {suite.name!r}: compute_of {suite.compute_of!r} {reason}")
    return _pretrain_cell(suite, suite.compute_of, drawn)


def _evaluate_cells(
    suite: Suite, cell: PretrainCell, target: Target, compute: PretrainCell | None
) -> Iterator[EvaluateCell]:
    for fraction, per_class in _budgets(suite, target.source):
        for label_seed in suite.label_seeds or (cell.seed,):
            for protocol, reading in _protocols(suite, cell.pretext):
                if _included(suite, cell.pretext, cell.latent_dim, fraction, protocol, reading):
                    yield EvaluateCell(
                        cell,
                        target.source.name,
                        fraction,
                        label_seed,
                        protocol,
                        protocol_config(suite, protocol),
                        reading,
                        per_class,
                        compute,
                        version_of(target.asked),
                        PROTOCOLS.version(protocol),
                    )


def _budgets(suite: Suite, source: Source) -> list[tuple[float, int | None]]:
    """Every label budget as a share of the training labels, and as labels per class where it was given so."""
    budgets: list[tuple[float, int | None]] = [(fraction, None) for fraction in suite.label_fractions]
    for count in suite.labels_per_class:
        share = count * source.num_classes / source.num_labels
        if share > 1:
            raise InputError(
                f"suite {suite.name!r}: {count} labels per class are more than the {source.num_labels:,} labels "
                f"of {source.num_classes} classes of {source.name!r}"
            )
        budgets.append((share, count))
    return sorted(budgets, key=lambda budget: budget[0])


def _protocols(suite: Suite, pretext: str) -> list[tuple[str, str]]:
    """Protocols and readings that evaluate a pretext."""
    if pretext in REFERENCE_PROTOCOLS:  # runs whether or not the suite names it: every table needs it
        return [(REFERENCE_PROTOCOLS[pretext], READINGS[0])]
    task = PRETEXTS.get(pretext)
    offered = READINGS if task.encoder_name is None else ENCODERS.get(task.encoder_name).readings
    return [
        (protocol, reading)
        for protocol in suite.protocols
        if task.protocols is None or protocol in task.protocols
        for _, reading in _readings(suite, protocol)
        if reading in offered
    ]


def _readings(suite: Suite, protocol: str) -> list[tuple[str, str]]:
    """A protocol with each of its readings: the suite's if it sees features, else the latent its head sits on."""
    readings = suite.readings if sees_features(protocol) else READINGS[:1]
    return [(protocol, reading) for reading in readings]


def _included(suite: Suite, pretext: str, latent_dim: int, fraction: float, protocol: str, reading: str) -> bool:
    """What the suite's own `include` says.

    Raises:
        InputError: it raises, or says something else than yes or no.
    """
    asked = f"suite {suite.name!r}: include({pretext!r}, {latent_dim}, {fraction:g}, {protocol!r}, {reading!r})"
    try:
        answer = suite.include(pretext, latent_dim, fraction, protocol, reading)
    except Exception as error:
        raise InputError(f"{asked} raises {type(error).__name__}: {error}") from error
    if not isinstance(answer, bool):
        raise InputError(f"{asked} must return True or False, not {shown(answer)}")
    return answer


def _checkpoint_cells(suite: Suite, cell: PretrainCell, target: Target) -> list[EvaluateCell]:
    """What is asked of the encoder at each checkpoint: `knn`, because it has nothing to train or to choose."""
    if not cell.checkpoints:
        return []
    config = protocol_config(suite, "knn")
    return [
        EvaluateCell(cell, target.source.name, suite.scored_fraction, label_seed, "knn", config)
        for label_seed in suite.label_seeds or (cell.seed,)
    ]


def _pretext_config(suite: Suite, pretext: str) -> PretextConfig:
    config: PretextConfig = configure(
        PRETEXTS.get(pretext).Config(), suite.settings.get(pretext, {}), f"pretext {pretext!r}"
    )
    return config


def protocol_config(suite: Suite, protocol: str) -> ProtocolConfig:
    """A protocol's settings in a suite."""
    config: ProtocolConfig = configure(
        PROTOCOLS.get(protocol).Config(), suite.settings.get(protocol, {}), f"protocol {protocol!r}"
    )
    return config
