"""What of a suite has no record, and why: kept beside the records, which cannot say what they lack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sslbench.contract.spec import Checked

if TYPE_CHECKING:  # loaded when the first value is held against its type
    from sslbench.contract.schema import Fraction, InstanceOf, Size, Whole


@dataclass(frozen=True)
class Failure(Checked):
    """A cell whose last run failed and that has no finished run.

    Attributes:
        label_fraction: None, as are `label_seed` and `protocol`, if it was the pretraining that failed: then every
            evaluation of it is missing.
        reason: the error in one line.
        pretrain_dataset: what its encoder is trained on; empty for baselines, which train on none.
    """

    dataset: str
    encoder: str
    pretext: str
    latent_dim: Size
    seed: Whole
    label_seed: Whole | None
    label_fraction: Fraction | None
    protocol: str | None
    reason: str
    run_id: str
    pretrain_dataset: str = ""


@dataclass(frozen=True)
class Gaps(Checked):
    """What is not there.

    Attributes:
        planned: evaluations that the suite defines; 0 if nobody said.
        missing: those of them without a record.
        failures: the cells that failed and were not done again.
    """

    planned: Whole = 0
    missing: Whole = 0
    failures: tuple[InstanceOf[Failure], ...] = ()
