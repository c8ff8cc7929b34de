"""Bar 8: the GPU path. Without a GPU: what a step asks of its device; with one: what the device gives back.

On the meta device there are no values, so a step that asked the host for one could not run there, and neither could
one that made something on the processor and mixed it in. The same is tested for every pretext in
`tests/engine/test_training_speed.py`; here it is counted, together with the copies between devices.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch
from _measure import Row, interleave, publish, row
from _trainings import CORES, cell, images_per_second
from torch.utils._python_dispatch import TorchDispatchMode

from sslbench.contract.spec import InputSpec, ViewPolicy
from sslbench.encoders import ENCODERS
from sslbench.modalities.image import to_float
from sslbench.numerics.optimization import build_optimizer
from sslbench.pretexts import PRETEXTS

#: Operations that hand a value to the host, or depend on values for their shape.
WAITING = ("_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal")
SPEC = InputSpec("image", (3, 32, 32), ViewPolicy(True, True, True))


class CountOperations(TorchDispatchMode):
    """Counts operations by name."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.counts[operation.overloadpacket.__name__] += 1
        return operation(*args, **(kwargs or {}))


def waits(name: str) -> int:
    """Operations of one whole step of a pretext, update included, that make the host wait for the device."""
    task_class = PRETEXTS.get(name)
    encoder = next(each for each in ("conv", "vit") if task_class.unsuitable(each, SPEC) is None)
    task = task_class(ENCODERS.get(encoder)(SPEC, 32), task_class.Config(), SPEC)
    optimizer = build_optimizer(task, task_class.Config().optimizer)
    inputs = torch.randint(0, 256, (64, 3, 32, 32), dtype=torch.uint8)
    task.before_epoch(inputs)
    with CountOperations() as counted:
        task(to_float(inputs)).backward()
        optimizer.step()
        optimizer.zero_grad()
        task.after_step(0.5)
    return sum(counted.counts[each] for each in WAITING)


def on_meta(name: str) -> int:
    """1 if forward, backward and what follows a step do not run on a device without values, else 0."""
    task_class = PRETEXTS.get(name)
    encoder = next(each for each in ("conv", "vit") if task_class.unsuitable(each, SPEC) is None)
    task = task_class(ENCODERS.get(encoder)(SPEC, 32), task_class.Config(), SPEC).to("meta")
    try:
        task(to_float(torch.zeros(64, 3, 32, 32, dtype=torch.uint8, device="meta"))).backward()
        task.after_step(0.5)
    except RuntimeError:
        return 1
    return 0


def main() -> list[Row]:
    """Count, and measure where there is a GPU."""
    torch.set_num_threads(CORES)
    tasks = [(name, PRETEXTS.get(name)) for name in PRETEXTS]
    names = [name for name, task in tasks if task.trains and task.modality in (None, "image")]
    failing = [name for name in names if on_meta(name)]
    rows = [
        row(
            8,
            "pretexts whose step needs values on the host, on the meta device",
            [float(len(failing))],
            f"{len(names)} pretexts run: {', '.join(names)}" if not failing else f"failing: {', '.join(failing)}",
            others=0.0,
            bound="at most",
            target=0.0,
            unit="",
        )
    ]
    waiting = {name: count for name in names if (count := waits(name))}
    said = ", ".join(f"{name} {count} (drawn on the processor)" for name, count in waiting.items())
    rows.append(
        row(
            8,
            "values read by the host in one step of every pretext",
            [float(sum(waiting.values()))],
            said or "none",
            others=0.0,
            unit="",
        )
    )
    if torch.cuda.is_available():
        rows.append(on_gpu())
    return rows


def on_gpu() -> Row:
    """SimCLR on the GPU against the processor."""
    speeds = {
        device: (lambda device=device: images_per_second(cell("simclr", "conv", 128, epochs=0.3), torch.device(device)))
        for device in ("cpu", "cuda")
    }
    measured = interleave(speeds, 3)
    return row(
        8,
        "SimCLR pretraining on the GPU against the processor",
        measured.ratios("cuda", "cpu"),
        f"{measured.median('cuda'):,.0f} against {measured.median('cpu'):,.0f} images/s",
        others=measured.others,
    )


if __name__ == "__main__":
    publish(main())
