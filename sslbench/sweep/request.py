"""What a person asked to run, checked, its data acquired and its cells planned before any work starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sslbench.contract.spec import InputError, InputSpec, Record, Suite
from sslbench.datasets import load
from sslbench.stores.addresses import Stores, prepare
from sslbench.stores.tracker import Tracker
from sslbench.sweep import suites
from sslbench.sweep.plan import Plan, Selection, check, make_plan, select


@dataclass(frozen=True)
class Request:
    """What a person asked to run; travels to every worker.

    Attributes:
        suite: name or file of the suite.
        device: `auto`, `cpu` or `cuda`.
        workers: how many at most; None for as many as do most together.
    """

    suite: str
    selection: Selection
    stores: Stores
    data_root: Path
    device: str = "auto"
    workers: int | None = 1


@dataclass(frozen=True)
class Prepared:
    """A request after everything that can be wrong with it was checked.

    Attributes:
        datasets: identity to the name it was asked for by.
        unlabelled: identity to the number of inputs pretraining may see.
        done: identities of finished cells, to their runs.
    """

    suite: Suite
    plan: Plan
    datasets: Mapping[str, str]
    unlabelled: Mapping[str, int]
    done: Mapping[str, str]

    @property
    def cells(self) -> list[tuple[str, str]]:
        """Identity and title of every cell, pretrainings before their evaluations."""
        return [
            entry
            for cell in self.plan.pretrain
            for entry in [
                (cell.cell_id, cell.title),
                *((child.cell_id, f"  {child.title}") for child in self.plan.evaluate[cell.cell_id]),
            ]
        ]


def resolve_device(name: str) -> str:
    """`cuda` or `cpu` for `auto`; a device that is not there is an error.

    Raises:
        InputError: unknown device, or no GPU.
    """
    import torch

    if name not in ("auto", "cpu", "cuda"):
        raise InputError(f"unknown device {name!r}; choose one of auto, cpu, cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("device 'cuda': torch finds no GPU here; choose cpu or auto")
    return "cuda" if name != "cpu" and torch.cuda.is_available() else "cpu"


def prepare_request(request: Request) -> Prepared:
    """Check a request, acquire its data, create its stores and plan its cells; no training happens.

    Raises:
        InputError: whatever is wrong, in one line.
    """
    suite = select(suites.load(request.suite), request.selection)
    check(suite)
    resolve_device(request.device)
    prepare(request.stores)
    inputs: dict[str, tuple[str, InputSpec]] = {}
    names: dict[str, str] = {}
    unlabelled: dict[str, int] = {}
    for name in suite.all_datasets:
        dataset = load(name, request.data_root)
        inputs[name] = (dataset.name, dataset.input_spec)
        names[dataset.name] = name
        unlabelled[dataset.name] = len(dataset.unlabelled_inputs)
    plan = make_plan(suite, inputs)
    tracker = Tracker(request.stores.tracking_uri, suite.name, request.stores.artifact_root)
    return Prepared(suite, plan, names, unlabelled, tracker.finished())


def tracker_of(request: Request, prepared: Prepared) -> Tracker:
    """Where the runs of a request are logged and read."""
    return Tracker(request.stores.tracking_uri, prepared.suite.name, request.stores.artifact_root)


def records_of(request: Request, prepared: Prepared) -> list[Record]:
    """Every finished evaluation of the plan."""
    return tracker_of(request, prepared).records(cell_id for cell_id, _ in prepared.cells)
