"""`sslbench ui`: the MLflow UI on the store the suites write to."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from sslbench.commands import servers
from sslbench.commands.options import Home, Plugin, TrackingUri, plain_errors, say, terminal
from sslbench.contract.errors import InputError
from sslbench.contract.outside import load_plugins
from sslbench.stores.addresses import Stores, locate
from sslbench.stores.moved import follow_artifacts
from sslbench.stores.urls import reason, shown

#: Of a suite's runs: those that scored something, the most accurate first, beside models rather than beside prompts.
EVALUATIONS = (
    "workflowType=machine_learning&searchFilter=tags.kind%20%3D%20%27evaluate%27"
    "&orderByKey=metrics.%60accuracy%60&orderByAsc=false"
)

#: Of tuning: arms and their trials, the best score first.
TRIALS = "workflowType=machine_learning&orderByKey=metrics.%60score%60&orderByAsc=false"


def ui(
    suite: Annotated[
        str | None, typer.Argument(help="Suite to open on, by name or file; default the one that ran last.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port to listen on, 1 to 65535.")] = 5000,
    host: Annotated[str, typer.Option(help="Address to listen on; by default this machine's own alone.")] = "127.0.0.1",
    home: Home = None,
    tracking_uri: TrackingUri = None,
    plugin: Plugin = None,
) -> None:
    """Open the MLflow UI on the store the suites write to, and print where it shows a suite's runs by accuracy.

    It ends with all its processes at Ctrl-C, at SIGTERM, or when its terminal closes.

    Examples: sslbench ui | sslbench ui quick | sslbench ui --port 5001
    """
    with plain_errors():
        stores = locate(home, tracking_uri)
        if stores.tracking_uri.startswith("http"):
            say(terminal(), f"the runs are on a server with a UI of its own: {shown(stores.tracking_uri)}")
            return
        servers.check_place(host, port)
        load_plugins(plugin or ())
        from sslbench.stores.experiments import check_runs

        check_runs(stores)
        follow_artifacts(stores.tracking_uri, stores.artifact_root)
        name, place, order = _experiment(suite, stores)
        say(terminal(), f"MLflow UI: http://{host}:{port}  (store {shown(stores.tracking_uri)})")
        say(terminal(), f"{name}, {order} first: http://{host}:{port}/#/experiments/{place}")
        # One process answers one person; what it could do in the background (jobs on language models) nobody asked for.
        command = [sys.executable, "-m", "mlflow", "ui", "--host", host, "--port", str(port), "--workers", "1"]
        own = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        # Not among the arguments: whoever lists processes would read a password.
        own["MLFLOW_BACKEND_STORE_URI"] = stores.tracking_uri
        raise typer.Exit(servers.run_server(command, {**os.environ, **own}))


def _experiment(suite: str | None, stores: Stores) -> tuple[str, str, str]:
    """A suite with runs, the place of its experiment in the UI, and what is first there.

    Raises:
        InputError: there are no runs of that suite, or of any.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from sslbench.stores.experiments import experiments
    from sslbench.sweep import suites

    try:
        known = experiments(stores.tracking_uri)
    except SQLAlchemyError as error:
        raise InputError(f"{shown(stores.tracking_uri)} cannot be read: {reason(error)}") from error
    if not known:
        raise InputError(f"no runs yet in {shown(stores.tracking_uri)}; run a suite first, e.g. sslbench run quick")
    name = next(iter(known)) if suite is None else suites.load(suite).name if suite.endswith(".py") else suite
    if name not in known:
        raise InputError(f"no runs of suite {name!r} yet; choose one of {', '.join(known)}")
    identity, tuned = known[name]
    view, order = (TRIALS, "best score") if tuned else (EVALUATIONS, "most accurate")
    return name, f"{identity}/runs?{view}", order
