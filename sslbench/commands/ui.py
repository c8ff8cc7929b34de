"""`sslbench ui`: the MLflow UI on the store the suites write to."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sslbench.commands.options import Home, TrackingUri, plain_errors, terminal
from sslbench.contract.spec import InputError
from sslbench.stores.addresses import Stores, locate


def ui(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 5000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    home: Home = None,
    tracking_uri: TrackingUri = None,
) -> None:
    """Open the MLflow UI on the store the suites write to; Ctrl-C ends it.

    Example: sslbench ui --port 5001
    """
    with plain_errors():
        stores = locate(home, tracking_uri)
        if stores.tracking_uri.startswith("sqlite:///") and not _exists(stores):
            raise InputError(f"no runs yet in {stores.home}; run a suite first, e.g. sslbench run quick")
        terminal().print(
            f"MLflow UI: http://{host}:{port}  (store {stores.tracking_uri})", highlight=False, markup=False
        )
        command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", stores.tracking_uri]
        try:
            import subprocess

            raise typer.Exit(subprocess.call([*command, "--host", host, "--port", str(port)]))
        except KeyboardInterrupt:
            raise typer.Exit(0) from None


def _exists(stores: Stores) -> bool:
    return Path(stores.tracking_uri.removeprefix("sqlite:///")).is_file()
