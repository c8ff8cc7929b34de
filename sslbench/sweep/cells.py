"""From one place of a suite's grid to its cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sslbench.contract.cells import FEW_STEPS, EvaluateCell, PretrainCell
from sslbench.contract.schema import shown
from sslbench.contract.settings import configure
from sslbench.contract.spec import (
    READINGS,
    REFERENCE_PROTOCOLS,
    Combination,
    InputError,
    InputSpec,
    PretextConfig,
    ProtocolConfig,
    Suite,
)
from sslbench.datasets import is_own, version_of
from sslbench.datasets._base import Dataset
from sslbench.encoders import ENCODERS
from sslbench.engine.evaluate import sees_features
from sslbench.modalities import MODALITIES
from sslbench.pretexts import PRETEXTS
from sslbench.pretexts._base import Pretext
from sslbench.protocols import PROTOCOLS

#: Scores checkpoints, because it has nothing to train or to choose.
CHECKPOINT_PROTOCOL = "knn"


@dataclass(frozen=True)
class Source:
    """What planning knows of a dataset: its identity and inputs, its training labels and how many classes they have,
    the version of its loader, how many inputs pretraining may see, how many are tested (0: not known), and whether it
    is a person's own."""

    name: str
    input_spec: InputSpec
    num_labels: int
    num_classes: int
    version: int = 1
    num_unlabelled: int = 0
    num_tested: int = 0
    own: bool = False

    @classmethod
    def of(cls, asked: str, dataset: Dataset) -> Source:
        """Of a dataset that was loaded by the name `asked`."""
        labels, classes = len(dataset.train_labels), len(dataset.classes)
        unlabelled, tested = len(dataset.unlabelled_inputs), len(dataset.test_inputs)
        sizes = labels, classes, version_of(asked), unlabelled, tested
        return cls(dataset.name, dataset.input_spec, *sizes, is_own(asked))


def does_not_fit(task: type[Pretext], encoder: str, spec: InputSpec) -> str | None:
    """Why a task, or the encoder it would train, does not fit such inputs; None if both do."""
    if task.modality not in (None, spec.modality):
        return f"needs inputs of modality {task.modality!r}, not {spec.modality!r}"
    taken = ENCODERS.get(task.encoder_name or encoder).modality
    if taken not in (None, spec.modality):
        return f"encoder {task.encoder_name or encoder!r} takes inputs of modality {taken!r}, not {spec.modality!r}"
    if taken is None and task.encoder_name is None and not MODALITIES.get(spec.modality).measured:
        return f"encoder {encoder!r} takes measured values, and inputs of modality {spec.modality!r} are names"
    return task.unsuitable(encoder, spec)


@dataclass(frozen=True)
class Drawn:
    """One place of the grid, whatever the pretext: `source` is what an encoder there is pretrained on."""

    source: Source
    encoder: str
    latent_dim: int
    seed: int


def pretrain_cell(suite: Suite, pretext: str, drawn: Drawn) -> PretrainCell:
    """The pretraining of a pretext there; a baseline's trains nothing. A suite's epochs over a person's own data are
    at least `FEW_STEPS`: over 300 images two epochs are two batches.

    Raises:
        InputError: the encoder is narrower than the latent size.
    """
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
        pretext_config(suite, pretext),
        dataset_version=drawn.source.version,
        encoder_version=ENCODERS.version(encoder),
        pretext_version=PRETEXTS.version(pretext),
    )
    if not task.trains:
        return baseline
    cell = replace(
        baseline,
        epochs=task.stretch * (suite.epochs or 0),  # 1 and 1.0 epochs are the same cell
        steps=None if suite.steps is None else max(1, round(task.stretch * suite.steps)),
        flops=None if suite.flops is None else task.stretch * suite.flops,
        num_unlabelled=suite.num_unlabelled,
        checkpoints=tuple(sorted(float(epoch) for epoch in suite.checkpoints)),
        checkpoint_version=PROTOCOLS.version(CHECKPOINT_PROTOCOL) if suite.checkpoints else 1,
    )
    if drawn.source.own and suite.epochs and cell.steps_over(drawn.source.num_unlabelled) < FEW_STEPS:
        return replace(cell, epochs=0.0, steps=FEW_STEPS)
    return cell


