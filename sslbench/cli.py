"""The command line. Nothing heavy is imported before a command needs it: `--help` and `list` answer at once.

Longer than other files because each option of each command is declared here, for typer to read.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import rich
import typer

from sslbench import __version__
from sslbench.datasets import default_root
from sslbench.listing import KINDS, show
from sslbench.spec import InputError
from sslbench.stores import Stores, locate

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # typer's coloured help imports a Markdown renderer: half of all the time it takes
    help="How many labels does self-supervision save? Sweep, compare, report.",
    epilog="Start with: sslbench list, then sslbench run quick --dry-run",
    pretty_exceptions_enable=False,
)

Home = Annotated[Path | None, typer.Option(help="Folder of stores; default $SSLBENCH_HOME or .sslbench.")]
TrackingUri = Annotated[str | None, typer.Option(help="MLflow store; default an SQLite file in the home folder.")]
Storage = Annotated[str | None, typer.Option(help="Optuna store; default an SQLite file in the home folder.")]
DataRoot = Annotated[Path | None, typer.Option(help="Folder of datasets; default $SSLBENCH_DATA or a cache folder.")]
Results = Annotated[Path, typer.Option(help="Folder that receives one folder per suite.")]


def _console() -> Console:
    """The terminal; rich makes it when it is first asked for."""
    return rich.get_console()


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Show what the user got wrong as one line and leave with exit code 2."""
    try:
        yield
    except InputError as error:
        from rich.console import Console

        Console(stderr=True, soft_wrap=True).print(f"[bold red]error:[/bold red] {error}", highlight=False)
        raise typer.Exit(2) from error


def _version(wanted: bool) -> None:
    if wanted:
        _console().print(f"sslbench {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
) -> None:
    """How many labels does self-supervision save?"""


@app.command("list")
def list_(
    kind: Annotated[str | None, typer.Argument(help=f"One of: {', '.join(KINDS)}; all if left out.")] = None,
) -> None:
    """Show what there is to choose from.

    Examples: sslbench list | sslbench list pretexts
    """
    with _plain_errors():
        show(kind, _console())


def _workers(text: str) -> int | None:
    if text == "auto":
        return None
    if not text.isdigit() or int(text) < 1:
        raise InputError(f"--workers {text!r} is neither a positive number nor 'auto'")
    return int(text)


