"""What `sslbench run` and `tune` say: counts, estimates, and progress as cells and trials finish."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from sslbench.commands.options import INTERRUPTED, say, warner
from sslbench.commands.patience import EVERY
from sslbench.contract.cells import FEW_STEPS
from sslbench.contract.errors import InputError
from sslbench.contract.record import Record
from sslbench.publishing.folders import RECORDS_FILE
from sslbench.report.words.numbers import duration, percent
from sslbench.sweep import news
from sslbench.sweep.asked import Request
from sslbench.sweep.caveats import too_little
from sslbench.sweep.estimate import CostBook, TimeLeft, remaining
from sslbench.sweep.request import Prepared, records_of


def say_unusual(prepared: Prepared, console: Console) -> None:
    """Print what a selection has beyond its suite, what is left out of a plan and why, and what is too little."""
    if prepared.beyond:
        say(console, f"not in suite {prepared.suite.name!r} itself, so not in its tables: {', '.join(prepared.beyond)}")
    alike: dict[tuple[str, str, str], list[str]] = {}
    for (dataset, encoder, pretext), reason in prepared.plan.unsuitable.items():
        alike.setdefault((dataset, encoder, reason), []).append(pretext)
    for (dataset, encoder, reason), pretexts in alike.items():
        say(console, f"left out: {', '.join(pretexts)} with {encoder} on {dataset}: {reason}")
    for name in dict.fromkeys(cell.dataset for cell in prepared.plan.pretrain if cell.steps and prepared.suite.epochs):
        say(console, f"{name!r} is small: pretraining takes {FEW_STEPS} steps, more than the suite's epochs come to")
    if not prepared.suite.stratified:
        say(console, "labels are drawn at random, without looking at any: a class may be missing from a budget")
    warn = warner(console)
    for line in too_little(prepared):
        warn(line)


def counts(prepared: Prepared) -> str:
    """How much of a plan is done, in words."""
    plan, done = prepared.plan, prepared.done
    pretrained = sum(cell.cell_id in done for cell in plan.pretrain)
    evaluations = plan.evaluations
    evaluated = sum(cell.cell_id in done for cell in evaluations)
    return f"{pretrained} of {len(plan.pretrain)} pretrainings and {evaluated} of {len(evaluations)} evaluations done"


def estimate(request: Request, prepared: Prepared, results: Path) -> TimeLeft:
    """What is left to do, from what cells like it took here and in the published table of the suite.

    The other tables are asked where these know nothing.
    """
    left = TimeLeft(0.0, 0)
    if prepared.finished:
        return left
    begun = any(cell.cell_id in prepared.done for cell in prepared.plan.evaluations)
    known = records_of(request, prepared) if begun else []
    own = results / prepared.suite.name / RECORDS_FILE
    for paths in ([own], sorted({*results.glob(f"*/{RECORDS_FILE}")} - {own})):
        for path in paths:
            with suppress(InputError):  # a file that cannot be read teaches nothing, and is no reason to stop
                known += [Record(**{str(name): value for name, value in row.items()}) for row in _rows(path)]
        left = remaining(prepared.plan, prepared.done, CostBook(known), dict(prepared.unlabelled))
        if not left.unknown:
            break
    return left


def _rows(path: Path) -> list[dict[Hashable, Any]]:
    from sslbench.report.records import read_records  # brings pandas along, which who has nothing to estimate can spare

    return read_records(path).to_dict("records")


def describe(left: TimeLeft, workers: int) -> str:
    """An estimate in words."""
    if left.seconds == 0 and left.unknown:
        return f"time unknown until similar cells have run ({left.unknown} cells)"
    text = f"about {duration(left.seconds / workers)} with {workers} worker{'s' if workers > 1 else ''}"
    return text + (f", plus {left.unknown} cells of unknown cost" if left.unknown else "")


class Bars:
    """Progress bars that move on a terminal while work is done, and lines that stay anywhere.

    Where there is no terminal, a line says how far it is whenever nothing else was said for `EVERY` seconds.

    Args:
        what: is done, in the plural.
        bars: title to how much is done and how much there is.
    """

    def __init__(self, what: str, bars: Mapping[str, tuple[int, int]], console: Console) -> None:
        self.what, self.console = what, console
        self.said = time.monotonic()
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.progress = Progress(*columns, TextColumn("{task.fields[left]}"), console=console)
        self.tasks = {
            title: self.progress.add_task(title, total=total, completed=done, left="")
            for title, (done, total) in bars.items()
        }
        self.live = Live(self.progress, console=console, refresh_per_second=2, transient=True)

    def __enter__(self) -> None:
        if self.console.is_terminal:
            self.live.start()

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        self.live.stop()
        if kind is KeyboardInterrupt:
            self.say(f"interrupted; finished {self.what} are kept, run again to continue")
            raise typer.Exit(INTERRUPTED)

    def say(self, line: str) -> None:
        """Print a line that stays."""
        self.said = time.monotonic()
        say(self.console, line)

    def move(self, title: str, done: float, left: str = "", *below: RenderableType) -> None:
        """Set a bar, what is left in words, and what stands below all bars."""
        self.progress.update(self.tasks[title], completed=done, left=left)
        self.live.update(Group(self.progress, *below))
        if not self.console.is_terminal and time.monotonic() - self.said >= EVERY:
            total = self.progress.tasks[self.tasks[title]].total
            self.say(f"{title}: {done:g} of {total:g}{left and f', {left}'}")


class Display:
    """How a sweep goes on: live on a terminal, one line per finished pretraining anywhere."""

    def __init__(self, prepared: Prepared, left: TimeLeft, workers: int, console: Console) -> None:
        self.left, self.workers = left, workers
        plan, done = prepared.plan, prepared.done
        self.total = len(plan.pretrain) + len(plan.evaluations)
        self.done = sum(cell_id in done for cell_id, _ in prepared.cells)
        self.at_start = self.done
        self.started = time.monotonic()
        self.best: dict[tuple[float, str], tuple[float, str]] = {}  # inside the labels: nobody should choose on test
        self.bars = Bars("cells", {"cells": (self.done, self.total)}, console)

    def show(self, progress: news.Progress) -> None:
        """Take in what changed and show it."""
        for cell in progress.finished:
            self.done += 1
            if cell.budget_accuracy is not None:
                key = (cell.label_fraction, cell.protocol)
                self.best[key] = max(self.best.get(key, (0.0, "")), (cell.budget_accuracy, cell.pretext))
            if not cell.protocol:
                verdict = f": {cell.verdict}" if cell.verdict else ""
                self.bars.say(f"[{self.done}/{self.total}] pretrained {cell.title}{verdict} ({self._left()} left)")
        if progress.done is not None:  # others work on the same cells, and an encoder that is missing is made again
            self.done, self.at_start = progress.done, min(self.at_start, progress.done)
        for failure in progress.failed:
            self.bars.say(f"FAILED {failure.title}: {failure.reason}")
        below = (self._current(progress), self._best()) if self.best else (self._current(progress),)
        self.bars.move("cells", self.done, f"{self._left()} left", *below)

    def _left(self) -> str:
        """Time left: the estimate at first, and more and more the pace of the cells so far."""
        elapsed, fresh = time.monotonic() - self.started, self.done - self.at_start
        estimated = max(0.0, self.left.seconds / self.workers - elapsed)
        known = bool(self.left.seconds) and not self.left.unknown
        if not fresh:
            return duration(estimated) if known else "?"
        paced = elapsed / fresh * (self.total - self.done)
        share = fresh / (self.total - self.at_start) if known else 1.0
        return duration(share * paced + (1 - share) * estimated)

    def _current(self, progress: news.Progress) -> Text:
        lines = []
        for worker in progress.current:
            rate = f"  {worker.inputs_per_second:,.0f} inputs/s" if worker.inputs_per_second else ""
            share = f"  {100 * worker.share:.0f}%" if worker.share else ""
            lines.append(f"  now: {worker.title}{share}{rate}")
        return Text("\n".join(lines))

    def _best(self) -> Table:
        table = Table(box=None)
        fractions = sorted({fraction for fraction, _ in self.best})
        table.add_column("best inside the labels")
        for fraction in fractions:
            table.add_column(percent(fraction), justify="right")
        for protocol in sorted({name for _, name in self.best}):
            cells = [self.best.get((fraction, protocol)) for fraction in fractions]
            table.add_row(protocol, *("" if cell is None else f"{100 * cell[0]:.1f} {cell[1]}" for cell in cells))
        return table
