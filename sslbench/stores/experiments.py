"""Which suites a store has runs of, read from MLflow's tables without starting MLflow."""

from __future__ import annotations

from sqlalchemy import create_engine, text

QUERY = text(
    """
    SELECT experiments.name, experiments.experiment_id
    FROM experiments JOIN runs ON runs.experiment_id = experiments.experiment_id
    WHERE experiments.lifecycle_stage = 'active' AND runs.lifecycle_stage = 'active'
    GROUP BY experiments.name, experiments.experiment_id
    ORDER BY MAX(runs.start_time) DESC
    """
)


def experiments(tracking_uri: str) -> dict[str, str]:
    """Identity in MLflow of every suite with runs, by name, the one that ran last first.

    Raises:
        SQLAlchemyError: the database cannot be read, or is none of MLflow's.
    """
    engine = create_engine(tracking_uri)
    try:
        with engine.connect() as connection:
            return {name: str(identity) for name, identity in connection.execute(QUERY)}
    finally:
        engine.dispose()
