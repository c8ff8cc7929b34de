"""What every loader returns: one modality, loaded whole into tensors."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from sslbench.spec import InputError, InputSpec


@dataclass(frozen=True)
class Dataset:
    """Train and test inputs with labels, and the inputs pretraining may see.

    Attributes:
        name: the identity that records carry; never a path.
        classes: a name per class, in label order.
        train_inputs, test_inputs: uint8 `(N, C, H, W)`, values 0 to 255.
        train_labels, test_labels: int64 `(N,)` in `[0, len(classes))`.
        unlabelled_inputs: uint8 `(M, C, H, W)`: what pretexts see. Usually `train_inputs` itself; STL-10 adds its
            unlabelled split, whose labels exist nowhere in this object.
        digest: hash of all of the above, the same on every machine.
        source: where it came from, for people.
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

    def __post_init__(self) -> None:
        for split, labels in (("train", self.train_labels), ("test", self.test_labels)):
            if labels.numel() == 0:
                raise InputError(f"dataset {self.name!r} has no {split} inputs")
            if int(labels.min()) < 0 or int(labels.max()) >= len(self.classes):
                raise InputError(f"dataset {self.name!r} has {split} labels outside 0 to {len(self.classes) - 1}")
