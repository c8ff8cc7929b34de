"""Environment variables, for a while or to the end of a process: what a person has set stays."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

#: Keeps MLflow from a bar per picture and an address per run.
QUIET = {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false", "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true"}


def hush() -> None:
    """Have MLflow tell nothing in a process of ours: it tells of all it writes, and of errors that are raised too."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    for name, level in {"mlflow.system_metrics": logging.CRITICAL, "mlflow.store.db.utils": logging.CRITICAL}.items():
        logging.getLogger(name).setLevel(level)


@contextmanager
def unless_set(values: Mapping[str, str]) -> Iterator[None]:
    """Set those variables that are not set, and unset them afterwards."""
    added = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]
