"""Where results will say little, because there are few inputs."""

from __future__ import annotations

from sslbench.contract.cells import FEW_STEPS
from sslbench.sweep.request import Prepared

#: Test inputs below which a person is warned.
FEW_TESTED = 500


def too_little(prepared: Prepared) -> list[str]:
    """What is too little in a plan: a line per dataset and lack."""
    short: dict[str, dict[str, int]] = {}
    for cell in prepared.plan.pretrain:
        if not cell.pretrain_dataset or cell.flops is not None:
            continue
        steps = cell.steps_over(prepared.unlabelled[cell.dataset])
        if steps < FEW_STEPS:
            short.setdefault(cell.dataset, {})[cell.pretext] = steps
    lines = []
    for dataset, tasks in short.items():
        some = ", ".join(f"{pretext} {steps}" for pretext, steps in tasks.items())
        lines.append(
            f"few steps of pretraining on {dataset!r} ({some}): encoders stay near where they began; give `steps`"
        )
    return lines + [line for name, count in prepared.tested.items() for line in few_tested(name, count)]


def few_tested(dataset: str, count: int) -> list[str]:
    """What so few test inputs mean; nothing if they are enough, or their number (0) is not known."""
    if not 0 < count < FEW_TESTED:
        return []
    points = 100 * 1.96 * (0.8 * 0.2 / count) ** 0.5
    return [f"{dataset!r} has {count} test inputs: an accuracy of 80% is known to ±{points:.0f} points at best"]
