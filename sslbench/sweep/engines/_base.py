"""What the sweep asks of an engine, and the worker that engines on other machines start."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Mapping
from typing import Any, Protocol

from sslbench.contract.environment import hush
from sslbench.contract.errors import InputError
from sslbench.stores.outage import patiently
from sslbench.stores.urls import sqlite_file
from sslbench.sweep.asked import Request
from sslbench.sweep.news import Failure, Finished, Progress, Status
from sslbench.sweep.request import prepare_request
from sslbench.sweep.shared import Shared

#: Seconds between two looks into the stores, at least; a look takes no more than this share of the time.
LOOK_SECONDS, LOOK_SHARE = 5.0, 0.05


def next_look(began: float) -> float:
    """When to look again, after a look that began at a moment of `time.monotonic` and has just ended."""
    now = time.monotonic()
    return now + max(LOOK_SECONDS, (now - began) / LOOK_SHARE)


class Placed(Protocol):
    """A worker where an engine put it."""

    def ended(self) -> str | None:
        """How it ended: nothing if in good order, else what happened; None while it runs or waits for its place."""

    def stop(self) -> None:
        """End it now, and wait until it has."""


class Engine(Protocol):
    """Places workers; made of a request, what was prepared for it, and options in the engine's own words.

    Attributes:
        workers: how many it will be asked for.
        title: where they run, for people.
    """

    workers: int
    title: str

    def start(self, number: int) -> Placed:
        """Start a worker; `number` tells it from the others."""

    def look(self, shared: Shared, last: bool = False) -> Progress:
        """What the workers say since the last look; called a few times a second, and once when all have ended."""

    def close(self) -> None:
        """Leave nothing behind."""


class StoreNews:
    """What the stores know of workers that are somewhere else."""

    def __init__(self) -> None:
        self.next_look = 0.0
        self.told: set[str] | None = None
        self.current: tuple[Status, ...] = ()

    def look(self, shared: Shared, last: bool = False) -> Progress:
        """From time to time, and at the end: what is worked on, and what has failed since the first look."""
        began = time.monotonic()
        if began < self.next_look and not last:
            return Progress((), (), self.current)
        queues = (shared.pretrain, shared.evaluate)
        self.current = tuple(Status(title) for queue in queues for _, title, _ in patiently(queue.at_work))
        failures = {tags["run_id"]: tags for tags in patiently(shared.tracker.failures)}
        before, self.told = self.told, {*failures, *(self.told or ())}
        new = [] if before is None else [tags for run_id, tags in failures.items() if run_id not in before]
        failed = tuple(Failure(tags.get("mlflow.runName", ""), tags.get("error", "")) for tags in new)
        self.next_look = next_look(began)
        return Progress((), failed, self.current)


class Silent:
    """For workers whose news travel through the stores alone."""

    def tell(self, status: Status) -> None:
        """Nothing."""

    def finished(self, cell: Finished) -> None:
        """Nothing."""

    def failed(self, failure: Failure) -> None:
        """Nothing."""


def work(request: Request) -> None:
    """A worker on whatever machine this is: until nothing is left to take, or SIGTERM comes and the cell is done."""
    from sslbench.sweep.solo import work as work_alone

    asked: list[int] = []

    def drain(number: int, _: Any) -> None:
        asked.append(number)

    signal.signal(signal.SIGTERM, drain)
    hush()
    work_alone(request, patiently(prepare_request, request), Silent(), lambda: bool(asked))


def check_shared(engine: str, request: Request) -> None:
    """Whether workers on several machines can reach the stores.

    Raises:
        InputError: they are files, which only one machine may write to.
    """
    stores = request.stores
    for option, address in (("--storage", stores.storage), ("--tracking-uri", stores.tracking_uri)):
        if not address.startswith("http") and sqlite_file(address) is not None:
            raise InputError(
                f"engine {engine!r} has several machines here, and they cannot share the file of {option}; "
                "sslbench serve runs both stores and prints their addresses"
            )


def known(engine: str, options: Mapping[str, str], choices: Mapping[str, type]) -> dict[str, Any]:
    """Options of an engine as what they are.

    Raises:
        InputError: one is unknown or cannot be read; the message names the choices.
    """
    read: dict[str, Any] = {}
    for name, text in options.items():
        if name not in choices:
            raise InputError(f"engine {engine!r} has no option {name!r}; choose one of {', '.join(choices) or 'none'}")
        try:
            read[name] = choices[name](text)
            if not 0 <= read[name] < math.inf:
                raise ValueError(text)
        except ValueError as error:
            wanted = "a number, 0 or more" if choices[name] is not int else "a whole number"
            raise InputError(f"engine {engine!r}: {name} {text!r} is not {wanted}") from error
    return read
