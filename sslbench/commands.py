"""What the commands do, once their arguments are understood."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from sslbench import suites, sweep
from sslbench.estimate import CostBook, Estimate, remaining
from sslbench.files import replace_file
from sslbench.plan import Selection
from sslbench.publish import publish, tuned
from sslbench.report.attachments import Attachments
from sslbench.report.build import rebuild as rebuild_report
from sslbench.report.console import print_summary
from sslbench.report.readme import refreshed
from sslbench.report.records import from_records, read_records
from sslbench.request import Prepared, Request, prepare_request, records_of
from sslbench.spec import InputError, Record

if TYPE_CHECKING:  # it imports torch, which reports do without
    from sslbench.reproduce import Reproduction

FAILED, INTERRUPTED = 1, 130


def dry_run(request: Request, results: Path, console: Console) -> None:
    """Print every cell with its state, the counts, and an estimate of the time left."""
    prepared = prepare_request(request)
    for cell_id, title in prepared.cells:
        state = "[green]done[/green]   " if cell_id in prepared.done else "[yellow]missing[/yellow]"
        console.print(f"{state} {escape(title)}", highlight=False)
    _say_unsuitable(prepared, console)
    left = _estimate(request, prepared, results)
    console.print(f"\n{_counts(prepared)}", highlight=False)
    console.print(f"time left: {describe(left, sweep.layout(request, prepared).workers)}", highlight=False)


def run(request: Request, results: Path, console: Console) -> int:
    """Run what is missing, write and print the tables; returns the exit code."""
    prepared = prepare_request(request)
    _say_unsuitable(prepared, console)
    failures: list[Mapping[str, Any]] = []
    started = time.monotonic()
    if all(cell.cell_id in prepared.done for cell in prepared.plan.evaluations):
        console.print(f"everything is done: {_counts(prepared)}", highlight=False)
    else:
        left = _estimate(request, prepared, results)
        layout = sweep.layout(request, prepared)
        console.print(f"{_counts(prepared)}; {describe(left, layout.workers)}", highlight=False)
        console.print(f"layout: {layout.title}", highlight=False)
        display = _Display(prepared, left, layout.workers, console)
        try:
            with display:
                failures = sweep.run(request, prepared, display.show)
        except KeyboardInterrupt:
            console.print("interrupted; finished cells are kept, run again to continue", highlight=False)
            return INTERRUPTED
        console.print(f"took {clock(time.monotonic() - started)}", highlight=False)
    records = records_of(request, prepared)
    if records:
        frame = from_records(records)
        print_summary(frame, console)
        if request.selection == Selection():
            files = publish(request, prepared, records, results)
            console.print(f"written: {', '.join(str(path) for path in files)}", highlight=False)
        else:
            console.print("only a part was selected: published tables are left as they are", highlight=False)
    for failure in failures:
        console.print(f"[bold red]failed:[/bold red] {escape(str(failure['title']))}: {escape(str(failure['reason']))}")
    return FAILED if failures else 0


def report(request: Request, results: Path, rebuild: bool, ui_url: str, console: Console) -> None:
    """Write a suite's tables and plots from its finished runs, or again from its published records.

    Raises:
        InputError: there are no records to report.
    """
    if rebuild:
        suite = suites.load(request.suite)
        destination = results / suite.name
        files = rebuild_report(
            destination, suite.name, suite.notes, Attachments(tuned=tuned(request.suite, suite), ui_url=ui_url)
        )
        print_summary(read_records(destination / "records.csv"), console)
    else:
        prepared = prepare_request(request)
        records = records_of(request, prepared)
        if not records:
            where = request.stores.tracking_uri
            raise InputError(f"no finished runs of suite {prepared.suite.name!r} in {where}; run it first")
        files = publish(request, prepared, records, results, ui_url)
        print_summary(from_records(records), console)
    console.print(f"written: {', '.join(str(path) for path in files)}", highlight=False)


def refresh(readme: Path, results: Path, console: Console) -> None:
    """Write the marked passages of a Markdown file anew from the published records.

    Raises:
        InputError: the file cannot be read, or what a mark names is not there.
    """
    try:
        text = readme.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read {readme}: {error.strerror}") from error
    console.print(f"written: {replace_file(readme, refreshed(text, results))}", highlight=False)


def reproduce(chosen: Reproduction, console: Console) -> int:
    """Run published rows again and say for each whether it lies inside its interval; returns the exit code."""
    outside = 0
    total = len(chosen.rows)
    with console.status(f"row 1 of {total}: {escape(chosen.rows[0].title)}") as status:
        for done, check in enumerate(chosen.checks(), start=1):
            verdict = "[green]inside[/green] " if check.inside else "[bold red]OUTSIDE[/bold red]"
            outside += not check.inside
            low, high = max(0.0, check.row.value - check.half_width), min(1.0, check.row.value + check.half_width)
            console.print(
                f"{verdict} row {check.row.number}, {escape(check.row.title)}: published {100 * check.row.value:.2f}%, "
                f"again {100 * check.again:.2f}%, interval {100 * low:.2f} to {100 * high:.2f}%",
                highlight=False,
            )
            if done < total:
                status.update(f"row {done + 1} of {total}: {escape(chosen.rows[done].title)}")
    rows = "1 row" if total == 1 else f"{total} rows"
    console.print(f"{rows} run again: {total - outside} inside, {outside} outside their interval", highlight=False)
    return FAILED if outside else 0


def _say_unsuitable(prepared: Prepared, console: Console) -> None:
    for (dataset, encoder, pretext), reason in prepared.plan.unsuitable.items():
        console.print(f"left out: {pretext} with {encoder} on {dataset}: {reason}", highlight=False)


def _counts(prepared: Prepared) -> str:
    plan, done = prepared.plan, prepared.done
    pretrained = sum(cell.cell_id in done for cell in plan.pretrain)
    evaluations = plan.evaluations
    evaluated = sum(cell.cell_id in done for cell in evaluations)
    return f"{pretrained} of {len(plan.pretrain)} pretrainings and {evaluated} of {len(evaluations)} evaluations done"


def _estimate(request: Request, prepared: Prepared, results: Path) -> Estimate:
    known = records_of(request, prepared)
    for path in sorted(results.glob("*/records.csv")):
        known += [Record(**{str(name): value for name, value in row.items()}) for row in _rows(path)]
    return remaining(prepared.plan, prepared.done, CostBook(known), dict(prepared.unlabelled))


def _rows(path: Path) -> list[dict[Hashable, Any]]:
    return read_records(path).to_dict("records")


def describe(left: Estimate, workers: int) -> str:
    """An estimate in words."""
    if left.seconds == 0 and left.unknown:
        return f"time unknown until similar cells have run ({left.unknown} cells)"
    text = f"about {clock(left.seconds / workers)} with {workers} worker{'s' if workers > 1 else ''}"
    return text + (f", plus {left.unknown} cells of unknown cost" if left.unknown else "")


def clock(seconds: float) -> str:
    """Seconds as people say them: `42 s`, `12.5 min`, `3.4 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class _Display:
    """Live progress on a terminal; one line per finished cell elsewhere."""

    def __init__(self, prepared: Prepared, left: Estimate, workers: int, console: Console) -> None:
        self.console, self.left, self.workers = console, left, workers
        plan, done = prepared.plan, prepared.done
        self.total = len(plan.pretrain) + len(plan.evaluations)
        self.done = sum(cell_id in done for cell_id, _ in prepared.cells)
        self.at_start = self.done
        self.started = time.monotonic()
        self.best: dict[tuple[float, str], tuple[float, str]] = {}
        self.bar = Progress(
            TextColumn("cells"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]} left"),
            console=console,
        )
        self.task = self.bar.add_task("cells", total=self.total, completed=self.done, left="?")
        self.live = Live(self.bar, console=console, refresh_per_second=2, transient=True)

    def __enter__(self) -> _Display:
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.console.is_terminal:
            self.live.stop()

    def show(self, progress: sweep.Progress) -> None:
        """Take in what changed and show it."""
        for cell in progress.finished:
            self.done += 1
            score = f": {100 * cell['accuracy']:.1f}%" if cell["kind"] == "evaluate" else ""
            if "collapsed" in cell:
                score = f": COLLAPSED, {cell['collapsed']}"
            line = f"[{self.done:4d}/{self.total}] {cell['title']}{score}  ({self._left()} left)"
            self.console.print(line, highlight=False, markup=False)
            if cell["kind"] == "evaluate":
                self._remember(cell)
        for cell in progress.failed:
            self.console.print(f"FAILED {cell['title']}: {cell['reason']}", highlight=False, markup=False)
        if self.console.is_terminal:
            self.bar.update(self.task, completed=self.done, left=self._left())
            self.live.update(Group(self.bar, self._current(progress), self._best()))

    def _left(self) -> str:
        """Time left: the estimate at first, and more and more the pace of the cells so far."""
        elapsed, fresh = time.monotonic() - self.started, self.done - self.at_start
        estimated = max(0.0, self.left.seconds / self.workers - elapsed)
        known = bool(self.left.seconds) and not self.left.unknown
        if not fresh:
            return clock(estimated) if known else "?"
        paced = elapsed / fresh * (self.total - self.done)
        share = fresh / (self.total - self.at_start) if known else 1.0
        return clock(share * paced + (1 - share) * estimated)

    def _remember(self, cell: Mapping[str, Any]) -> None:
        key = (cell["label_fraction"], cell["protocol"])
        self.best[key] = max(self.best.get(key, (0.0, "")), (cell["accuracy"], cell["pretext"]))

    def _current(self, progress: sweep.Progress) -> Text:
        lines = []
        for worker in progress.current:
            rate = f"  {worker['images_per_second']:,.0f} images/s" if worker["images_per_second"] else ""
            share = f"  {100 * worker['share']:.0f}%" if worker["share"] else ""
            lines.append(f"  now: {worker['title']}{share}{rate}")
        return Text("\n".join(lines))

    def _best(self) -> Table:
        table = Table(title="best test accuracy so far", title_justify="left", box=None)
        fractions = sorted({fraction for fraction, _ in self.best})
        table.add_column("protocol")
        for fraction in fractions:
            table.add_column(f"{100 * fraction:g}%", justify="right")
        for protocol in sorted({name for _, name in self.best}):
            cells = [self.best.get((fraction, protocol)) for fraction in fractions]
            table.add_row(protocol, *("" if cell is None else f"{100 * cell[0]:.1f} {cell[1]}" for cell in cells))
        return table
