"""How long cells will take, from what cells like them took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from sslbench.contract.cells import EvaluateCell, PretrainCell
from sslbench.contract.record import Record
from sslbench.contract.spec import REFERENCE_PROTOCOLS
from sslbench.pretexts import PRETEXTS
from sslbench.sweep.plan import Plan


@dataclass(frozen=True)
class TimeLeft:
    """Seconds of one worker, and how many cells nothing is known about."""

    seconds: float
    unknown: int


class CostBook:
    """Costs learned from records: pretraining by (encoder, pretext), evaluation by (protocol, reading, fraction).

    Args:
        records: of this suite or any other; published ones serve before the first run.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        per_sample: dict[tuple[str, str], list[float]] = defaultdict(list)
        per_flop: dict[tuple[str, str], list[float]] = defaultdict(list)
        evaluation: dict[tuple[str, ...], list[float]] = defaultdict(list)
        for record in records:
            if record.pretrain_samples:
                per_sample[record.encoder, record.pretext].append(record.pretrain_seconds / record.pretrain_samples)
            if record.pretrain_flops > 0:
                per_flop[record.encoder, record.pretext].append(record.pretrain_seconds / record.pretrain_flops)
            if record.metric != "accuracy":
                continue  # diagnostics and checkpoints are part of a pretraining
            for key in _kinds(record.pretext, record.protocol, record.reading, record.label_fraction, record.encoder):
                evaluation[key].append(record.evaluate_seconds)
        self._per_sample = {key: median(values) for key, values in per_sample.items()}
        self._per_flop = {key: median(values) for key, values in per_flop.items()}
        self._evaluation = {key: median(values) for key, values in evaluation.items()}

    def pretraining(self, cell: PretrainCell, unlabelled: int) -> float | None:
        """Seconds of a pretraining over `unlabelled` inputs per epoch; None if nothing like it is known."""
        if not cell.pretrain_dataset:
            return 0.0
        key = cell.encoder, cell.pretext
        if cell.flops is not None:
            return None if key not in self._per_flop else self._per_flop[key] * cell.flops
        inputs = cell.num_unlabelled or unlabelled
        samples = cell.steps * min(cell.config.optimizer.batch_size, inputs) if cell.steps else cell.epochs * inputs
        return None if key not in self._per_sample else self._per_sample[key] * samples

    def evaluation(self, cell: EvaluateCell, unlabelled: int) -> float | None:
        """Seconds of an evaluation; None if nothing like it is known.

        A baseline of another length than `supervised` that was never run takes that multiple of it, and one that spends
        a pretraining's operations as long as that beside.

        Args:
            unlabelled: inputs per epoch of that pretraining.
        """
        pretext, anything = cell.pretrain.pretext, self._evaluation.get((cell.protocol,))
        own, usual = self._alike(pretext, cell), self._alike("supervised", cell)
        if own is not None or usual is None or REFERENCE_PROTOCOLS.get(pretext) != cell.protocol:
            return anything if own is None else own
        beside = self.pretraining(cell.compute_of, unlabelled) if cell.compute_of else 0.0
        return None if beside is None else PRETEXTS.get(pretext).stretch * usual + beside

    def _alike(self, pretext: str, cell: EvaluateCell) -> float | None:
        """What evaluations took that do the work of this one."""
        keys = _kinds(pretext, cell.protocol, cell.reading, cell.label_fraction, cell.pretrain.encoder)[:-1]
        return next((self._evaluation[key] for key in keys if key in self._evaluation), None)


def _kinds(pretext: str, protocol: str, reading: str, fraction: float, encoder: str) -> tuple[tuple[str, ...], ...]:
    """What names evaluations of about one cost, the most alike first; baselines train for lengths of their own."""
    work = (pretext if pretext in REFERENCE_PROTOCOLS else protocol, reading)
    return (*work, repr(fraction), encoder), (*work, repr(fraction)), work, (protocol,)


def remaining(plan: Plan, done: Iterable[str], book: CostBook, unlabelled: dict[str, int]) -> TimeLeft:
    """What the cells of a plan that are not done will cost one worker.

    Args:
        unlabelled: dataset identity to its number of unlabelled inputs.
    """
    finished = set(done)
    costs = [book.pretraining(cell, unlabelled[cell.dataset]) for cell in plan.pretrain if cell.cell_id not in finished]
    costs += [
        book.evaluation(cell, unlabelled[cell.pretrain.dataset])
        for cell in plan.evaluations
        if cell.cell_id not in finished
    ]
    known = [cost for cost in costs if cost is not None]
    return TimeLeft(sum(known), len(costs) - len(known))