def matched_compute(suite: Suite, drawn: Drawn) -> PretrainCell:
    """The pretraining that `supervised_compute` is given as many operations as."""
    reason = does_not_fit(PRETEXTS.get(suite.compute_of), drawn.encoder, drawn.source.input_spec)
    if reason is not None:
        raise InputError(f"suite {suite.name!r}: compute_of {suite.compute_of!r} {reason}")
    return pretrain_cell(suite, suite.compute_of, drawn)


def evaluate_cells(
    suite: Suite, cell: PretrainCell, target: Source, compute: PretrainCell | None
) -> Iterator[EvaluateCell]:
    """Every evaluation of a pretraining on one dataset.

    Args:
        compute: the pretraining whose operations `supervised_compute` spends; None for all other pretexts.
    """
    for fraction, per_class in _budgets(suite, target):
        for label_seed in suite.label_seeds or (cell.seed,):
            for protocol, reading in protocols_of(suite, cell.pretext):
                training = cell.pretext, cell.latent_dim, cell.seed
                if included(suite, Combination(target.name, *training, fraction, per_class, protocol, reading)):
                    yield EvaluateCell(
                        cell,
                        target.name,
                        fraction,
                        label_seed,
                        protocol,
                        protocol_config(suite, protocol),
                        reading,
                        per_class,
                        compute,
                        target.version,
                        PROTOCOLS.version(protocol),
                        suite.stratified,
                    )


def _budgets(suite: Suite, source: Source) -> list[tuple[float, int | None]]:
    """Every label budget as a share of the training labels, and as labels per class where it was given so.

    Raises:
        InputError: more labels than there are, or the same number twice: tables have one column for it.
    """
    budgets: list[tuple[float, int | None]] = [(fraction, None) for fraction in suite.label_fractions]
    for count in suite.labels_per_class:
        share = count * source.num_classes / source.num_labels
        if share > 1:
            raise InputError(
                f"suite {suite.name!r}: {count} labels per class are more than the {source.num_labels:,} labels "
                f"of {source.num_classes} classes of {source.name!r}"
            )
        if share in suite.label_fractions:
            raise InputError(
                f"suite {suite.name!r}: {count} labels per class of {source.name!r} are its label fraction {share:g}; "
                "keep one"
            )
        budgets.append((share, count))
    return sorted(budgets, key=lambda budget: budget[0])


def protocols_of(suite: Suite, pretext: str) -> list[tuple[str, str]]:
    """Protocols and readings that evaluate a pretext: those of the suite's readings its encoder offers, or its own."""
    if pretext in REFERENCE_PROTOCOLS:  # runs whether or not the suite names it: every table needs it
        return [(REFERENCE_PROTOCOLS[pretext], READINGS[0])]
    task = PRETEXTS.get(pretext)
    offered = READINGS if task.encoder_name is None else ENCODERS.get(task.encoder_name).readings
    return [
        (protocol, reading)
        for protocol in suite.protocols
        if task.protocols is None or protocol in task.protocols
        for reading in [one for one in readings_of(suite, protocol) if one in offered] or offered[:1]
    ]


def readings_of(suite: Suite, protocol: str) -> tuple[str, ...]:
    """Where a protocol reads encoders: the suite's readings if it sees features, else the latent its head sits on."""
    return suite.readings if sees_features(protocol) else READINGS[:1]


def included(suite: Suite, one: Combination) -> bool:
    """What the suite's own `include` says.

    Raises:
        InputError: it raises, or says something else than yes or no.
    """
    asked = f"suite {suite.name!r}: include({one})"
    try:
        answer = suite.include(one)
    except Exception as error:
        raise InputError(f"{asked} raises {type(error).__name__}: {error}") from error
    if not isinstance(answer, bool):
        raise InputError(f"{asked} must return True or False, not {shown(answer)}")
    return answer


def checkpoint_cells(suite: Suite, cell: PretrainCell, target: Source) -> list[EvaluateCell]:
    """What is asked of the encoder at each checkpoint."""
    if not cell.checkpoints:
        return []
    config = protocol_config(suite, CHECKPOINT_PROTOCOL)
    return [
        replace(
            EvaluateCell(cell, target.name, suite.scored_fraction, label_seed, CHECKPOINT_PROTOCOL, config),
            stratified=suite.stratified,
        )
        for label_seed in suite.label_seeds or (cell.seed,)
    ]


def pretext_config(suite: Suite, pretext: str) -> PretextConfig:
    """A pretext's settings in a suite."""
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
