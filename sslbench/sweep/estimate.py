"""How long cells will take, from what cells like them took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from sslbench.contract.record import Record
from sslbench.contract.spec import EvaluateCell, PretrainCell
from sslbench.sweep.plan import Plan


@dataclass(frozen=True)
class TimeLeft:
    """Seconds of one worker, and how many cells nothing is known about."""

    seconds: float
    unknown: int


class CostBook:
    """Costs learned from records: pretraining by (encoder, pretext), evaluation by (protocol, fraction).

    Args:
        records: of this suite or any other; published ones serve before the first run.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        per_sample: dict[tuple[str, str], list[float]] = defaultdict(list)
        evaluation: dict[tuple[str, ...], list[float]] = defaultdict(list)
        for record in records:
            if record.pretrain_samples:
                per_sample[record.encoder, record.pretext].append(record.pretrain_seconds / record.pretrain_samples)
            if record.metric != "accuracy":
                continue  # diagnostics and checkpoints are part of a pretraining
            fraction = repr(record.label_fraction)
            for key in ((record.protocol, fraction, record.encoder), (record.protocol, fraction), (record.protocol,)):
                evaluation[key].append(record.evaluate_seconds)
        self._per_sample = {key: median(values) for key, values in per_sample.items()}
        self._evaluation = {key: median(values) for key, values in evaluation.items()}

    def pretraining(self, cell: PretrainCell, unlabelled: int) -> float | None:
        """Seconds of a pretraining over `unlabelled` inputs per epoch; None if nothing like it is known."""
        if cell.epochs == 0:
            return 0.0
        per_sample = self._per_sample.get((cell.encoder, cell.pretext))
        return None if per_sample is None else per_sample * cell.epochs * (cell.num_unlabelled or unlabelled)

    def evaluation(self, cell: EvaluateCell) -> float | None:
        """Seconds of an evaluation; None if nothing like it is known."""
        fraction = repr(cell.label_fraction)
        for key in (
            (cell.protocol, fraction, cell.pretrain.encoder),
            (cell.protocol, fraction),
            (cell.protocol,),
        ):
            if key in self._evaluation:
                return self._evaluation[key]
        return None


def remaining(plan: Plan, done: Iterable[str], book: CostBook, unlabelled: dict[str, int]) -> TimeLeft:
    """What the cells of a plan that are not done will cost one worker.

    Args:
        unlabelled: dataset identity to its number of unlabelled inputs.
    """
    finished = set(done)
    costs = [book.pretraining(cell, unlabelled[cell.dataset]) for cell in plan.pretrain if cell.cell_id not in finished]
    costs += [book.evaluation(cell) for cell in plan.evaluations if cell.cell_id not in finished]
    known = [cost for cost in costs if cost is not None]
    return TimeLeft(sum(known), len(costs) - len(known))
