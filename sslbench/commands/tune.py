"""`sslbench tune`: the same number of trials for every pretext and for `supervised`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sslbench.commands.options import (
    DataRoot,
    Device,
    Home,
    Plugin,
    Storage,
    SuiteName,
    TrackingUri,
    plain_errors,
    say,
    terminal,
)
from sslbench.commands.patience import signs_of_life
from sslbench.commands.tables import short
from sslbench.datasets import default_root
from sslbench.stores.addresses import locate

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from sslbench.contract.settings import Tuning
    from sslbench.tuning.request import PreparedTuning
    from sslbench.tuning.study import News


def tune(
    suite: SuiteName,
    trials: Annotated[int, typer.Option(help="Trials per arm; pruned and diverged ones count.")] = 20,
    pretext: Annotated[list[str] | None, typer.Option(help="Only this pretext (or supervised); repeatable.")] = None,
    epochs: Annotated[float | None, typer.Option(help="Length of a trial; default the suite's.")] = None,
    criterion: Annotated[str, typer.Option(help="budget_cv (cross-validation) or label_free (RankMe).")] = "budget_cv",
    fraction: Annotated[float, typer.Option(help="Label budget of budget_cv, a share of the labels.")] = 0.01,
    seed: Annotated[int, typer.Option(help="Of Optuna's draws, the labelled subset and every training.")] = 0,
    dataset: Annotated[str | None, typer.Option(help="Evaluated dataset; default the suite's first.")] = None,
    encoder: Annotated[str | None, typer.Option(help="Encoder to tune; default the suite's first.")] = None,
    latent_dim: Annotated[int | None, typer.Option(help="Latent size to tune; default the suite's first.")] = None,
    settings: Annotated[Path | None, typer.Option(help="For the winners; default settings/SUITE.json.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show arms, ranges, budget and what is done.")] = False,
    device: Device = "auto",
    home: Home = None,
    tracking_uri: TrackingUri = None,
    storage: Storage = None,
    data_root: DataRoot = None,
    plugin: Plugin = None,
) -> None:
    """Tune every pretext of a suite and `supervised` with the same budget, never looking at the test split.

    Winners and their cost go to a settings file; a suite names it: settings_file="settings/SUITE.json". It resumes.
    They serve label budgets from the one they were tuned on to ten times as many; a suite's tables and page say where
    it uses them for others.

    Examples: sslbench tune quick --dry-run | sslbench tune quick --latent-dim 128 --trials 20 |
    sslbench tune quick --latent-dim 128 --pretext vicreg --pretext supervised --fraction 0.05 |
    sslbench tune catalogue --criterion label_free --epochs 3
    """
    with plain_errors():
        with signs_of_life(terminal(), f"preparing {suite}"):  # torch is imported here
            from sslbench.sweep.asked import Request, Selection
            from sslbench.tuning.request import TuneRequest, prepare_tuning

        selection = Selection(
            datasets=(dataset,) if dataset is not None else (),
            pretexts=tuple(pretext or ()),
            latent_dims=(latent_dim,) if latent_dim is not None else (),
            label_fractions=(fraction,),
            seeds=(seed,),
            encoders=(encoder,) if encoder is not None else (),
        )
        stores, data = locate(home, tracking_uri, storage), (data_root or default_root()).resolve()
        at = Request(suite, selection, stores, data, device, plugins=tuple(plugin or ()))
        request = TuneRequest(at, trials, epochs, criterion, settings)
        console = terminal()
        with signs_of_life(console, f"preparing {suite}"):
            prepared = prepare_tuning(request)
        _say_plan(prepared, console)
        if dry_run:
            _say_arms(prepared, console)
        else:
            _run(prepared, console)


def _say_plan(prepared: PreparedTuning, console: Console) -> None:
    budget = prepared.budget
    origin = "" if budget.pretrain_dataset == budget.dataset else f", pretrained on {budget.pretrain_dataset}"
    lines = [
        f"every arm: {budget.trials} trials of {budget.epochs:g} epochs (pruned ones count), {budget.encoder} "
        f"d={budget.latent_dim} on {budget.dataset}{origin}, judged by {budget.criterion} within "
        f"{100 * budget.fraction:g}% of the labels ({budget.num_labels}), seed {budget.seed}",
        f"the winners serve label budgets of {budget.serves_from:,} to {budget.serves_to:,}",
        *(f"left out: {name}: {reason}" for name, reason in prepared.left_out.items()),
        f"settings file: {short(prepared.path)}",
    ]
    say(console, "\n".join(lines))


def _say_arms(prepared: PreparedTuning, console: Console) -> None:
    """Print every arm with its ranges, and how many of its trials are done."""
    trials = prepared.budget.trials
    for study in prepared.studies:
        say(console, "\n", (study.arm.name, "bold"), f": {len(study.finished())} of {trials} trials done")
        for name, item in study.ranges.items():
            scale = ", log" if item.range.log else ""
            say(console, f"  {name:28s} [{item.range.low:g}, {item.range.high:g}]{scale}, starts at {item.start:g}")


def _run(prepared: PreparedTuning, console: Console) -> None:
    """Run the missing trials, write the settings file, print winners and cost."""
    from sslbench.commands.display import Bars
    from sslbench.tuning import session

    trials = prepared.budget.trials
    bars = Bars("trials", {study.arm.name: (len(study.finished()), trials) for study in prepared.studies}, console)

    def show(news: News) -> None:
        bars.move(news.arm, round(news.number + (1 if news.ended else news.share), 1))
        if news.ended is not None:
            best = "" if news.best is None else f"  (best {news.best:.3f})"
            how = {"completed": f"{news.score:.3f}", "pruned": f"pruned at {100 * news.share:.0f}%, {news.score:.3f}"}
            bars.say(f"{news.arm} trial {news.number + 1}/{trials}: {how.get(news.ended, news.ended)}{best}")

    with bars:
        tuning = session.run(prepared, show)
    console.print(_ledger(tuning))
    for name, arm in tuning.arms.items():
        say(console, f"{name}: {', '.join(f'{field} {value:.3g}' for field, value in arm.settings.items())}")
    say(console, f"written: {short(prepared.path)}")
    place = session.experiment(prepared.suite)
    say(console, f"plots of every arm: artifacts of its run in MLflow's experiment {place} (sslbench ui {place})")


def _ledger(tuning: Tuning) -> Table:
    """Winners, and what they cost: every arm had the same trials and epochs, and that shows here."""
    from rich.table import Table

    from sslbench.report.words import numbers

    table = Table(title="tuned", title_justify="left", box=None, padding=(0, 1, 0, 0))
    table.add_column("arm", style="cyan", no_wrap=True)
    for column in ("score", "untuned", "trials", "completed", "epochs", "seconds", "samples", "compute"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, arm in tuning.arms.items():
        own = "–" if arm.default_score is None else f"{arm.default_score:.3f}"
        cost = (numbers.three_digits(arm.seconds), numbers.count(arm.samples), numbers.flops(arm.flops))
        counts = (str(arm.trials), str(arm.completed), f"{arm.epochs:g}")
        table.add_row(name, f"{arm.score:.3f}", own, *counts, *cost)
    return table
