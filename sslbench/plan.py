"""Suite -> cells: what there is to do, checked before anything starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sslbench import optimization
from sslbench.datasets import check as check_dataset
from sslbench.encoders import ENCODERS
from sslbench.pretexts import PRETEXTS
from sslbench.pretexts._base import Pretext
from sslbench.protocols import PROTOCOLS
from sslbench.spec import (
    REFERENCE_PROTOCOLS,
    EvaluateCell,
    InputError,
    InputSpec,
    PretrainCell,
    ProtocolConfig,
    Suite,
    configure,
)


@dataclass(frozen=True)
class Selection:
    """Which part of a suite to run; an empty axis means all of it."""

    datasets: tuple[str, ...] = ()
    pretexts: tuple[str, ...] = ()
    latent_dims: tuple[int, ...] = ()
    label_fractions: tuple[float, ...] = ()
    seeds: tuple[int, ...] = ()


@dataclass(frozen=True)
class Plan:
    """Every cell of a suite's selection.

    Attributes:
        pretrain: in the order to run them.
        evaluate: grouped by pretraining, in the same order.
        unsuitable: (dataset, encoder, pretext) to the reason it is left out.
    """

    pretrain: tuple[PretrainCell, ...]
    evaluate: Mapping[str, tuple[EvaluateCell, ...]]
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
        pretexts=selection.pretexts or suite.pretexts,
        latent_dims=selection.latent_dims or suite.latent_dims,
        label_fractions=selection.label_fractions or suite.label_fractions,
        seeds=selection.seeds or suite.seeds,
    )


def check(suite: Suite) -> None:
    """Raise an error for the first name a suite uses that does not exist, before any data is read.

    Raises:
        InputError: naming the culprit and the choices.
    """
    for dataset in suite.datasets:
        check_dataset(dataset)
    for encoder in suite.encoders:
        ENCODERS.check(encoder)
    for pretext in suite.pretexts:
        PRETEXTS.check(pretext)
    for protocol in suite.protocols:
        PROTOCOLS.check(protocol)
    for owner in suite.settings:
        if owner not in PRETEXTS and owner not in PROTOCOLS:
            known = ", ".join([*PRETEXTS, *PROTOCOLS])
            raise InputError(f"settings for unknown pretext or protocol {owner!r}; choose one of {known}")


def make_plan(suite: Suite, inputs: Mapping[str, tuple[str, InputSpec]]) -> Plan:
    """Unroll a suite's grid.

    Args:
        inputs: for every dataset the suite names, its identity (`Dataset.name`) and its input specification.

    Raises:
        InputError: a name or a setting is wrong.
    """
    check(suite)
    pretrain: dict[str, PretrainCell] = {}
    evaluate: dict[str, tuple[EvaluateCell, ...]] = {}
    unsuitable: dict[tuple[str, str, str], str] = {}
    for dataset, encoder, pretext, latent_dim, seed in suite.grid():
        identity, input_spec = inputs[dataset]
        task = PRETEXTS.get(pretext)
        reason = task.unsuitable(encoder, input_spec)
        if reason is not None:
            unsuitable[identity, encoder, pretext] = reason
            continue
        cell = _pretrain_cell(suite, task, identity, encoder, pretext, latent_dim, seed, input_spec)
        if cell.cell_id not in pretrain:
            pretrain[cell.cell_id] = cell
            evaluate[cell.cell_id] = _evaluate_cells(suite, task, cell)
    ordered = sorted(pretrain.values(), key=lambda cell: not PRETEXTS.get(cell.pretext).trains)
    return Plan(tuple(ordered), {cell.cell_id: evaluate[cell.cell_id] for cell in ordered}, unsuitable)


def _pretrain_cell(
    suite: Suite,
    task: type[Pretext],
    dataset: str,
    encoder: str,
    pretext: str,
    latent_dim: int,
    seed: int,
    input_spec: InputSpec,
) -> PretrainCell:
    config = configure(task.Config(), suite.settings.get(pretext, {}), f"pretext {pretext!r}")
    optimization.check(config.optimizer)
    if task.encoder_name is not None:
        encoder, latent_dim = task.encoder_name, input_spec.size
    # 1 and 1.0 epochs are the same cell.
    epochs, num_unlabelled = (float(suite.epochs), suite.num_unlabelled) if task.trains else (0.0, None)
    return PretrainCell(dataset, encoder, pretext, latent_dim, seed, epochs, num_unlabelled, config)


def _evaluate_cells(suite: Suite, task: type[Pretext], cell: PretrainCell) -> tuple[EvaluateCell, ...]:
    if cell.pretext in REFERENCE_PROTOCOLS:  # runs whether or not the suite names it: every table needs it
        protocols: tuple[str, ...] = (REFERENCE_PROTOCOLS[cell.pretext],)
    else:
        protocols = tuple(name for name in suite.protocols if task.protocols is None or name in task.protocols)
    return tuple(
        EvaluateCell(cell, fraction, protocol, protocol_config(suite, protocol))
        for fraction in suite.label_fractions
        for protocol in protocols
        if suite.include(cell.pretext, cell.latent_dim, fraction, protocol)
    )


def protocol_config(suite: Suite, protocol: str) -> ProtocolConfig:
    """A protocol's settings in a suite."""
    config: ProtocolConfig = configure(
        PROTOCOLS.get(protocol).Config(), suite.settings.get(protocol, {}), f"protocol {protocol!r}"
    )
    return config
