"""`sslbench reproduce`: published rows run again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sslbench.commands.options import FAILED, DataRoot, Device, plain_errors, say, terminal
from sslbench.datasets import default_root

if TYPE_CHECKING:  # it imports torch, which the rest of the command line does without
    from rich.console import Console

    from sslbench.publishing.reproduce import Check, Reproduction


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
    device: Device = "auto",
    data_root: DataRoot = None,
) -> None:
    """Run published rows again; exit code 1 if one falls outside its interval.

    Examples: sslbench reproduce results/quick/records.csv --sample 3 |
    sslbench reproduce results/quick/records.csv --rows pretext=simclr,label_fraction=0.01
    """
    with plain_errors():
        import torch

        from sslbench.publishing.reproduce import Reproduction
        from sslbench.sweep.request import resolve_device

        root = (data_root or default_root()).resolve()
        chosen = Reproduction(records, root, torch.device(resolve_device(device)), tuple(rows or ()), sample, suite)
        raise typer.Exit(_reproduce(chosen, terminal()))


def _reproduce(chosen: Reproduction, console: Console) -> int:
    """Run published rows again and say for each whether it lies inside its interval; returns the exit code."""
    from rich.markup import escape

    outside = 0
    total = len(chosen.rows)
    if chosen.stale:
        say(
            console, f"{chosen.stale} stale rows are left out: what computed them has changed since; publish them again"
        )
    with console.status(f"row 1 of {total}: {escape(chosen.rows[0].title)}") as status:
        for done, check in enumerate(chosen.checks(), start=1):
            verdict = ("inside ", "green") if check.inside else ("OUTSIDE", "bold red")
            outside += not check.inside
            low, high = max(0.0, check.row.value - check.half_width), min(1.0, check.row.value + check.half_width)
            say(
                console,
                verdict,
                f" row {check.row.number}, {check.row.title}: published {100 * check.row.value:.2f}%, "
                f"again {100 * check.again:.2f}%, interval {100 * low:.2f} to {100 * high:.2f}%{_agreement(check)}",
            )
            if done < total:
                status.update(f"row {done + 1} of {total}: {escape(chosen.rows[done].title)}")
    rows = "1 row" if total == 1 else f"{total} rows"
    say(console, f"{rows} run again: {total - outside} inside, {outside} outside their interval")
    return FAILED if outside else 0


def _agreement(check: Check) -> str:
    """How many single answers agree, where those of the published run are known."""
    return "" if check.agreeing is None else f", {check.agreeing:,} of {check.images:,} answers agree"
