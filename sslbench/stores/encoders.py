"""What a pretraining kept, read from any suite's runs."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from sslbench.contract.errors import InputError
from sslbench.stores.addresses import Stores
from sslbench.stores.moved import follow_artifacts
from sslbench.stores.runs import ENCODER_DIGEST, ENCODER_FILE, digest_of
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
            content = Path(client.download_artifacts(run_id, ENCODER_FILE, folder)).read_bytes()
    except (MlflowException, OSError) as error:
        raise InputError(f"run {run_id} of {shown(stores.tracking_uri)} has no encoder: {reason(error)}") from error
    if tags.get(ENCODER_DIGEST, digest_of(content)) != digest_of(content):
        raise InputError(f"run {run_id} of {shown(stores.tracking_uri)}: {ENCODER_FILE} is damaged")
    return content, tags
