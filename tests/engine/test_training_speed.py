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
from sslbench.modalities import modality_of
from sslbench.pretexts import PRETEXTS
from sslbench.sweep.cells import does_not_fit
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


#: Of texts the lengths must be known on the host: they are read in buckets of one length.
MEASURED = [name for name in PRETEXTS if PRETEXTS.get(name).trains and PRETEXTS.get(name).modality != "text"]


@pytest.mark.parametrize("name", MEASURED)
def test_a_step_runs_on_another_device_without_waiting_for_it(name: str) -> None:
    """The meta device has no values: asking it for one, or mixing it with the processor, is an error."""
    task = PRETEXTS.get(name)
    colour, series = InputSpec("image", (3, 32, 32), ViewPolicy(True, True, True)), InputSpec("series", (2, 64))
    tried = [("conv", colour), ("vit", colour), ("conv1d", series)]
    encoder, spec = next(pair for pair in tried if does_not_fit(task, *pair) is None)
    modality = modality_of(spec)
    pretext = task(ENCODERS.get(encoder)(spec, 16), task.Config(), spec).to("meta")
    loss = pretext(modality.batch(torch.zeros(32, *spec.shape, dtype=modality.stored, device="meta")))
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
