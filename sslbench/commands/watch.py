"""`sslbench watch`: how far a suite is, whoever works on it."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from sslbench.commands.options import (
    FAILED,
    DataRoot,
    Home,
    Plugin,
    Storage,
    SuiteName,
    TrackingUri,
    plain_errors,
    say,
    terminal,
)
from sslbench.commands.patience import EVERY, signs_of_life
from sslbench.datasets import default_root
from sslbench.stores.addresses import locate

LOOK_SECONDS = 5.0


def watch(
    suite: SuiteName,
    once: Annotated[bool, typer.Option("--once", help="Look once and end.")] = False,
    home: Home = None,
    tracking_uri: TrackingUri = None,
    storage: Storage = None,
    data_root: DataRoot = None,
    plugin: Plugin = None,
) -> None:
    """Show how far a suite is, who works on which cell, and what failed, as the stores know it.

    It ends when all is done, or has failed and nobody is at work.

    Examples: sslbench watch quick | sslbench watch quick --once |
    sslbench watch quick --storage postgresql+psycopg://me@db/optuna --tracking-uri http://mlflow:5000
    """
    with plain_errors():
        from sslbench.sweep import suites

        suites.find(suite)
        console = terminal()
        with signs_of_life(console, f"looking for {suite}"):
            from rich.live import Live
            from rich.text import Text

            from sslbench.stores.outage import patiently
            from sslbench.sweep.asked import Request, Selection
            from sslbench.sweep.request import plan_request
            from sslbench.sweep.shared import Shared

            stores, root = locate(home, tracking_uri, storage), (data_root or default_root()).resolve()
            request = Request(suite, Selection(), stores, root, plugins=tuple(plugin or ()))
            shared = Shared(request, plan_request(request))
        total, said, over = len(shared.prepared.cells), 0.0, False
        with Live(console=console, auto_refresh=False, transient=not once) as live:
            while True:
                done, lines = patiently(shared.done), patiently(shared.report)
                before, over = over, done < total and patiently(shared.over)
                ended = done == total or (before and over)  # between two cells nobody may be at work
                text = "\n".join([f"{suite}: {done} of {total} cells done", *(f"  {line}" for line in lines)])
                if console.is_terminal:
                    live.update(Text(text), refresh=True)
                elif once or ended or time.monotonic() - said >= EVERY:
                    said = time.monotonic()
                    say(console, text)
                if ended and done < total:
                    raise typer.Exit(FAILED)
                if once or ended:
                    return
                time.sleep(LOOK_SECONDS)
