"""Addresses are refused before any work, and nobody reads their passwords."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslbench.contract.spec import InputError
from sslbench.stores.addresses import locate
from sslbench.stores.urls import hidden, shown, sqlite_address, sqlite_file

#: Every way to write a password that a person may try, well formed or not.
WITH_PASSWORD = (
    "postgresql+psycopg2://user:s3cret@host:bad/db",
    "postgresql+psycopg2://user:s3cret@host:99999/db",
    "postgresql+nosuch://user:s3cret@host/db",
    "postgresql+psycopg2://user:s3cret@host/db",
    "postgresql+asyncpg://user:s3cret@host/db",
    "postgresql+psycopg2://user:x@s3cret@host/db",
    "postgresql+psycopg2://user:x/s3cret@host/db",
    "postgresql+psycopg2://user:x s3cret@host/db",
    "postgresql+psycopg2://user:x:s3cret@host/db",
    "postgresql+psycopg2://:s3cret@host/db",
    "postgresql+psycopg2://host/db?user=me&password=s3cret",
    "mssql+pyodbc:///?odbc_connect=PWD%3Ds3cret",
    "mysql://user:s3cret@host/db",
    "sqlite://user:s3cret@host/x.db",
    "redis://user:s3cret@host",
    "postgresql//user:s3cret@host/db",
    "user:s3cret@host/db",
    "http://user:s3cret@host:99999",
    "http://user:s3cret@host:port",
    "ftp://user:s3cret@host",
    "http://s3cret@host:99999",
    "HTTPS://s3cret@host:99999",
    "http://s3cret:@host:99999",
    "http://s3cret:x-oauth-basic@host:99999",
    "http://host:99999/?api_key=s3cret",
    "http://host:99999/x?a=1&X-Amz-Signature=s3cret",
    "http://host:99999/x?X-Amz-Security-Token=s3cret",
    "http://host:99999/x?sig=s3cret",
    "http://host:99999/#access_token=s3cret",
    "postgresql+nosuch://host/db?sslkey=s3cret",
)


@pytest.mark.parametrize("address", WITH_PASSWORD)
@pytest.mark.parametrize("option", ["tracking_uri", "storage"])
def test_a_refused_address_is_shown_without_its_password(tmp_path: Path, option: str, address: str) -> None:
    tracking_uri, storage = (address, None) if option == "tracking_uri" else (None, address)
    with pytest.raises(InputError) as caught:
        locate(tmp_path, tracking_uri, storage)
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "***" in str(caught.value)


@pytest.mark.parametrize("address", WITH_PASSWORD)
def test_a_shown_address_has_no_password(address: str) -> None:
    assert "s3cret" not in shown(address)


def test_passwords_inside_the_texts_of_others_are_hidden_and_the_rest_is_kept() -> None:
    told = (
        "API request to http://me:s3cret@host:5000/api failed, see postgresql://me:s3cret@host/db?password=s3cret 'x'"
    )
    assert hidden(told) == (
        "API request to http://me:***@host:5000/api failed, see postgresql://me:***@host/db?password=*** 'x'"
    )
    for harmless in ("folder:/home/me@work/pictures", "sqlite:////tmp/a@b.db", "http://127.0.0.1:5000", "a:b@c"):
        assert hidden(harmless) == harmless


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("", "is not an address"),
        ("sqlite://", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite://x.db", "three slashes"),
        ("sqlite:///:memory:", "share a file, not memory"),
        ("sqlite:///file:x?mode=memory&uri=true", "without driver and options"),
        ("sqlite+aiosqlite:///x.db", "without driver and options"),
        ("postgresql://host:bad/db", "the port is a number"),
        ("postgresql://host:0/db", "port 0 is not from 1 to 65535"),
        ("postgresql://host:65536/db", "port 65536 is not from 1 to 65535"),
        ("postgresql+nosuch://host/db", "there is no driver 'postgresql+nosuch'"),
        ("postgresql+psycopg2://host/db", "its driver needs the Python package 'psycopg2', which is not installed"),
    ],
)
def test_an_address_that_cannot_be_used_says_why(tmp_path: Path, address: str, message: str) -> None:
    for tracking_uri, storage in ((address, None), (None, address)):
        with pytest.raises(InputError) as caught:
            locate(tmp_path, tracking_uri, storage)
        assert message in str(caught.value)


@pytest.mark.parametrize("address", ["http://", "https://:5000", "http://host:0", "http://host:99999", "http://host:x"])
def test_a_server_needs_a_host_and_a_port_that_exists(tmp_path: Path, address: str) -> None:
    with pytest.raises(InputError, match="it needs a host, and a port from 1 to 65535"):
        locate(tmp_path, address)
    with pytest.raises(InputError, match=r"--storage .* is not an address"):
        locate(tmp_path, None, address)


def test_one_file_for_both_stores_is_refused_however_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    (tmp_path / "link").symlink_to("home", target_is_directory=True)
    for first, second in (
        ("sqlite:///home/x.db", f"sqlite:///{tmp_path}/link/x.db"),
        ("sqlite:///home/optuna.db", None),
    ):
        with pytest.raises(InputError, match="need a database each"):
            locate(tmp_path / "home", first, second)
    assert list((tmp_path / "home").iterdir()) == []


def test_the_environment_is_named_where_the_address_comes_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "databricks://profile")
    with pytest.raises(InputError, match="MLFLOW_TRACKING_URI 'databricks://profile' is not an address"):
        locate(tmp_path)


def test_a_home_whose_links_lead_in_a_circle_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(InputError, match="--home"):
        locate(tmp_path / "a")


@pytest.mark.parametrize("name", ["plain", "a b", "100%", "per%20cent", "what?", "c#"])
def test_the_address_of_a_file_leads_back_to_it(tmp_path: Path, name: str) -> None:
    assert sqlite_file(sqlite_address(tmp_path / name)) == tmp_path / name
    assert sqlite_file(locate(tmp_path / name).tracking_uri) == tmp_path / name / "mlflow.db"
