"""Addresses of stores: checked before any work, and shown without their passwords."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from sslbench.contract.errors import InputError

if TYPE_CHECKING:  # sqlalchemy takes a moment that --help has no use for
    from sqlalchemy import URL

DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
SERVERS = ("http", "https")

_PASSWORD = re.compile(r"(\w[\w+.-]*://[^\s/:@]*):\S*@")
_PASSWORD_WITHOUT_SCHEME = re.compile(r":(?!//).*@", re.DOTALL)
_TOKEN = re.compile(r"(https?://)[^\s/:@]+(?::(?:x-oauth-basic)?)?@", re.IGNORECASE)  # a name that is a password
_SECRET_OPTION = re.compile(
    r"([?&;#](?:[\w.-]*(?:pass|pwd|secret|token|key|signature|credential)[\w.-]*|sig|odbc_connect)=)[^&\s'\"]*",
    re.IGNORECASE,
)


def hidden(text: str) -> str:
    """Any text, of another library too, with every password inside an address replaced by `***`."""
    return _SECRET_OPTION.sub(r"\1***", _PASSWORD.sub(r"\1:***@", _TOKEN.sub(r"\1***@", text)))


def shown(address: str) -> str:
    """An address, well formed or not, as people and logs may see it: its password replaced by `***`."""
    return _PASSWORD_WITHOUT_SCHEME.sub(":***@", hidden(address))


def reason(error: Exception) -> str:
    """What went wrong in one line, without passwords."""
    return hidden((str(error).strip() or type(error).__name__).splitlines()[0])


def sqlite_address(path: Path) -> str:
    """The address of an SQLite file."""
    from sqlalchemy import make_url

    plain = f"sqlite:///{path}"
    if make_url(plain).database == str(path):
        return plain
    return f"sqlite:///{quote(str(path))}"


def sqlite_file(address: str) -> Path | None:
    """The file of an SQLite address; None for what a server keeps."""
    from sqlalchemy import make_url

    url = make_url(address)
    return Path(url.database) if url.drivername == "sqlite" and url.database else None


def checked(option: str, address: str, servers: bool) -> str:
    """An address that can be worked with, an SQLite file by its full path; nothing is connected to.

    Args:
        option: where it was given, for the message.
        servers: whether a server of MLflow is one, too.

    Raises:
        InputError: it cannot be worked with; the message says why.
    """
    scheme, separator, _ = address.partition("://")
    known = DATABASES + (SERVERS if servers else ())
    if not separator or scheme.partition("+")[0] not in known:
        wanted = "use sqlite:///FILE, postgresql://…" + (" or http(s)://… of an MLflow server" if servers else "")
        raise InputError(f"{option} {shown(address)!r} is not an address; {wanted}")
    wrong = _wrong_server(address) if scheme in SERVERS else _wrong_database(address)
    if wrong:
        raise InputError(f"{option} {shown(address)!r} cannot be used: {wrong}")
    file = None if scheme in SERVERS else sqlite_file(address)
    return address if file is None else sqlite_address(resolved(option, file))


def resolved(option: str, path: Path) -> Path:
    """The full path.

    Raises:
        InputError: its links lead in a circle, or it cannot be a path at all.
    """
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(f"{option} {str(path)!r} cannot be used: {reason(error)}") from error


def same_place(first: str, second: str) -> bool:
    """Whether two addresses lead to one database, whoever logs in."""
    from sqlalchemy import make_url

    one, other = make_url(first), make_url(second)
    if one.get_backend_name() != other.get_backend_name() or one.query or other.query:
        return first == second
    return (one.host, one.port, one.database) == (other.host, other.port, other.database)


def _wrong_server(address: str) -> str:
    """What is wrong with the address of an MLflow server; empty if nothing is."""
    try:
        parts = urlsplit(address)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        named = False
    return "" if named else "it needs a host, and a port from 1 to 65535 if any, e.g. http://127.0.0.1:5000"


def _wrong_database(address: str) -> str:
    """What is wrong with the address of a database; empty if nothing is. Never quotes from it: a password may be."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        return "it cannot be read; the port is a number, and @ and / in a password are written %40 and %2F"
    if url.get_backend_name() == "sqlite":
        return _wrong_file(url)
    if not 0 < (1 if url.port is None else url.port) < 65536:
        return f"port {url.port} is not from 1 to 65535"
    if "@" in (url.host or "") or re.search(r"\s", address):
        return "@ and spaces in a user name or a password are written %40 and %20"
    try:
        dialect = url.get_dialect()
        dialect.import_dbapi()
    except NoSuchModuleError:
        return f"there is no driver {url.drivername!r}"
    except ImportError as error:
        return f"its driver needs the Python package {error.name!r}, which is not installed"
    return "its driver is asynchronous" if dialect.is_async else ""


def _wrong_file(url: URL) -> str:
    if url.drivername != "sqlite" or url.query:
        return "an SQLite file is given as sqlite:///FILE, without driver and options"
    if not url.database or url.host:
        return "it names no file; sqlite:///FILE has three slashes, and a fourth where the path begins with one"
    if url.database == ":memory:" or url.database.startswith("file:"):
        return "workers are processes of their own and share a file, not memory"
    return ""
