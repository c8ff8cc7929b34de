"""`sslbench tune`: the same number of trials for every pretext and for `supervised`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sslbench.commands.options import DataRoot, Device, Home, Storage, SuiteName, TrackingUri, plain_errors, terminal
from sslbench.datasets import default_root
from sslbench.stores.addresses import locate


def tune(
    suite: SuiteName,
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
    device: Device = "auto",
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
    with plain_errors():
        from sslbench.commands import trials as shown
        from sslbench.tuning.session import TuneRequest

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
            shown.dry_run(request, terminal())
        else:
            raise typer.Exit(shown.run(request, terminal()))
