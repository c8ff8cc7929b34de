"""Servers that end with the command that started them, to their last process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress

from sslbench.contract.errors import InputError

#: Seconds a server has to end by itself, and between two looks at what we were told.
GRACE, LOOK = 5.0, 0.2


def run_server(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a server until it ends or we are told to: by Ctrl-C, SIGTERM, or SIGHUP of a terminal that is closed.

    Started by `nohup`, which ignores that one, so do we.

    Returns:
        an exit code: the server's, 0 after Ctrl-C, 128 and the signal's number after another signal.
    """
    told: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: told.append(number))  # raises nothing: no moment is a bad one
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN
    }
    # A session of its own: no Ctrl-C reaches it past us, and its processes can be ended together.
    server = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        while not told:
            with suppress(subprocess.TimeoutExpired):
                return server.wait(LOOK)
        return 0 if told[0] == signal.SIGINT else 128 + told[0]
    finally:
        _end(server)
        for number, handler in before.items():
            signal.signal(number, handler)


def check_place(host: str, port: int, names: tuple[str, str] = ("--host", "--port")) -> None:
    """Whether one can listen there: servers would only say so in their logs, and end without an error.

    Args:
        names: the options that say where.

    Raises:
        InputError: one cannot; the message says why.
    """
    if not 0 < port < 65536:
        raise InputError(f"{names[1]} {port} is not from 1 to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host or "?", port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, UnicodeError) as error:
        said = error.strerror if isinstance(error, OSError) else None
        raise InputError(f"cannot listen on {names[0]} {host!r}, {names[1]} {port}: {said or error}") from error


def _end(server: subprocess.Popen[bytes]) -> None:
    """Ask the server to end, and leave no process of it."""
    server.terminate()
    with suppress(subprocess.TimeoutExpired):
        server.wait(GRACE)
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()
