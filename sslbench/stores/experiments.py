"""Which suites a store has runs of, read from MLflow's tables without starting MLflow."""

from __future__ import annotations

import sqlite3

from sqlalchemy import create_engine, text

from sslbench.contract.errors import InputError
from sslbench.stores.addresses import Stores, reach
from sslbench.stores.sqlite import tables
from sslbench.stores.urls import reason, sqlite_file

QUERY = text(
    """
    SELECT experiments.name, experiments.experiment_id,
        MAX(CASE WHEN tags.value IN ('trial', 'tune') THEN 1 ELSE 0 END) AS tuned
    FROM experiments JOIN runs ON runs.experiment_id = experiments.experiment_id
        LEFT JOIN tags ON tags.run_uuid = runs.run_uuid AND tags.key = 'kind'
    WHERE experiments.lifecycle_stage = 'active' AND runs.lifecycle_stage = 'active'
    GROUP BY experiments.name, experiments.experiment_id
    ORDER BY tuned, MAX(runs.start_time) DESC
    """
)


def experiments(tracking_uri: str) -> dict[str, tuple[str, bool]]:
    """Identity in MLflow of every suite with runs, and whether they are trials of tuning, by name.

    The one that ran last comes first, tuning after everything else.

    Raises:
        SQLAlchemyError: the database cannot be read, or is none of MLflow's.
    """
    engine = create_engine(tracking_uri)
    try:
        with engine.connect() as connection:
            return {name: (str(identity), bool(tuned)) for name, identity, tuned in connection.execute(QUERY)}
    finally:
        engine.dispose()


def check_runs(stores: Stores) -> None:
    """Whether there is a store with runs of a suite.

    Raises:
        InputError: there is none, or it cannot be opened.
    """
    file = sqlite_file(stores.tracking_uri)
    if file is None:
        reach("--tracking-uri", stores.tracking_uri)
        return
    try:
        found = tables(file)
    except (OSError, sqlite3.Error) as error:
        raise InputError(f"{file} cannot be opened: {reason(error)}") from error
    if "experiments" not in found:
        raise InputError(f"no runs yet in {file}; run a suite first, e.g. sslbench run quick")
