"""`sslbench ui` refuses what it cannot use before it starts, shows no password, and leaves no process behind."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from sslbench.commands import servers
from sslbench.commands.app import app
from sslbench.commands.ui import EVALUATIONS, TRIALS
from sslbench.stores.addresses import Stores, locate, prepare
from sslbench.stores.tracker import Tracker
from tests.conftest import pretrain_cell

#: What `run_server` was asked for: the command, and the address in its environment.
Call = tuple[list[str], str]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    made: list[Call] = []

    def call(command: Sequence[str], environment: Mapping[str, str]) -> int:
        made.append((list(command), environment["MLFLOW_BACKEND_STORE_URI"]))
        return 3

    monkeypatch.setattr(servers, "run_server", call)
    return made


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Stores:
    """Stores in which `first` ran, and then `last`; `empty` did not."""
    found = locate(tmp_path_factory.mktemp("home"))
    prepare(found)
    for name in ("first", "last", "empty"):
        tracker = Tracker(found.tracking_uri, name, found.artifact_root)
        if name != "empty":
            tracker.finish(tracker.start_pretrain(pretrain_cell("rotation"), None, "cpu"), {}, {})
            time.sleep(0.01)  # moments are kept in milliseconds
    return found


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


def test_the_address_of_the_store_is_not_among_the_arguments(stores: Stores, calls: list[Call]) -> None:
    code, output = ui("--home", str(stores.home), "--port", "5123")
    assert code == 3  # what MLflow ended with
    ((command, address),) = calls
    assert command[1:] == ["-m", "mlflow", "ui", "--host", "127.0.0.1", "--port", "5123", "--workers", "1"]
    assert address == stores.tracking_uri
    assert "MLflow UI: http://127.0.0.1:5123" in output


@pytest.mark.parametrize(("arguments", "name"), [((), "last"), (("first",), "first")])
def test_a_link_leads_to_the_suite_ordered_by_accuracy(
    stores: Stores, calls: list[Call], arguments: tuple[str, ...], name: str
) -> None:
    _, output = ui(*arguments, "--home", str(stores.home), "--port", "5123")
    experiment = Tracker(stores.tracking_uri, name, stores.artifact_root).experiment_id
    place = f"#/experiments/{experiment}/runs?{EVALUATIONS}"
    assert f"{name}, most accurate first: http://127.0.0.1:5123/{place}" in " ".join(output.split())


def test_trials_of_tuning_are_opened_on_when_asked_for_and_by_their_score(
    tmp_path: Path, calls: list[Call], stores: Stores
) -> None:
    home = locate(tmp_path / "home")
    prepare(home)
    for name, kind in (("tried", "evaluate"), ("tried-tune", "tune")):
        tracker = Tracker(home.tracking_uri, name, home.artifact_root)
        tracker.finish(tracker.start("a run", {"kind": kind}, {}), {}, {})
        time.sleep(0.01)
    assert "tried, most accurate first: " in ui("--home", str(home.home), "--port", "5123")[1]
    told = ui("tried-tune", "--home", str(home.home), "--port", "5123")[1]
    assert "tried-tune, best score first: " in told
    assert TRIALS in "".join(told.split())


def test_a_suite_is_found_by_its_file(stores: Stores, calls: list[Call], suite_file: Path) -> None:
    suite_file.write_text(suite_file.read_text().replace('name="small"', 'name="first"'))
    assert "first, most accurate first: " in ui(str(suite_file), "--home", str(stores.home), "--port", "5123")[1]


@pytest.mark.parametrize("name", ["empty", "quik"])
def test_a_suite_without_runs_names_those_that_have_some(stores: Stores, calls: list[Call], name: str) -> None:
    code, output = ui(name, "--home", str(stores.home), "--port", "5123")
    assert (code, calls) == (2, [])
    assert output == f"error: no runs of suite '{name}' yet; choose one of last, first\n"


def test_nothing_of_mlflow_is_left_after_sigterm(stores: Stores) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "sslbench", "ui", "--home", str(stores.home), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _wait_for(f"http://127.0.0.1:{port}/health")
    started = psutil.Process(process.pid).children(recursive=True)
    assert any("uvicorn" in " ".join(one.cmdline()) for one in started)
    listening = {connection.laddr.ip for one in started for connection in one.net_connections("tcp")}
    assert listening == {"127.0.0.1"}
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 128 + signal.SIGTERM
    assert not _running(started)


#: A server that starts another process, which lets itself be killed only.
STUBBORN = """
import subprocess, sys
child = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
subprocess.run([sys.executable, "-c", child])
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)]
)
def test_a_server_ends_whatever_ends_it(number: signal.Signals, code: int) -> None:
    command = [sys.executable, "-c", STUBBORN]
    program = f"from sslbench.commands.servers import run_server; raise SystemExit(run_server({command}, {{}}))"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        server, child = psutil.Process(process.pid).children(recursive=True)
        if number == signal.SIGKILL:
            server.send_signal(number)  # the server itself, whose child would stay
            assert process.wait(20) == 256 + code
        else:
            process.send_signal(number)
            assert process.wait(20) == code
    assert not _running([server, child])


def test_a_server_that_nohup_started_outlives_the_terminal() -> None:
    command = [sys.executable, "-c", STUBBORN]
    program = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        f"from sslbench.commands.servers import run_server; raise SystemExit(run_server({command}, {{}}))"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 128 + signal.SIGTERM


def _running(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Those that run after a moment; whom nobody waits for is a zombie, which does not."""
    deadline = time.monotonic() + 2
    left = list(processes)
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [one for one in left if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    return left


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"nothing answers at {address}")


def test_a_server_has_a_ui_of_its_own_and_is_shown_without_its_password(calls: list[Call]) -> None:
    code, output = ui("--tracking-uri", "http://me:s3cret@host:5000")
    assert (code, calls) == (0, [])
    assert "http://me:***@host:5000" in output
