"""What workers tell their parent, by files in a folder of their suite: written here, and read here.

A full disk is no reason to stop work: what cannot be written is not told, and half a line is not read.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from sslbench.contract.owner import folder_of_own
from sslbench.stores.addresses import Stores


@dataclass(frozen=True)
class Status:
    """What a worker is doing; one JSON file per worker, replaced whole.

    Attributes:
        share: of the current cell done, in [0, 1]; 0 where a cell cannot tell.
        inputs_per_second: of the current training; 0 while not training.
    """

    title: str
    share: float = 0.0
    inputs_per_second: float = 0.0


@dataclass(frozen=True)
class Finished:
    """A cell that a worker finished: one line of JSON.

    Attributes:
        budget_accuracy: of an evaluation inside its label budget, in [0, 1]: nobody who watches should choose on test;
            None where there is none, as of a pretraining, which has neither fraction nor protocol.
        protocol: with its reading, as tables call it.
        verdict: what speaks against a pretraining, e.g. `COLLAPSED, …`; empty if nothing does.
    """

    title: str
    pretext: str
    budget_accuracy: float | None = None
    label_fraction: float = 0.0
    protocol: str = ""
    verdict: str = ""


@dataclass(frozen=True)
class Failure:
    """A cell or a worker that went wrong: one line of JSON."""

    title: str
    reason: str


@dataclass(frozen=True)
class Progress:
    """One look at a running sweep.

    Attributes:
        finished, failed: since the last look, as workers announced them.
        current: what each worker is doing.
        done: how many cells of the plan are finished, by whomever; None if that was not looked up this time.
    """

    finished: tuple[Finished, ...]
    failed: tuple[Failure, ...]
    current: tuple[Status, ...]
    done: int | None = None


def status_folder(stores: Stores, suite: str) -> Path:
    """Where the workers of this process, which runs a suite, tell it what they do; what dead ones left is removed."""
    return folder_of_own(stores.home / "status" / suite)


class News(Protocol):
    """Where a worker says what it does."""

    def tell(self, status: Status) -> None:
        """Say what goes on, instead of what was said before."""

    def finished(self, cell: Finished) -> None:
        """Add a finished cell."""

    def failed(self, failure: Failure) -> None:
        """Add one that went wrong."""


class NewsWriter:
    """A worker's side.

    Args:
        folder: of the suite.
        worker: its number, which names its files.
    """

    def __init__(self, folder: Path, worker: int) -> None:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.worker = folder, worker

    def tell(self, status: Status) -> None:
        """Say what goes on, instead of what was said before."""
        path = self.folder / f"{self.worker}.json"
        unfinished = path.with_suffix(".new")
        with suppress(OSError):
            unfinished.write_text(json.dumps(asdict(status)), encoding="utf-8")
            unfinished.replace(path)

    def finished(self, cell: Finished) -> None:
        """Add a finished cell."""
        self._add("results", asdict(cell))

    def failed(self, failure: Failure) -> None:
        """Add a failed cell."""
        self._add("failures", asdict(failure))

    def _add(self, kind: str, line: dict[str, Any]) -> None:
        with suppress(OSError), (self.folder / f"{self.worker}.{kind}").open("a", encoding="utf-8") as file:
            file.write(f"\n{json.dumps(line)}\n")  # what was cut short before it has ended


class NewsReader:
    """The parent's side, which reads every line once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.read: dict[Path, int] = {}

    def look(self) -> Progress:
        """What the workers wrote since the last look, and what each is doing."""
        current = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(self.folder.glob("*.json"))]
        return Progress(
            tuple(Finished(**line) for line in self._new_lines("*.results")),
            tuple(Failure(**line) for line in self._new_lines("*.failures")),
            tuple(Status(**status) for status in current),
        )

    def _new_lines(self, pattern: str) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = []
        for path in sorted(self.folder.glob(pattern)):
            with path.open("rb") as file:
                file.seek(self.read.get(path, 0))
                text = file.read()
            whole = text[: text.rfind(b"\n") + 1]  # a line may still be half written
            self.read[path] = self.read.get(path, 0) + len(whole)
            for line in whole.splitlines():
                with suppress(ValueError):
                    lines.append(json.loads(line))
        return lines
