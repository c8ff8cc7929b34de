"""A person's own encoder, whatever it is, as protocols read it: a network, a function, or features alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import torch
from torch import nn

from sslbench.contract.spec import READINGS, InputError, InputSpec
from sslbench.datasets._base import Dataset
from sslbench.encoders import ENCODERS
from sslbench.encoders._base import Encoder
from sslbench.engine.evaluate import Features, extract, refit, sees_features
from sslbench.modalities import modality_of

#: What records call an architecture that is no plug-in.
OWN = "own"

#: From a batch `(N, ...)` to features `(N, D)`, or with places left in them, `(N, F, ...)`; tensors or arrays.
Function = Callable[[torch.Tensor], Any]


class OwnEncoder(Encoder):
    """What a function says of a batch: features `(N, D)` as they are, or a map `(N, F, ...)`, of which the mean.

    Args:
        latent_dim: how many numbers that makes of an input.
    """

    any_size: ClassVar[bool] = True

    def __init__(self, input_spec: InputSpec, latent_dim: int, function: Function) -> None:
        super().__init__(input_spec, latent_dim)
        self.function = function
        self.project = nn.Identity()

    @classmethod
    def max_latent_dim(cls, input_spec: InputSpec) -> int:
        return input_spec.size

    def feature_map(self, inputs: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.function(inputs), device=inputs.device).float()

    def pool(self, feature_map: torch.Tensor) -> torch.Tensor:
        return super().pool(feature_map) if feature_map.dim() > 2 else feature_map

    def mirror(self) -> nn.Module:
        raise TypeError("an encoder of one's own has no decoder")


@contextmanager
def as_it_was(encoder: object) -> Iterator[None]:
    """Leave every part of a module in the mode it is in, training or not, whatever it is asked meanwhile."""
    modes = [(part, part.training) for part in encoder.modules()] if isinstance(encoder, nn.Module) else []
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training


def architecture(encoder: Encoder | None) -> str:
    """What records call the network: the name of the plug-in that it is, else `own`."""
    if encoder is None or isinstance(encoder, OwnEncoder):
        return OWN
    return next((name for name in ENCODERS if type(encoder) is ENCODERS.get(name)), OWN)


def read(
    encoder: Function, dataset: Dataset, protocols: Sequence[str], readings: Sequence[str], device: torch.device
) -> tuple[Encoder, Mapping[str, Features]]:
    """A network that answers for both splits of a dataset, and its features by reading, if a protocol sees any.

    Raises:
        InputError: it cannot be read so, or does not answer with finite features of every input.
    """
    network = _network(encoder, dataset, device)
    probe = modality_of(dataset.input_spec).batch(dataset.train_inputs[:2].to(device))
    able = network.readings
    if isinstance(network, OwnEncoder):
        features = _tried(network, probe)
        network.latent_dim = features.shape[1]
        able = READINGS if features.dim() > 2 else READINGS[:1]
    for reading in readings:
        if reading not in able:
            raise InputError(f"the encoder has no reading {reading!r}, only {', '.join(able)}")
    for protocol in protocols:
        if not sees_features(protocol) and not any(one.requires_grad for one in network.parameters()):
            raise InputError(
                f"protocol {protocol!r} trains the encoder, which has nothing to train; give a torch module"
            )
    found = extract(network, dataset, device, readings if any(map(sees_features, protocols)) else ())
    for part in found.values():
        _check_finite(part.train, "the encoder's training features")
        _check_finite(part.test, "the encoder's test features")
    return network, found


def _network(encoder: Function, dataset: Dataset, device: torch.device) -> Encoder:
    if not isinstance(encoder, Encoder):
        return OwnEncoder(dataset.input_spec, 1, encoder).to(device)
    if encoder.input_spec == dataset.input_spec:
        return encoder.to(device)
    made_for, needed = encoder.input_spec, dataset.input_spec
    if made_for.modality != needed.modality or not modality_of(made_for).fits(made_for, needed, encoder.any_size):
        raise InputError(
            f"the encoder takes inputs of modality {made_for.modality!r} and shape {made_for.shape}; those of "
            f"{dataset.name!r} are of modality {needed.modality!r} and shape {needed.shape}"
        )
    return refit(encoder, architecture(encoder), dataset.input_spec).to(device)


def _tried(network: OwnEncoder, batch: torch.Tensor) -> torch.Tensor:
    """What the network says of a small batch."""
    asked = f"the encoder, asked about a batch of {tuple(batch.shape)}"
    network.eval()
    try:
        with torch.inference_mode():
            features = network.feature_map(batch)
    except Exception as error:
        raise InputError(f"{asked}, fails: {type(error).__name__}: {error}") from error
    if features.dim() < 2 or len(features) != len(batch):
        raise InputError(f"{asked}, answers {tuple(features.shape)}; features must be ({len(batch)}, D)")
    _check_finite(features, asked)
    return features


def given(features: tuple[Any, ...], dataset: Dataset, device: torch.device) -> Features:
    """Features that a person computed, `(train, test)`, held against the dataset.

    Raises:
        InputError: they are not one line of finite numbers for every input.
    """
    if len(features) != 2:
        raise InputError(f"features are given as (train, test), not as {len(features)} arrays")
    splits = {"train": dataset.train_inputs, "test": dataset.test_inputs}
    train, test = (
        _given(part, len(inputs), f"{split} features of {dataset.name!r}", device)
        for part, (split, inputs) in zip(features, splits.items(), strict=True)
    )
    if train.shape[1] != test.shape[1]:
        raise InputError(f"train features are {train.shape[1]} numbers of an input, test features {test.shape[1]}")
    return Features(train, test)


def _given(part: Any, count: int, whose: str, device: torch.device) -> torch.Tensor:
    try:
        features = torch.as_tensor(part, device=device).float()
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{whose} are no array of numbers: {error}") from error
    if features.dim() != 2 or len(features) != count:
        raise InputError(f"{whose} are {tuple(features.shape)}; they must be ({count}, D), in the order of the dataset")
    _check_finite(features, whose)
    return features


def _check_finite(features: torch.Tensor, whose: str) -> None:
    if not torch.isfinite(features).all():
        raise InputError(f"{whose} are not all finite numbers")
