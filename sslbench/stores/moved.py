"""A home that was moved or copied finds its artifacts: MLflow keeps their place as a full path in its tables."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from sslbench.contract.errors import InputError
from sslbench.stores.sqlite import tables
from sslbench.stores.urls import sqlite_file

KNOWN = "SELECT experiment_id, artifact_location, name FROM experiments"
EXPERIMENT = "UPDATE experiments SET artifact_location = :here WHERE experiment_id = :identity"
INSIDE = (
    "UPDATE {table} SET {place} = :here || substr({place}, length(:there) + 1) "
    "WHERE experiment_id = :identity AND substr({place}, 1, length(:there)) = :there"
)
RUNS = INSIDE.format(table="runs", place="artifact_uri")
MODELS = INSIDE.format(table="logged_models", place="artifact_location")

#: Of the registry, which is one for all experiments.
VERSIONS = (
    "UPDATE model_versions SET {place} = :here || substr({place}, length(:there) + 1) "
    "WHERE substr({place}, 1, length(:there) + 1) = :there || '/'"
)


def follow_artifacts(tracking_uri: str, artifact_root: Path | None) -> None:
    """Have the runs of a database look for artifacts beside it, if that is where they were when it lay elsewhere.

    A database on a server or away from the artifacts may serve several homes and is left alone, and so is what a person
    told MLflow to keep in another place.

    Args:
        artifact_root: folder of artifacts of this home.

    Raises:
        InputError: the database cannot be read or written.
    """
    file = None if tracking_uri.startswith("http") else sqlite_file(tracking_uri)
    if file is None or artifact_root is None or file.parent != artifact_root.parent:
        return
    try:
        known = tables(file)
        if "experiments" not in known:
            return
        updates = [EXPERIMENT, RUNS, *([MODELS] if "logged_models" in known else [])]
        updates += [VERSIONS.format(place=place) for place in ("source", "storage_location")]
        with closing(sqlite3.connect(file, timeout=60)) as connection, connection:
            for identity, there, name in connection.execute(KNOWN).fetchall():
                folder = (artifact_root / name).resolve()
                here = folder.as_uri()
                alike = (there or "").split("/")[-2:] == here.split("/")[-2:]
                if alike and there != here and (folder.is_dir() or _gone(there)):
                    for update in updates:
                        connection.execute(update, {"here": here, "there": there, "identity": identity})
    except (OSError, sqlite3.Error) as error:
        raise InputError(f"{file} cannot be opened: {error}") from error


def _gone(place: str) -> bool:
    """Whether the home whose folder of artifacts this is lies there no more: nothing was logged, and it was moved."""
    from urllib.request import url2pathname  # brings HTTP and e-mail along, which `--help` can do without

    return not Path(url2pathname(urlsplit(place).path)).parents[1].is_dir()
