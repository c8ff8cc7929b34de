"""What a person asked to run, checked, its data acquired and its cells planned before any work starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from sslbench.contract.outside import load_plugins
from sslbench.contract.record import Record
from sslbench.contract.spec import InputError, Suite
from sslbench.datasets import load
from sslbench.datasets._base import Dataset
from sslbench.datasets._files import said
from sslbench.stores.addresses import Stores, prepare
from sslbench.stores.finished import finished_of
from sslbench.sweep import suites
from sslbench.sweep.asked import Request
from sslbench.sweep.cells import Source
from sslbench.sweep.cores import Layout, choose, cores, free_memory, threads_set
from sslbench.sweep.plan import Plan, beyond, check, make_plan, select
from sslbench.sweep.sizes import keep_source, known_source

if TYPE_CHECKING:  # it imports MLflow, which a plan can do without
    from sslbench.stores.tracker import Tracker


@dataclass(frozen=True)
class Prepared:
    """A request after everything that can be wrong with it was checked.

    Attributes:
        datasets: identity to the name it was asked for by.
        unlabelled: identity to the number of inputs pretraining may see.
        tested: identity to the number of test inputs; 0 where that is not known.
        done: identities of finished cells, to their runs.
        beyond: what was selected and the suite itself does not have, in words.
    """

    suite: Suite
    plan: Plan
    datasets: Mapping[str, str]
    unlabelled: Mapping[str, int]
    done: Mapping[str, str]
    beyond: tuple[str, ...] = ()
    tested: Mapping[str, int] = field(default_factory=dict)

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

    @property
    def finished(self) -> bool:
        """Whether every evaluation is done."""
        return all(cell.cell_id in self.done for cell in self.plan.evaluations)


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


def acquire(suite: Suite, request: Request) -> Iterator[tuple[str, Dataset]]:
    """Check a request for a narrowed suite, create its stores, then load each dataset by the name it was asked for.

    Raises:
        InputError: whatever is wrong, in one line.
    """
    check(suite)
    resolve_device(request.device)
    prepare(request.stores)
    for name in suite.all_datasets:
        yield name, load_one(name, request.data_root)


def load_one(name: str, root: Path) -> Dataset:
    """A dataset by the name it was asked for.

    Raises:
        InputError: it cannot be had; a server of data that does not answer is not mistaken for a store.
    """
    try:
        return load(name, root)
    except (InputError, OSError) as error:
        raise InputError(said(error)) from None


@contextmanager
def alone(stores: Stores, lock: str, doing: str) -> Iterator[None]:
    """Hold a lock of the stores, so that no other process does the same in them meanwhile.

    Raises:
        InputError: one does; `doing` says what.
    """
    held = FileLock(stores.home / f"{lock}.lock")
    try:
        held.acquire(timeout=0)
    except Timeout as error:
        raise InputError(f"{doing} in {stores.home}; wait, or use another store") from error
    try:
        yield
    finally:
        held.release()


def prepare_request(request: Request) -> Prepared:
    """Check a request, acquire its data, create its stores and plan its cells; no training happens.

    Raises:
        InputError: whatever is wrong, in one line.
    """
    load_plugins(request.plugins)
    suite = select(suites.load(request.suite), request.selection)
    root = request.data_root
    loaded = acquire(suite, request)
    return _prepared(request, suite, {name: keep_source(name, root, Source.of(name, one)) for name, one in loaded})


def plan_request(request: Request, stores: bool = True) -> Prepared:
    """The same without loading a dataset whose sizes are known since it was loaded before.

    Args:
        stores: whether to create the stores where nothing is finished yet; without, nothing is written into them.

    Raises:
        InputError: whatever is wrong, in one line.
    """
    load_plugins(request.plugins)
    suite = select(suites.load(request.suite), request.selection)
    check(suite)
    resolve_device(request.device)
    done = finished_of(request.stores.tracking_uri, suite.name)
    if done is None or (stores and not done):
        prepare(request.stores)  # what is wrong with them is said before data is loaded
    root = request.data_root
    inputs = {
        name: known_source(name, root) or keep_source(name, root, Source.of(name, load_one(name, root)))
        for name in suite.all_datasets
    }
    return _prepared(request, suite, inputs)


def _prepared(request: Request, suite: Suite, inputs: Mapping[str, Source]) -> Prepared:
    """By the names datasets were asked for by."""
    plan = make_plan(suite, inputs)
    names = {source.name: name for name, source in inputs.items()}
    unlabelled = {source.name: source.num_unlabelled for source in inputs.values()}
    done = finished_of(request.stores.tracking_uri, suite.name)
    if done is None:
        done = tracker_of(request.stores, suite.name).finished()
    more = beyond(suites.load(request.suite), request.selection)
    tested = {source.name: source.num_tested for source in inputs.values()}
    return Prepared(suite, plan, names, unlabelled, done, more, tested)


def layout(request: Request, prepared: Prepared) -> Layout:
    """How many workers with how many threads will run what is missing.

    Raises:
        InputError: OMP_NUM_THREADS is no number of threads.
    """
    plan, done = prepared.plan, prepared.done
    unfinished = sum(any(child.cell_id not in done for child in plan.evaluate[cell.cell_id]) for cell in plan.pretrain)
    device = resolve_device(request.device)
    return choose(request.workers, device, unfinished, cores(), free_memory(), threads_set())


def tracker_of(stores: Stores, name: str, told_apart_by: Sequence[str] = ()) -> Tracker:
    """Where runs are logged and read, by the name of their suite; `told_apart_by` as `Tracker` has it."""
    from sslbench.stores.tracker import Tracker

    return Tracker(stores.tracking_uri, name, stores.artifact_root, told_apart_by)


def records_of(request: Request, prepared: Prepared) -> list[Record]:
    """Every finished evaluation of the plan."""
    return tracker_of(request.stores, prepared.suite.name).records(cell_id for cell_id, _ in prepared.cells)
