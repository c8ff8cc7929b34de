"""What self-supervision must beat. None of these sees an unlabelled input."""

from __future__ import annotations

from typing import ClassVar

import torch

from sslbench.contract.spec import InputSpec
from sslbench.modalities import modality_of
from sslbench.pretexts._base import Pretext


class _Untrained(Pretext):
    """An encoder left as it was initialised."""

    trains: ClassVar[bool] = False

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Raise: there is nothing to minimise."""
        raise TypeError(f"{type(self).__name__} is a baseline: it has no pretext loss")


class MajorityClass(_Untrained):
    """Baseline: always answer the most frequent class of the label budget."""

    encoder_name: ClassVar[str | None] = "raw"
    protocols: ClassVar[tuple[str, ...] | None] = ("majority_class",)


class RawPixels(_Untrained):
    """Baseline: no encoder; the probes see the input values."""

    encoder_name: ClassVar[str | None] = "raw"
    protocols: ClassVar[tuple[str, ...] | None] = ("linear_probe", "knn")

    @classmethod
    def unsuitable(cls, encoder_name: str, input_spec: InputSpec) -> str | None:
        if modality_of(input_spec).measured:
            return None
        return f"needs inputs of measured values, which modality {input_spec.modality!r} has not"


class RawValues(RawPixels):
    """Baseline: no encoder; the probes see the values of the series as they are."""

    modality: ClassVar[str | None] = "series"


class MiniRocket(_Untrained):
    """Baseline: ridge regression on 10,000 features of fixed convolutions, the strong classic for series."""

    modality: ClassVar[str | None] = "series"
    encoder_name: ClassVar[str | None] = "raw"
    protocols: ClassVar[tuple[str, ...] | None] = ("minirocket",)


class TfIdf(_Untrained):
    """Baseline: logistic regression on how often words stand in a text, weighed by their rarity; the one to beat."""

    modality: ClassVar[str | None] = "text"
    encoder_name: ClassVar[str | None] = "raw"
    protocols: ClassVar[tuple[str, ...] | None] = ("tfidf",)


class RandomInit(_Untrained):
    """Baseline: the untrained encoder, frozen. Fine-tuning it would be `supervised`, so only probes are run."""

    protocols: ClassVar[tuple[str, ...] | None] = ("linear_probe", "knn")


class Supervised(_Untrained):
    """Baseline: the same encoder trained from scratch on the label budget only.

    It is `finetune` applied to an untrained encoder: same optimiser, steps, views and head, so the only difference
    between this row and a fine-tuned pretext is where the weights start.
    """

    protocols: ClassVar[tuple[str, ...] | None] = ("finetune",)


class SupervisedQuarter(Supervised):
    """Baseline: `supervised` with a quarter of its optimiser steps."""

    stretch: ClassVar[float] = 0.25


class SupervisedHalf(Supervised):
    """Baseline: `supervised` with half its optimiser steps."""

    stretch: ClassVar[float] = 0.5


class SupervisedDouble(Supervised):
    """Baseline: `supervised` with twice its optimiser steps: was it trained until it stopped gaining?"""

    stretch: ClassVar[float] = 2.0


class SupervisedCompute(Supervised):
    """Baseline: `supervised` that spends what pretraining would have cost too: more labels or more compute?

    The suite's `compute_of` names the pretext whose floating-point operations these further steps take.
    """
