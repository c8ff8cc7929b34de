"""`sslbench worker`: one process that takes cells of a suite, beside others on any machine."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import typer

from sslbench.commands.options import (
    FAILED,
    DataRoot,
    Device,
    Home,
    OnlyDatasets,
    OnlyFractions,
    OnlyLatentDims,
    OnlyPretexts,
    OnlySeeds,
    Plugin,
    Storage,
    SuiteName,
    TrackingUri,
    plain_errors,
    say,
    terminal,
)
from sslbench.commands.patience import signs_of_life
from sslbench.datasets import default_root
from sslbench.stores.addresses import locate

if TYPE_CHECKING:
    from sslbench.sweep.news import Failure, Finished, Status


def worker(
    suite: SuiteName,
    dataset: OnlyDatasets = None,
    pretext: OnlyPretexts = None,
    latent_dim: OnlyLatentDims = None,
    fraction: OnlyFractions = None,
    seed: OnlySeeds = None,
    device: Device = "auto",
    home: Home = None,
    tracking_uri: TrackingUri = None,
    storage: Storage = None,
    data_root: DataRoot = None,
    plugin: Plugin = None,
) -> None:
    """Work on a suite in this process until nothing is left to take, beside any number of others, here and elsewhere.

    No tables are written: sslbench run or report does that, on any machine that reaches the stores. SIGTERM ends it
    after the cell in hand, Ctrl-C at once; the cell then goes to another.

    Examples: sslbench worker quick |
    sslbench worker quick --storage postgresql+psycopg://me@db/optuna --tracking-uri http://mlflow:5000
    """
    with plain_errors():
        from sslbench.sweep import suites

        suites.find(suite)
        with signs_of_life(terminal(), f"preparing {suite}"):
            from sslbench.commands.display import counts, say_unusual
            from sslbench.sweep.asked import Request, Selection
            from sslbench.sweep.request import prepare_request
            from sslbench.sweep.solo import work

            selection = Selection(
                tuple(dataset or ()),
                tuple(pretext or ()),
                tuple(latent_dim or ()),
                tuple(fraction or ()),
                tuple(seed or ()),
            )
            stores, root = locate(home, tracking_uri, storage), (data_root or default_root()).resolve()
            request = Request(suite, selection, stores, root, device, 1, tuple(plugin or ()))
            prepared = prepare_request(request)
        say_unusual(prepared, terminal())
        say(terminal(), f"{prepared.suite.name}: {counts(prepared)}")
        teller, draining = _Teller(), _Draining()
        try:
            work(request, prepared, teller, lambda: draining.asked)
        except KeyboardInterrupt:
            say(terminal(), "interrupted; the cell in hand goes to another worker")
            raise
        say(terminal(), "ended as asked" if draining.asked else "nothing is left to take")
        raise typer.Exit(FAILED if teller.failures else 0)


class _Draining:
    """Whether SIGTERM asked to end after the cell in hand."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, *_: Any) -> None:
        self.asked = True


class _Teller:
    """Prints what a worker does, a line per cell."""

    def __init__(self) -> None:
        self.failures = 0

    def tell(self, status: Status) -> None:
        """Nothing: what goes on changes too often for lines."""

    def finished(self, cell: Finished) -> None:
        """Print a finished cell."""
        say(terminal(), f"done: {cell.title}")

    def failed(self, failure: Failure) -> None:
        """Print one that went wrong."""
        self.failures += 1
        say(terminal(), ("FAILED", "bold red"), f" {failure.title}: {failure.reason}")
