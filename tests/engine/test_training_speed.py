"""What keeps the training loop fast, as far as it can be seen without a clock and without a GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from sslbench.contract.spec import InputSpec, ViewPolicy
from sslbench.datasets._base import Dataset
from sslbench.encoders import ENCODERS
from sslbench.engine.pretrain import Pretraining
from sslbench.modalities.image import to_float
from sslbench.pretexts import PRETEXTS
from tests.conftest import CPU, pretrain_cell

#: Operations whose result the host must have before it can go on: on a GPU it waits for all that went before.
WAITS = {"aten::_local_scalar_dense", "aten::nonzero", "aten::masked_select", "aten::equal", "aten::is_nonzero"}


class CountWaits(TorchDispatchMode):
    """Counts the operations that would make the host wait for the device."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(
        self,
        operation: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        self.count += str(operation).replace(".", "::").rpartition("::")[0] in WAITS
        return operation(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", [name for name in PRETEXTS if PRETEXTS.get(name).trains])
def test_a_step_runs_on_another_device_without_waiting_for_it(name: str) -> None:
    """The meta device has no values: asking it for one, or mixing it with the processor, is an error."""
    spec = InputSpec("image", (3, 32, 32), ViewPolicy(True, True, True))
    task = PRETEXTS.get(name)
    encoder = next(each for each in ("conv", "vit") if task.unsuitable(each, spec) is None)
    pretext = task(ENCODERS.get(encoder)(spec, 16), task.Config(), spec).to("meta")
    loss = pretext(to_float(torch.zeros(32, 3, 32, 32, dtype=torch.uint8, device="meta")))
    loss.backward()
    pretext.after_step(0.5)
    assert loss.shape == ()
    assert loss.device.type == "meta"


@pytest.mark.parametrize("name", ["autoencoder", "rotation", "simclr", "byol"])
def test_training_waits_for_the_device_only_where_it_reports(name: str, digits: Dataset) -> None:
    training = Pretraining(pretrain_cell(name), digits, CPU)
    with CountWaits() as waits:
        before_first = list(zip(training.reports(), iter(lambda: waits.count, None), strict=False))
    reports, counts = zip(*before_first, strict=True)
    between = [later - sooner for sooner, later in zip((0, *counts), counts, strict=False)]
    assert training.steps >= len(reports) >= 2
    assert set(between) == {2}  # the mean loss and the gradient norm
