"""`sslbench ui` refuses what it cannot use before it starts, and hands no password to a list of processes."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sslbench.commands.app import app
from sslbench.stores.addresses import locate, prepare

#: What `subprocess.call` was asked for: the command, and the address in its environment.
Call = tuple[list[str], str]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    made: list[Call] = []

    def call(command: list[str], env: dict[str, str]) -> int:
        made.append((command, env["MLFLOW_BACKEND_STORE_URI"]))
        return 3

    monkeypatch.setattr(subprocess, "call", call)
    return made


@pytest.fixture
def busy() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def ui(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["ui", *arguments])
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--port", "99999"), "--port 99999 is not from 1 to 65535"),
        (("--port", "0"), "--port 0 is not from 1 to 65535"),
        (("--port", "-1"), "--port -1 is not from 1 to 65535"),
        (("--host", "no such host"), "cannot listen on --host 'no such host', --port 5000: "),
        (("--host", "203.0.113.1"), "cannot listen on --host '203.0.113.1', --port 5000: "),
        (("--host", ""), "cannot listen on --host ''"),
        (("--host", "a." * 200), "cannot listen on --host 'a.a."),
        (("--port", "5123"), "no runs yet in "),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    tmp_path: Path, calls: list[Call], arguments: tuple[str, ...], message: str
) -> None:
    code, output = ui(*arguments, "--home", str(tmp_path))
    assert code == 2
    assert message in output
    assert len(output.strip().splitlines()) == 1
    assert calls == []


def test_a_port_somebody_listens_on_is_named(tmp_path: Path, calls: list[Call], busy: int) -> None:
    code, output = ui("--port", str(busy), "--home", str(tmp_path))
    assert code == 2
    assert f"cannot listen on --host '127.0.0.1', --port {busy}: Address already in use" in output
    assert calls == []


@pytest.mark.parametrize("home", ["file", "x" * 300])
def test_a_home_that_cannot_be_one_is_one_line(tmp_path: Path, calls: list[Call], home: str) -> None:
    (tmp_path / "file").write_text("not a folder")
    code, output = ui("--home", str(tmp_path / home), "--port", "5123")
    assert code == 2
    assert len(output.strip().splitlines()) == 1
    assert calls == []


def test_the_address_of_the_store_is_not_among_the_arguments(tmp_path: Path, calls: list[Call]) -> None:
    stores = locate(tmp_path)
    prepare(stores)
    code, output = ui("--home", str(tmp_path), "--port", "5123")
    assert code == 3  # what MLflow ended with
    ((command, address),) = calls
    assert command[1:] == ["-m", "mlflow", "ui", "--host", "127.0.0.1", "--port", "5123"]
    assert address == stores.tracking_uri
    assert "MLflow UI: http://127.0.0.1:5123" in output


def test_a_server_has_a_ui_of_its_own_and_is_shown_without_its_password(calls: list[Call]) -> None:
    code, output = ui("--tracking-uri", "http://me:s3cret@host:5000")
    assert (code, calls) == (0, [])
    assert "http://me:***@host:5000" in output