@app.command()
def run(
    suite: Annotated[str, typer.Argument(help="Name of a suite, or a Python file with a SUITE.")],
    workers: Annotated[str, typer.Option(help="Worker processes; auto = one per core, one on a GPU.")] = "auto",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the cells and the time left; run nothing.")] = False,
    dataset: Annotated[list[str] | None, typer.Option(help="Only this dataset; may be repeated.")] = None,
    pretext: Annotated[list[str] | None, typer.Option(help="Only this pretext; may be repeated.")] = None,
    latent_dim: Annotated[list[int] | None, typer.Option(help="Only this latent size; may be repeated.")] = None,
    fraction: Annotated[list[float] | None, typer.Option(help="Only this label fraction, e.g. 0.01.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Only this seed; may be repeated.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    results: Results = Path("results"),
    home: Home = None,
    tracking_uri: TrackingUri = None,
    storage: Storage = None,
    data_root: DataRoot = None,
) -> None:
    """Run what is missing of a suite, then write its tables.

    Examples: sslbench run quick | sslbench run quick --dry-run |
    sslbench run quick --pretext simclr --latent-dim 128 --fraction 0.01 --workers 2
    """
    with _plain_errors():
        from sslbench import commands
        from sslbench.plan import Selection
        from sslbench.request import Request

        selection = Selection(
            tuple(dataset or ()),
            tuple(pretext or ()),
            tuple(latent_dim or ()),
            tuple(fraction or ()),
            tuple(seed or ()),
        )
        request = Request(
            suite,
            selection,
            locate(home, tracking_uri, storage),
            (data_root or default_root()).resolve(),
            device,
            _workers(workers),
        )
        if dry_run:
            commands.dry_run(request, results, _console())
        else:
            raise typer.Exit(commands.run(request, results, _console()))


@app.command()
def tune(
    suite: Annotated[str, typer.Argument(help="Name of a suite, or a Python file with a SUITE.")],
    trials: Annotated[int, typer.Option(help="Trials per arm; pruned and diverged ones count.")] = 20,
    pretext: Annotated[list[str] | None, typer.Option(help="Only this pretext (or supervised); repeatable.")] = None,
    epochs: Annotated[float | None, typer.Option(help="Length of a trial; default the suite's.")] = None,
    criterion: Annotated[
        str, typer.Option(help="budget_cv: cross-validation in a label budget; label_free: RankMe.")
    ] = "budget_cv",
    fraction: Annotated[float, typer.Option(help="Label budget of budget_cv, a share of the labels.")] = 0.01,
    seed: Annotated[int, typer.Option(help="Of Optuna's draws, the labelled subset and every training.")] = 0,
    dataset: Annotated[
        str | None, typer.Option(help="Evaluated dataset to tune on; default the suite's first.")
    ] = None,
    encoder: Annotated[str | None, typer.Option(help="Encoder to tune; default the suite's first.")] = None,
    latent_dim: Annotated[int | None, typer.Option(help="Latent size to tune; default the suite's first.")] = None,
    settings: Annotated[
        Path | None, typer.Option(help="File for the winners; default settings/SUITE.json beside the suite.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show arms, ranges, budget and what is done.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    home: Home = None,
    tracking_uri: TrackingUri = None,
    storage: Storage = None,
    data_root: DataRoot = None,
) -> None:
    """Tune every pretext of a suite and `supervised` with the same budget, never looking at the test split.

    Winners and their cost go to a settings file; a suite uses it with settings_file="settings/SUITE.json". Interrupted
    and run again, it continues.

    Examples: sslbench tune quick --dry-run | sslbench tune quick --trials 20 |
    sslbench tune quick --pretext simclr --pretext supervised --fraction 0.05 |
    sslbench tune catalogue --criterion label_free --epochs 3
    """
    with _plain_errors():
        from sslbench import tune_command
        from sslbench.tune import TuneRequest

        request = TuneRequest(
            suite=suite,
            stores=locate(home, tracking_uri, storage),
            data_root=(data_root or default_root()).resolve(),
            trials=trials,
            pretexts=tuple(pretext or ()),
            epochs=epochs,
            seed=seed,
            criterion=criterion,
            fraction=fraction,
            dataset=dataset,
            encoder=encoder,
            latent_dim=latent_dim,
            device=device,
            settings_file=settings,
        )
        if dry_run:
            tune_command.dry_run(request, _console())
        else:
            raise typer.Exit(tune_command.run(request, _console()))


@app.command()
def report(
    suite: Annotated[str, typer.Argument(help="Name of a suite, or a Python file with a SUITE.")],
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="From the published records.csv alone, not from MLflow.")
    ] = False,
    ui_url: Annotated[
        str, typer.Option(help="Where the page's run ids lead; empty: nowhere.")
    ] = "http://127.0.0.1:5000",
    readme: Annotated[
        Path | None, typer.Option(help="Markdown file whose marked findings and tables are written anew too.")
    ] = None,
    results: Results = Path("results"),
    home: Home = None,
    tracking_uri: TrackingUri = None,
    data_root: DataRoot = None,
) -> None:
    """Write a suite's tables, plots and page from its MLflow runs, or again from records.csv.

    Examples: sslbench report quick | sslbench report quick --rebuild --readme README.md
    """
    with _plain_errors():
        from sslbench import commands
        from sslbench.plan import Selection
        from sslbench.report.attachments import UI_URL
        from sslbench.request import Request

        stores = locate(home, tracking_uri)
        request = Request(suite, Selection(), stores, (data_root or default_root()).resolve())
        commands.report(request, results, rebuild, UI_URL if ui_url is None else ui_url, _console())
        if readme is not None:
            commands.refresh(readme, results, _console())


@app.command()
def compare(
    first: Annotated[str, typer.Argument(help="A results folder, records.csv, suite, COMMIT:PATH or commit.")],
    second: Annotated[str, typer.Argument(help="The same; a commit alone means the other's place at that commit.")],
    every: Annotated[
        bool, typer.Option("--all", help="Show every cell, not only those outside their interval.")
    ] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown to paste elsewhere.")] = False,
    fail_on_change: Annotated[
        bool, typer.Option("--fail-on-change", help="Exit code 1 if a cell changed significantly.")
    ] = False,
    results: Results = Path("results"),
) -> None:
    """Put two results side by side: what changed beyond its interval.

    Examples: sslbench compare HEAD~1 quick | sslbench compare HEAD:results/quick results/quick --markdown |
    sslbench compare quick other/records.csv --fail-on-change
    """
    with _plain_errors():
        from sslbench.report.compare import compare as compare_sides
        from sslbench.report.compare_text import comparison_markdown, print_comparison
        from sslbench.report.sides import open_sides

        found = compare_sides(*open_sides(first, second, results))
        if markdown:
            typer.echo(comparison_markdown(found, every), nl=False)
        else:
            print_comparison(found, every, _console())
        raise typer.Exit(1 if found.changed and fail_on_change else 0)


@app.command()
def reproduce(
    records: Annotated[Path, typer.Argument(help="A published records.csv, e.g. results/quick/records.csv.")],
    rows: Annotated[
        list[str] | None,
        typer.Option(help="Only these: numbers (3-8,12) or conditions (pretext=simclr,seed=0); may be repeated."),
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Only so many of them, always the same; all if left out.")
    ] = None,
    suite: Annotated[str | None, typer.Option(help="Suite or its file; default the one the records name.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    data_root: DataRoot = None,
) -> None:
    """Run published rows again; exit code 1 if one falls outside its interval.

    Examples: sslbench reproduce results/quick/records.csv --sample 3 |
    sslbench reproduce results/quick/records.csv --rows pretext=simclr,label_fraction=0.01
    """
    with _plain_errors():
        import torch

        from sslbench import commands
        from sslbench.reproduce import Reproduction
        from sslbench.request import resolve_device

        root = (data_root or default_root()).resolve()
        chosen = Reproduction(records, root, torch.device(resolve_device(device)), tuple(rows or ()), sample, suite)
        raise typer.Exit(commands.reproduce(chosen, _console()))


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 5000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    home: Home = None,
    tracking_uri: TrackingUri = None,
) -> None:
    """Open the MLflow UI on the store the suites write to; Ctrl-C ends it.

    Example: sslbench ui --port 5001
    """
    with _plain_errors():
        stores = locate(home, tracking_uri)
        if stores.tracking_uri.startswith("sqlite:///") and not _exists(stores):
            raise InputError(f"no runs yet in {stores.home}; run a suite first, e.g. sslbench run quick")
        _console().print(f"MLflow UI: http://{host}:{port}  (store {stores.tracking_uri})", highlight=False)
        command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", stores.tracking_uri]
        try:
            import subprocess

            raise typer.Exit(subprocess.call([*command, "--host", host, "--port", str(port)]))
        except KeyboardInterrupt:
            raise typer.Exit(0) from None


def _exists(stores: Stores) -> bool:
    return Path(stores.tracking_uri.removeprefix("sqlite:///")).is_file()
