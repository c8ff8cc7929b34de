"""One repetition of an evaluation, and which repetitions are independent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Replicate(NamedTuple):
    """One repetition: the seed of the training and the seed of the labelled subset, often the same."""

    seed: int
    label_seed: int

    def __str__(self) -> str:
        return str(self.seed) if self.seed == self.label_seed else f"{self.seed} labels {self.label_seed}"


Scores = Mapping[Replicate, float]


def independent(replicates: Iterable[Replicate]) -> list[Replicate]:
    """The replicates that share neither training nor labelled subset: what an interval may count as repetitions.

    All of them where every seed has one label seed. Where they are crossed: each seed with the label seed of the same
    number, or, if too few have one, the k-th seed with the k-th label seed.
    """
    pairs = set(replicates)
    seeds, labels = sorted({pair.seed for pair in pairs}), sorted({pair.label_seed for pair in pairs})
    if len(pairs) == len(seeds):
        return sorted(pairs)
    same = [pair for pair in sorted(pairs) if pair.seed == pair.label_seed]
    zipped = [pair for pair in map(Replicate, seeds, labels) if pair in pairs]
    return same if len(same) >= len(zipped) else zipped
