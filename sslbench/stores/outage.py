"""Stores that do not answer for a while: told apart from errors of the work, and waited for with growing pauses."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from optuna.exceptions import StorageInternalError
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import Timeout
from sqlalchemy import Engine, event
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_random_exponential
from urllib3.exceptions import HTTPError

from sslbench.contract.errors import StoreLost
from sslbench.stores.urls import reason

P = ParamSpec("P")
R = TypeVar("R")

#: Seconds to wait for a store to come back before everything stops, to be gone on with later.
PATIENCE = 300.0

#: The longest pause between two tries, in seconds.
PAUSE = 20.0

#: When this process last waited for a store, in seconds of `time.monotonic`.
_waited = -math.inf

UNREACHABLE = (StorageInternalError, OperationalError, InterfaceError, PoolTimeout, NoConnection, Timeout, HTTPError)

#: What a server answers that is starting or has too much to do.
BUSY = (429, 502, 503, 504)


def store_lost(error: BaseException | None) -> bool:
    """Whether an error, or what it came from, says that a store did not answer; a locked SQLite file counts.

    What is raised `from None` came from something else than a store.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        status = getattr(error, "get_http_status_code", lambda: None)()  # of MLflow's exceptions
        if isinstance(error, (StoreLost, *UNREACHABLE)) or status in BUSY:
            return True
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return False


def patiently(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call something that may be called again, until the stores answer.

    Raises:
        StoreLost: they did not for `PATIENCE` seconds.
    """
    try:
        return _tries()(work, *args, **kwargs)
    except Exception as error:
        if store_lost(error):
            raise lost(error) from error
        raise


def lost(error: Exception) -> StoreLost:
    """A store that does not answer any more, with what its driver says: Optuna's own words name only the moment."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else None
    return StoreLost(reason(cause if isinstance(cause, Exception) else error))


def since_outage() -> float:
    """Seconds since this process last waited for a store; infinite if it never did."""
    return time.monotonic() - _waited


def connect_patiently(engine: Engine) -> None:
    """Have a database that answered once be waited for whenever a new connection to it is needed."""

    def connect(dialect: Any, _: Any, positional: Any, named: Any) -> Any:
        driver = dialect.loaded_dbapi
        broken = retry_if_exception(lambda error: isinstance(error, (driver.OperationalError, driver.InterfaceError)))
        return _tries(broken)(dialect.connect, *positional, **named)

    event.listen(engine, "do_connect", connect)


def _tries(when: retry_if_exception | None = None) -> Retrying:
    return Retrying(
        retry=when or retry_if_exception(store_lost),
        wait=wait_random_exponential(0.5, PAUSE),
        stop=stop_after_delay(PATIENCE),
        after=_note,
        reraise=True,
    )


def _note(_: RetryCallState) -> None:
    global _waited
    _waited = time.monotonic()
