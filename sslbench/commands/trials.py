"""What `sslbench tune` shows and says, once its arguments are understood."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from sslbench.commands.options import INTERRUPTED
from sslbench.contract.settings import Budget, Tuning
from sslbench.report.words.numbers import count, flops, seconds
from sslbench.tuning import session
from sslbench.tuning.session import PreparedTuning, TuneRequest
from sslbench.tuning.study import News


def dry_run(request: TuneRequest, console: Console) -> None:
    """Print the budget, every arm with its ranges, and how many of its trials are done; nothing is trained."""
    prepared = session.prepare_tuning(request)
    _say_plan(prepared, console)
    for arm in prepared.arms:
        study = prepared.study(arm)
        console.print(f"\n[bold]{escape(arm.name)}[/bold]: {len(study.finished())} of {request.trials} trials done")
        for name, item in study.ranges.items():
            scale = ", log" if item.range.log else ""
            span = f"[{item.range.low:g}, {item.range.high:g}]{scale}, starts at {item.start:g}"
            console.print(f"  {name:28s} {span}", highlight=False, markup=False)


def run(request: TuneRequest, console: Console) -> int:
    """Run the missing trials, write the settings file, print winners and cost; returns the exit code."""
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"  # the display is ours
    prepared = session.prepare_tuning(request)
    _say_plan(prepared, console)
    display = _Display(prepared, console)
    try:
        with display.progress:
            tuning = session.run(prepared, display.show)
    except KeyboardInterrupt:
        console.print("interrupted; finished trials are kept, run again to continue", highlight=False)
        return INTERRUPTED
    console.print(_ledger(tuning))
    for name, arm in tuning.arms.items():
        settings = ", ".join(f"{field} {value:.3g}" for field, value in arm.settings.items())
        console.print(f"{name}: {settings}", highlight=False, markup=False)
    console.print(f"written: {prepared.path}", highlight=False, markup=False)
    return 0


def describe(budget: Budget) -> str:
    """A budget in words."""
    origin = "" if budget.pretrain_dataset == budget.dataset else f", pretrained on {budget.pretrain_dataset}"
    return (
        f"every arm: {budget.trials} trials of {budget.epochs:g} epochs (pruned ones count), {budget.encoder} "
        f"d={budget.latent_dim} on {budget.dataset}{origin}, judged by {budget.criterion} within "
        f"{100 * budget.fraction:g}% of the labels ({budget.num_labels}), seed {budget.seed}"
    )


def _say_plan(prepared: PreparedTuning, console: Console) -> None:
    console.print(describe(prepared.budget), highlight=False, markup=False)
    for name, reason in prepared.left_out.items():
        console.print(f"left out: {name}: {reason}", highlight=False, markup=False)
    console.print(f"settings file: {_shown(prepared.path)}", highlight=False, markup=False)


def _shown(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _ledger(tuning: Tuning) -> Table:
    """Winners, and what they cost: every arm had the same trials and epochs, and that shows here."""
    table = Table(title="tuned", title_justify="left", box=None, padding=(0, 1, 0, 0))
    table.add_column("arm", style="cyan", no_wrap=True)
    for column in ("score", "untuned", "trials", "completed", "epochs", "seconds", "samples", "compute"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, arm in tuning.arms.items():
        own = "–" if arm.default_score is None else f"{arm.default_score:.3f}"
        cost = (seconds(arm.seconds), count(arm.samples), flops(arm.flops))
        counts = (str(arm.trials), str(arm.completed), f"{arm.epochs:g}")
        table.add_row(name, f"{arm.score:.3f}", own, *counts, *cost)
    return table


class _Display:
    """A bar per arm on a terminal; one line per finished trial everywhere."""

    def __init__(self, prepared: PreparedTuning, console: Console) -> None:
        self.console = console
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.bars: dict[str, TaskID] = {}
        for arm in prepared.arms:
            done = len(prepared.study(arm).finished())
            self.bars[arm.name] = self.progress.add_task(arm.name, total=prepared.budget.trials, completed=done)

    def show(self, news: News) -> None:
        """Take in what happened and show it."""
        whole = news.number + 1 if news.ended else news.number + news.share
        self.progress.update(self.bars[news.arm], completed=round(whole, 1))
        if news.ended is None:
            return
        best = "" if news.best is None else f"  (best {news.best:.3f})"
        how = {"completed": f"{news.score:.3f}", "pruned": f"pruned at {100 * news.share:.0f}%, {news.score:.3f}"}
        line = f"{news.arm} trial {news.number + 1}/{news.trials}: {how.get(news.ended, news.ended)}{best}"
        self.console.print(line, highlight=False, markup=False)
