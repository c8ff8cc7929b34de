"""`sslbench serve`: the two stores that workers on many machines share, on this one."""

from __future__ import annotations

import os
import shlex
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sslbench.commands import servers
from sslbench.commands.options import Home, plain_errors, say, terminal
from sslbench.contract.errors import InputError
from sslbench.stores.urls import checked, resolved, shown

if TYPE_CHECKING:
    from sqlalchemy import URL

#: Addresses that mean every network of a machine: workers are told its name instead.
EVERYWHERE = ("0.0.0.0", "::")

#: Addresses that other machines do not reach; MLflow's server answers to them whatever it is told.
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve(
    port: Annotated[int, typer.Option(help="Port of the MLflow server, 1 to 65535.")] = 5000,
    postgres_port: Annotated[int, typer.Option(help="Port of PostgreSQL, 1 to 65535.")] = 5432,
    host: Annotated[str, typer.Option(help="Address to listen on; by default this machine's own alone.")] = "127.0.0.1",
    postgres: Annotated[
        str | None,
        typer.Option(
            envvar="SSLBENCH_POSTGRES",
            show_envvar=False,
            help="Use a PostgreSQL of yours, postgresql+psycopg://me@db/postgres; default $SSLBENCH_POSTGRES, "
            "else one is started.",
        ),
    ] = None,
    artifacts: Annotated[
        str | None, typer.Option(help="Where artifacts are kept: a folder or s3://BUCKET; default in the home folder.")
    ] = None,
    home: Home = None,
) -> None:
    """Run PostgreSQL and an MLflow server for workers on any machine, and print the two addresses they need.

    What they keep is in the home folder and there again the next time. Both addresses are also in workers.env there,
    with the password, for its owner alone to read. Ctrl-C ends it, and SIGTERM. The MLflow server asks nobody for a
    password: listen only where you trust the network.

    Examples: sslbench serve | sslbench serve --host 0.0.0.0 --port 5001 |
    SSLBENCH_POSTGRES=postgresql+psycopg://me:secret@db/postgres sslbench serve
    """
    with plain_errors():
        servers.check_place(host, port)
        if postgres is None:
            servers.check_place(host, postgres_port, ("--host", "--postgres-port"))
            if port == postgres_port:
                raise InputError(f"--port and --postgres-port are both {port}; they need one each")
        kept = None if artifacts is None else _place(artifacts)
        from sslbench.stores.addresses import locate
        from sslbench.stores.postgres import databases
        from sslbench.sweep.request import alone

        stores = locate(home)
        stores.home.mkdir(parents=True, exist_ok=True)
        with alone(stores, "serve", "sslbench serve runs"), _server(postgres, stores.home, host, postgres_port) as url:
            name = socket.gethostname() if host in EVERYWHERE else host
            storage, tracking = databases(url.set(host=name) if url.host in EVERYWHERE else url)
            _tell(stores.home / "workers.env", storage, f"http://{bracketed(name)}:{port}")
            command, environment = mlflow_server(host, port, tracking, kept or (stores.home / "artifacts").as_uri())
            if host not in LOOPBACK and "MLFLOW_SERVER_ALLOWED_HOSTS" not in environment:
                hosts = [f"{one}{end}" for one in called(name) for end in ("", f":{port}")]
                environment["MLFLOW_SERVER_ALLOWED_HOSTS"] = ",".join(hosts)
            raise typer.Exit(servers.run_server(command, environment))


def called(name: str) -> list[str]:
    """What workers may call this machine, the given name first: MLflow's server answers to no other name."""
    import psutil

    families = (socket.AF_INET, socket.AF_INET6)
    found = [one.address for each in psutil.net_if_addrs().values() for one in each if one.family in families]
    return list(dict.fromkeys(map(bracketed, [name, socket.gethostname(), socket.getfqdn(), "localhost", *found])))


def bracketed(name: str) -> str:
    """A name of a machine as it stands in addresses."""
    return f"[{name}]" if ":" in name else name


def _place(artifacts: str) -> str:
    """The address of a place for artifacts.

    Raises:
        InputError: it is neither a folder nor a bucket, nothing is installed that reaches buckets, or this one cannot
            be read.
    """
    scheme, separator, _ = artifacts.partition("://")
    if not separator:
        return resolved("--artifacts", Path(artifacts)).as_uri()
    if scheme != "s3":
        raise InputError(f"--artifacts {artifacts!r} is neither a folder nor s3://BUCKET")
    if find_spec("boto3") is None:
        raise InputError(f"--artifacts {artifacts!r} needs an extra: pip install 'sslbench[s3]'")
    from sslbench.stores.addresses import reach_bucket

    reach_bucket("--artifacts", artifacts)
    return artifacts


def mlflow_server(host: str, port: int, tracking_uri: str, artifacts: str) -> tuple[list[str], dict[str, str]]:
    """The command of an MLflow server that hands artifacts through itself, and its environment.

    Args:
        tracking_uri: its database; not among the arguments, where whoever lists processes would read the password.
        artifacts: address of the place it keeps artifacts in.
    """
    from sslbench.sweep.cores import cores

    command = [sys.executable, "-m", "mlflow", "server", "--host", host, "--port", str(port)]
    command += ["--workers", str(cores()), "--artifacts-destination", artifacts]
    # What its processes could do besides (jobs on language models) nobody asked for.
    own = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_BACKEND_STORE_URI": tracking_uri}
    return command, {**os.environ, **own}


@contextmanager
def _server(postgres: str | None, home: Path, host: str, port: int) -> Iterator[URL]:
    """PostgreSQL with the two databases: a person's own, or one that runs as long as this."""
    from sqlalchemy import make_url

    from sslbench.stores.postgres import ensure_databases, run_postgres

    if postgres is None:
        say(terminal(), f"starting PostgreSQL in {home / 'postgres'}")
        with run_postgres(home, host, port) as url:
            yield url
    else:
        url = make_url(checked("--postgres", postgres, servers=False))
        if url.get_backend_name() != "postgresql" or not url.database:
            raise InputError(
                f"--postgres {shown(postgres)!r} is no database of PostgreSQL: postgresql+psycopg://HOST/NAME"
            )
        ensure_databases(url)
        yield url


def _tell(file: Path, storage: str, tracking_uri: str) -> None:
    """Print the addresses, and write them to a file; the password only where nobody else reads."""
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(
        f"export SSLBENCH_STORAGE={shlex.quote(storage)}\nexport MLFLOW_TRACKING_URI={shlex.quote(tracking_uri)}\n",
        encoding="utf-8",
    )
    console = terminal()
    say(console, f"--storage {storage if console.is_terminal else shown(storage)}")
    say(console, f"--tracking-uri {tracking_uri}")
    say(console, f"or, on each machine: . {file}; sslbench worker SUITE")
