"""What a pretraining kept, read from any suite's runs."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from sslbench.contract.spec import InputError
from sslbench.stores.addresses import Stores
from sslbench.stores.moved import follow_artifacts
from sslbench.stores.tracker import ENCODER_FILE
from sslbench.stores.urls import reason, shown


def encoder_of(stores: Stores, run_id: str) -> tuple[bytes, dict[str, str]]:
    """The weights that a pretraining of any suite kept, and the tags of its run.

    Raises:
        InputError: the store has no such run, or the run no encoder.
    """
    follow_artifacts(stores.tracking_uri, stores.artifact_root)
    client = MlflowClient(stores.tracking_uri)
    try:
        tags = dict(client.get_run(run_id).data.tags)
        with tempfile.TemporaryDirectory() as folder:
            return Path(client.download_artifacts(run_id, ENCODER_FILE, folder)).read_bytes(), tags
    except (MlflowException, OSError) as error:
        raise InputError(f"run {run_id} of {shown(stores.tracking_uri)} has no encoder: {reason(error)}") from error
