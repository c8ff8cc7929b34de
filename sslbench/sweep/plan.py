"""Suite -> cells: what there is to do, checked before anything starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import product

from sslbench.contract.cells import EvaluateCell, PretrainCell
from sslbench.contract.spec import (
    READINGS,
    Combination,
    InputError,
    InputSpec,
    Suite,
    table_protocol,
)
from sslbench.datasets import check as check_dataset
from sslbench.encoders import ENCODERS
from sslbench.engine.evaluate import sees_features
from sslbench.modalities import modality_of
from sslbench.pretexts import PRETEXTS
from sslbench.protocols import PROTOCOLS
from sslbench.sweep.asked import Selection
from sslbench.sweep.cells import (
    Drawn,
    Source,
    checkpoint_cells,
    does_not_fit,
    evaluate_cells,
    included,
    matched_compute,
    pretext_config,
    pretrain_cell,
    protocol_config,
    protocols_of,
    readings_of,
)


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

    def readings(self, cell_id: str) -> tuple[str, ...]:
        """Where evaluations that see features read the encoder of a pretraining."""
        wanted = {child.reading for child in self.evaluate[cell_id] if sees_features(child.protocol)}
        return tuple(reading for reading in READINGS if reading in wanted)


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


def beyond(suite: Suite, selection: Selection) -> tuple[str, ...]:
    """What a selection names and the suite itself does not have, in words, e.g. `pretext simsiam`."""
    axes = (
        ("dataset", selection.datasets, suite.datasets),
        ("encoder", selection.encoders, suite.encoders),
        ("pretext", selection.pretexts, suite.pretexts),
        ("latent size", selection.latent_dims, suite.latent_dims),
        ("label fraction", selection.label_fractions, suite.label_fractions),
        ("seed", selection.seeds, suite.seeds),
    )
    return tuple(f"{axis} {value}" for axis, chosen, own in axes for value in chosen if value not in own)


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
            pretext_config(suite, owner)
        if owner in PROTOCOLS:
            protocol_config(suite, owner)
    if suite.compute_of and not PRETEXTS.get(suite.compute_of).trains:
        raise InputError(f"suite {suite.name!r}: compute_of {suite.compute_of!r} is a baseline, which spends nothing")
    read = [(protocol, reading) for protocol in suite.protocols for reading in readings_of(suite, protocol)]
    named = [table_protocol(*pair) for pair in read]
    if suite.primary and suite.primary not in named:
        raise InputError(
            f"suite {suite.name!r}: primary {suite.primary!r} is not run; choose one of {'; '.join(named)}"
        )
    axes = suite.datasets, suite.pretexts, suite.latent_dims, suite.seeds, suite.label_fractions
    for dataset, pretext, latent_dim, seed, fraction in product(*axes):
        for protocol, reading in protocols_of(suite, pretext):
            included(suite, Combination(dataset, pretext, latent_dim, seed, fraction, None, protocol, reading))


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
        target = inputs[dataset]
        for source in (suite.pretrain_datasets if task.trains else ()) or (dataset,):
            trained_on = inputs[source]
            reason = does_not_fit(task, encoder, trained_on.input_spec)
            if reason is not None:
                unsuitable[trained_on.name, encoder, pretext] = reason
                continue
            reason = _cannot_transfer(encoder, trained_on.input_spec, target.input_spec)
            if reason is not None:
                unsuitable[f"{trained_on.name}, evaluated on {target.name}", encoder, pretext] = reason
                continue
            drawn = Drawn(trained_on, encoder, latent_dim, seed)
            cell = pretrain_cell(suite, pretext, drawn)
            compute = matched_compute(suite, drawn) if pretext == "supervised_compute" else None
            children = {child.cell_id: child for child in evaluate_cells(suite, cell, target, compute)}
            scores = {child.cell_id: child for child in checkpoint_cells(suite, cell, target)}
            if not children and not scores:
                continue  # `include` leaves it out
            pretrain.setdefault(cell.cell_id, cell)
            evaluate.setdefault(cell.cell_id, {}).update(children)
            checkpoints.setdefault(cell.cell_id, {}).update(scores)
    ordered = sorted(pretrain.values(), key=lambda cell: not PRETEXTS.get(cell.pretext).trains)
    return Plan(
        tuple(ordered),
        {cell.cell_id: tuple(evaluate[cell.cell_id].values()) for cell in ordered},
        {cell.cell_id: tuple(checkpoints[cell.cell_id].values()) for cell in ordered},
        unsuitable,
    )


def _cannot_transfer(encoder: str, seen: InputSpec, shown: InputSpec) -> str | None:
    """Why an encoder pretrained on one dataset's inputs cannot represent another's; None if it can."""
    if seen.modality != shown.modality:
        return f"pretrained on {seen.modality}, cannot represent {shown.modality}"
    if modality_of(seen).fits(seen, shown, ENCODERS.get(encoder).any_size):
        return None
    if seen.vocabulary != shown.vocabulary:
        return "pretrained on the tokens of another tokeniser: every dataset of texts has its own"
    before, after = ("x".join(str(length) for length in spec.shape) for spec in (seen, shown))
    return f"pretrained on inputs of {before}, encoder {encoder!r} cannot represent {after}"
