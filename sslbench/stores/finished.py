"""Which cells are done, read from MLflow's tables in one query.

`search_runs` builds an object for every tag, parameter and metric of every run, which takes seconds per thousand runs.
Planning needs one tag of each, and asks at every start of a process.
"""

from __future__ import annotations

from functools import cache

from sqlalchemy import Engine, TextClause, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from sslbench.contract.files import is_file
from sslbench.stores.urls import sqlite_file

QUERY = """
    SELECT tags.value, runs.run_uuid
    FROM runs JOIN tags ON tags.run_uuid = runs.run_uuid AND tags.key = 'cell_id'
    WHERE {experiment} AND runs.status = 'FINISHED' AND runs.lifecycle_stage = 'active'
    ORDER BY runs.start_time, runs.run_uuid
    """
BY_ID = text(QUERY.format(experiment="runs.experiment_id = :of"))
BY_NAME = text(QUERY.format(experiment="runs.experiment_id = (SELECT experiment_id FROM experiments WHERE name = :of)"))


def finished_cells(tracking_uri: str, experiment_id: str) -> dict[str, str] | None:
    """Identity of every finished cell of an experiment, and the id of its first run.

    Returns:
        None where the tables cannot be read: behind a server, or laid out differently by another MLflow.
    """
    return _read(tracking_uri, BY_ID, int(experiment_id))


def finished_of(tracking_uri: str, suite: str) -> dict[str, str] | None:
    """The same of the experiment of that name, without MLflow, whose start takes seconds; nothing is created.

    Returns:
        nothing where there is no such experiment or no file yet; None where the tables cannot be read.
    """
    file = sqlite_file(tracking_uri)
    if file is not None and not is_file(file):
        return {}
    return _read(tracking_uri, BY_NAME, suite)


def _read(tracking_uri: str, query: TextClause, of: int | str) -> dict[str, str] | None:
    if tracking_uri.startswith("http"):
        return None
    try:
        with _engine(tracking_uri).connect() as connection:
            rows = connection.execute(query, {"of": of}).all()
    except SQLAlchemyError:
        return None
    done: dict[str, str] = {}
    for cell_id, run_id in rows:
        done.setdefault(cell_id, run_id)
    return done


@cache
def _engine(tracking_uri: str) -> Engine:
    return create_engine(tracking_uri)
