"""Options that several commands share, and the one way errors are shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import rich
import typer

from sslbench.contract.errors import InputError, StoreLost, one_line
from sslbench.stores.urls import hidden

if TYPE_CHECKING:
    from rich.console import Console

#: Exit codes besides 0 and 2, which is bad input.
FAILED, INTERRUPTED = 1, 130


def a_place(param: typer.CallbackParam, path: Path | None) -> Path | None:
    """What an option names, wherever something can lie at all.

    Raises:
        InputError: it is too long or too odd for any file system.
    """
    try:
        if path is not None:
            path.exists()
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{param.opts[0]} {str(path)[:80]!r} cannot be used: {said}") from error
    return path


Home = Annotated[
    Path | None, typer.Option(help="Folder of stores; default $SSLBENCH_HOME or .sslbench.", callback=a_place)
]
TrackingUri = Annotated[
    str | None, typer.Option(help="MLflow store; default $MLFLOW_TRACKING_URI or a file in the home folder.")
]
Storage = Annotated[
    str | None, typer.Option(help="Optuna store; default $SSLBENCH_STORAGE or a file in the home folder.")
]
DataRoot = Annotated[
    Path | None, typer.Option(help="Folder of datasets; default $SSLBENCH_DATA or a cache folder.", callback=a_place)
]
Results = Annotated[Path, typer.Option(help="Folder of published results, one folder per suite.", callback=a_place)]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Workers = Annotated[str, typer.Option(help="Worker processes; auto = one per core, one on a GPU.")]
EngineName = Annotated[str, typer.Option("--engine", help="Where workers run: local, ray or slurm.")]
EngineOptions = Annotated[
    list[str] | None,
    typer.Option("--engine-option", help="Of the engine, e.g. slurm_partition=gpu; may be repeated."),
]
Plugin = Annotated[
    list[str] | None, typer.Option(help="File (.py) or module whose plug-ins register themselves; may be repeated.")
]
OnlyDatasets = Annotated[list[str] | None, typer.Option("--dataset", help="Only this dataset; may be repeated.")]
OnlyPretexts = Annotated[list[str] | None, typer.Option("--pretext", help="Only this pretext; may be repeated.")]
OnlyLatentDims = Annotated[
    list[int] | None, typer.Option("--latent-dim", help="Only this latent size; may be repeated.")
]
OnlyFractions = Annotated[list[float] | None, typer.Option("--fraction", help="Only this label fraction, e.g. 0.01.")]
OnlySeeds = Annotated[list[int] | None, typer.Option("--seed", help="Only this seed; may be repeated.")]
SuiteName = Annotated[str, typer.Argument(help="Name of a suite, or a Python file with a SUITE.")]


def workers_of(text: str) -> int | None:
    """What `--workers` says; None for as many as do most together.

    Raises:
        InputError: neither a number of processes nor `auto`.
    """
    if text == "auto":
        return None
    if re.fullmatch("[1-9][0-9]{0,3}", text) is None:
        raise InputError(f"--workers {text!r} is neither a number of processes (1 to 9999) nor 'auto'")
    return int(text)


def options_of(given: list[str] | None) -> dict[str, str]:
    """What `--engine-option` says.

    Raises:
        InputError: one is no NAME=VALUE, or a name comes twice.
    """
    options: dict[str, str] = {}
    for one in given or ():
        name, equals, value = one.partition("=")
        if not equals or not name or name in options:
            raise InputError(f"--engine-option {one!r} is not a NAME=VALUE of its own, e.g. slurm_partition=gpu")
        options[name] = value
    return options


def terminal() -> Console:
    """The terminal; rich makes it when it is first asked for."""
    return rich.get_console()


def say(console: Console, *parts: str | tuple[str, str]) -> None:
    """Print a line as it is, whatever brackets and colons people wrote into it; a part may come with its style."""
    from rich.text import Text

    console.print(Text.assemble(*parts), soft_wrap=True)


def warner(console: Console) -> Callable[[str], None]:
    """What prints a line as a warning."""
    return lambda line: say(console, ("warning:", "yellow"), f" {one_line(line)}")


@contextmanager
def plain_errors() -> Iterator[None]:
    """Show what the user got wrong, whether we or the parser found it, as one line and leave with exit code 2."""
    try:
        yield
    except StoreLost as error:
        _tell(f"a store does not answer any more ({error}); run the same again to go on where it stopped")
        raise typer.Exit(FAILED) from error
    except (InputError, typer.TyperException) as error:
        _tell(error.format_message() if isinstance(error, typer.TyperException) else str(error))
        raise typer.Exit(2) from error


def _tell(error: str) -> None:
    from rich.console import Console
    from rich.text import Text

    # Text, not markup: what people wrote is shown as they wrote it, whatever brackets are in it.
    Console(stderr=True, soft_wrap=True).print(Text.assemble(("error:", "bold red"), f" {one_line(hidden(error))}"))
