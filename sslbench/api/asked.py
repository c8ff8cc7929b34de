"""An encoder of one's own, asked once for its features of a dataset, and the cells it is scored in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from sslbench.api.own import OWN, Function, architecture, given, read
from sslbench.contract.cells import EvaluateCell, PretrainCell
from sslbench.contract.spec import READINGS, InputError, PretextConfig, ProtocolConfig
from sslbench.datasets import version_of
from sslbench.datasets._base import Dataset
from sslbench.encoders import ENCODERS
from sslbench.encoders._base import Encoder
from sslbench.engine.evaluate import Features, Outcome, evaluate, sees_features
from sslbench.protocols import PROTOCOLS


@dataclass(frozen=True)
class Asked:
    """What an encoder says of a dataset.

    Attributes:
        own: what records call it.
        network: None where features alone were given.
        features: by reading.
    """

    own: PretrainCell
    data: Dataset
    network: Encoder | None
    features: Mapping[str, Features]
    device: torch.device

    def score(self, cell: EvaluateCell) -> Outcome:
        """Score it in one of its cells."""
        return evaluate(cell, self.data, self.network, self.features.get(cell.reading), self.device)


def ask(
    encoder: Function | tuple[Any, Any],
    data: Dataset,
    protocols: Sequence[str],
    readings: Sequence[str],
    name: str,
    device: torch.device,
) -> Asked:
    """Ask an encoder for what these protocols and readings need.

    Raises:
        InputError: it is none, or does not answer with finite features of every input.
    """
    if isinstance(encoder, tuple):
        _check_frozen(protocols, readings)
        found = given(encoder, data, device)
        return Asked(own_cell(data.name, OWN, name, found.train.shape[1]), data, None, {READINGS[0]: found}, device)
    if not callable(encoder):
        raise InputError(
            f"an encoder is a function of a batch, or features (train, test), not {type(encoder).__name__}"
        )
    network, features = read(encoder, data, protocols, readings, device)
    own = own_cell(data.name, architecture(network), name, network.latent_dim)
    return Asked(own, data, network, features, device)


def _check_frozen(protocols: Sequence[str], readings: Sequence[str]) -> None:
    """Features alone have one reading, and nothing can be trained on."""
    for protocol in protocols:
        if not sees_features(protocol):
            raise InputError(f"protocol {protocol!r} trains the encoder, and only features are given; give a module")
    if tuple(readings) != READINGS[:1]:
        raise InputError(f"features that are given have one reading, {READINGS[0]!r}, not {', '.join(readings)}")


def own_cell(dataset: str, encoder: str, name: str, latent_dim: int) -> PretrainCell:
    """An encoder of one's own as a pretraining that nobody here ran."""
    cell = PretrainCell(dataset, encoder, name, latent_dim, 0, 0.0, None, PretextConfig())
    known = ENCODERS.version(encoder) if encoder in ENCODERS else 1
    return replace(cell, dataset_version=version_of(dataset), encoder_version=known)


def own_evaluation(
    own: PretrainCell,
    budget: tuple[float, int | None],
    label_seed: int,
    protocol: str,
    config: ProtocolConfig,
    reading: str,
    stratified: bool = True,
) -> EvaluateCell:
    """One evaluation of it.

    Args:
        budget: label fraction, and labels per class if these were asked for.
        stratified: as of `EvaluateCell`.
    """
    cell = EvaluateCell(own, own.dataset, budget[0], label_seed, protocol, config, reading, budget[1])
    return replace(
        cell,
        dataset_version=own.dataset_version,
        protocol_version=PROTOCOLS.version(protocol),
        stratified=stratified,
    )
