"""No command prints the password of a store's address, whatever is wrong with the address."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from sslbench.commands.app import app
from tests.stores.test_urls import WITH_PASSWORD

SERVER = "http://user:s3cret@127.0.0.1:9"  # well formed, and nobody answers


def invoke(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


@pytest.mark.parametrize("address", WITH_PASSWORD)
@pytest.mark.parametrize(
    ("command", "option"),
    [
        (("run", "quick"), "--tracking-uri"),
        (("run", "quick"), "--storage"),
        (("run", "quick", "--dry-run"), "--storage"),
        (("tune", "quick"), "--tracking-uri"),
        (("tune", "quick", "--dry-run"), "--storage"),
        (("report", "quick"), "--tracking-uri"),
        (("ui",), "--tracking-uri"),
    ],
)
def test_a_refused_address_is_one_line_without_its_password(
    tmp_path: Path, command: tuple[str, ...], option: str, address: str
) -> None:
    code, output = invoke(*command, "--home", str(tmp_path / "home"), option, address)
    assert code == 2
    assert "s3cret" not in output
    assert len(output.strip().splitlines()) == 1
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("command", [("run", "quick"), ("tune", "quick"), ("report", "quick")])
def test_a_server_that_does_not_answer_is_told_without_its_password_before_data_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    places = ("--home", str(tmp_path / "home"), "--data-root", str(tmp_path / "data"))
    code, output = invoke(*command, *places, "--tracking-uri", SERVER)
    assert code == 2
    assert "tracking URI 'http://user:***@127.0.0.1:9' cannot be used" in output
    assert "s3cret" not in output
    assert not (tmp_path / "data").exists()
