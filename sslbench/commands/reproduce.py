"""`sslbench reproduce`: published rows run again."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sslbench.commands.options import FAILED, DataRoot, Device, Plugin, Workers, plain_errors, say, terminal, workers_of
from sslbench.datasets import default_root

if TYPE_CHECKING:  # it imports torch, which the rest of the command line does without
    import torch
    from rich.console import Console

    from sslbench.api.submissions import Resubmission
    from sslbench.publishing.reproduce import Check, Reproduction


def reproduce(
    records: Annotated[
        list[Path], typer.Argument(help="results/quick/records.csv, or scores of others: results/community/NAME.csv.")
    ],
    rows: Annotated[
        list[str] | None,
        typer.Option(help="Only these: numbers (3-8,12) or conditions (pretext=simclr,seed=0); may be repeated."),
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Only so many of each file, always the same; all if left out.")
    ] = None,
    suite: Annotated[str | None, typer.Option(help="Suite or its file; default the one the records name.")] = None,
    workers: Workers = "auto",
    device: Device = "auto",
    data_root: DataRoot = None,
    plugin: Plugin = None,
) -> None:
    """Run published rows again; exit code 1 if one falls outside its interval.

    Scores of others run code of others, that of the encoder: read it before.

    Examples: sslbench reproduce results/quick/records.csv --sample 3 |
    sslbench reproduce results/quick/records.csv --rows pretext=vicreg,label_fraction=0.01 |
    sslbench reproduce results/*/records.csv --sample 2
    """
    with plain_errors():
        wanted = workers_of(workers)

        import torch

        from sslbench.api.submissions import Resubmission
        from sslbench.publishing.community import is_submission
        from sslbench.publishing.reproduce import Reproduction
        from sslbench.sweep.cores import choose, cores, free_memory
        from sslbench.sweep.request import resolve_device

        root, chosen = (data_root or default_root()).resolve(), resolve_device(device)
        loaded = tuple(plugin or ())
        asked = tuple(rows or ()), sample
        sent_in = [Resubmission(path, root, *asked) for path in records if is_submission(path)]
        published = [Reproduction(path, root, *asked, suite, loaded) for path in records if not is_submission(path)]
        trainings = sum(len({row.cell.pretrain.cell_id for row in one.rows}) for one in published)
        layout = choose(wanted, chosen, max(1, trainings), cores(), free_memory())
        raise typer.Exit(_reproduce(published, sent_in, torch.device(chosen), layout.workers, terminal()))


def _reproduce(
    published: list[Reproduction], sent_in: list[Resubmission], device: torch.device, workers: int, console: Console
) -> int:
    """Run published rows again and say for each whether it lies inside its interval; returns the exit code."""
    from sslbench.publishing.reproduce import run_again

    outside = done = 0
    able = [one for one in sent_in if not one.unverifiable]
    every: list[Reproduction | Resubmission] = [*published, *sent_in]
    total = sum(len(one.rows) for one in published) + sum(len(other.rows) for other in able)
    for file in every:
        if file.stale:
            say(
                console,
                f"{file.stale} stale rows of {file.path} are left out: what computed them has changed since; "
                "publish them again",
            )
    for other in sent_in:
        if other.unverifiable:
            say(console, (f"not verifiable: {other.path}, for {other.unverifiable}", "yellow"))
    again = ((other.path, other.checks(device)) for other in able)
    with console.status(f"0 of {total} rows run again") as status:
        for path, checks in chain(run_again(published, device, workers), again):
            for check in checks:
                done += 1
                outside += not check.inside
                _tell(check, path, console)
            status.update(f"{done} of {total} rows run again")
    rows = "1 row" if total == 1 else f"{total} rows"
    say(console, f"{rows} run again: {total - outside} inside, {outside} outside their interval")
    return FAILED if outside else 0


def _tell(check: Check, path: Path, console: Console) -> None:
    verdict = ("inside ", "green") if check.inside else ("OUTSIDE", "bold red")
    low, high = max(0.0, check.row.value - check.half_width), min(1.0, check.row.value + check.half_width)
    say(
        console,
        verdict,
        f" row {check.row.number} of {path}, {check.row.title}: published {100 * check.row.value:.2f}%, "
        f"again {100 * check.again:.2f}%, interval {100 * low:.2f} to {100 * high:.2f}%{_agreement(check)}",
    )


def _agreement(check: Check) -> str:
    """How many single answers agree, where those of the published run are known."""
    return "" if check.agreeing is None else f", {check.agreeing:,} of {check.images:,} answers agree"
