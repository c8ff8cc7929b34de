"""What every loader returns: one modality, loaded whole into tensors."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from sslbench.contract.spec import InputError, InputSpec, ViewPolicy


@dataclass(frozen=True)
class Dataset:
    """Train and test inputs with labels, and the inputs pretraining may see.

    Attributes:
        name: the identity that records carry; never a path.
        classes: a name per class, in label order.
        train_inputs, test_inputs: `(N, *input_spec.shape)` in the type its modality stores; of images uint8.
        train_labels, test_labels: int64 `(N,)` in `[0, len(classes))`.
        unlabelled_inputs: `(M, *input_spec.shape)`, likewise: what pretexts see. Usually `train_inputs` itself; STL-10
            adds its unlabelled split, whose labels exist nowhere in this object.
        digest: hash of the classes and of every tensor, the same on every machine.
        source: where it came from, for people.
        files: what belongs to its inputs and is kept with every encoder, content by name: the tokeniser of texts.
    """

    name: str
    input_spec: InputSpec
    classes: tuple[str, ...]
    train_inputs: torch.Tensor
    train_labels: torch.Tensor
    test_inputs: torch.Tensor
    test_labels: torch.Tensor
    unlabelled_inputs: torch.Tensor
    digest: str
    source: str
    files: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for split, labels in (("train", self.train_labels), ("test", self.test_labels)):
            if labels.numel() == 0:
                raise InputError(f"dataset {self.name!r} has no {split} inputs")
            if int(labels.min()) < 0 or int(labels.max()) >= len(self.classes):
                raise InputError(f"dataset {self.name!r} has {split} labels outside 0 to {len(self.classes) - 1}")

    @property
    def sizes(self) -> dict[str, int]:
        """Number of inputs by split."""
        return {
            "train": len(self.train_inputs),
            "test": len(self.test_inputs),
            "unlabelled": len(self.unlabelled_inputs),
        }


@dataclass(frozen=True)
class Split:
    """Inputs `(N, ...)` as they are stored and their labels int64 `(N,)`."""

    inputs: torch.Tensor
    labels: torch.Tensor


def assembled(
    name: str,
    modality: str,
    classes: tuple[str, ...],
    views: ViewPolicy,
    train: Split,
    test: Split,
    source: str,
    unlabelled: torch.Tensor | None = None,
) -> Dataset:
    """Put a dataset of any modality together: its input shape and its digest follow from the tensors.

    Args:
        unlabelled: what pretexts see, `(M, ...)`; None means `train.inputs` itself.
    """
    tensors = [train.inputs, train.labels, test.inputs, test.labels]
    if unlabelled is not None:
        tensors.append(unlabelled)
    return Dataset(
        name=name,
        input_spec=InputSpec(modality, tuple(train.inputs.shape[1:]), views),
        classes=classes,
        train_inputs=train.inputs,
        train_labels=train.labels,
        test_inputs=test.inputs,
        test_labels=test.labels,
        unlabelled_inputs=train.inputs if unlabelled is None else unlabelled,
        digest=_content_digest(classes, tensors),
        source=source,
    )


def image_dataset(
    name: str,
    classes: tuple[str, ...],
    views: ViewPolicy,
    train: Split,
    test: Split,
    source: str,
    unlabelled: torch.Tensor | None = None,
) -> Dataset:
    """The same for images: all inputs are uint8 `(N, C, H, W)`, values 0 to 255."""
    return assembled(name, "image", classes, views, train, test, source, unlabelled)


def _content_digest(classes: tuple[str, ...], tensors: list[torch.Tensor]) -> str:
    """sha256 over class names, types, shapes and bytes; the first 16 hexadecimal digits."""
    state = hashlib.sha256(repr(classes).encode())
    for tensor in tensors:
        array = tensor.contiguous().numpy()
        little_endian = array.astype(array.dtype.newbyteorder("<"), copy=False)
        state.update(f"{little_endian.dtype.name}{array.shape}".encode())
        state.update(little_endian.reshape(-1).view("u1").data)
    return state.hexdigest()[:16]
