"""Encoders as models of MLflow: loaded by its own functions, ranked by what their evaluations found."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus, Run
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature, infer_signature
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, ErrorCode
from mlflow.types import Schema, TensorSpec

from sslbench.contract.errors import InputError, one_line
from sslbench.stores.addresses import Stores

EXAMPLE_FILE = "input_example.json"
DATA = "data"


def write_model(folder: Path, content: bytes, pickling: ModuleType, example: np.ndarray, width: int) -> None:
    """Write a model of MLflow's `pytorch` flavour, as `mlflow.pytorch.save_model` would in seconds.

    Args:
        content: what `pickling` reads to give back the network.
        pickling: a module to pickle with, as `torch.save` takes it.
        example: a batch `(N, ...)` that the network takes.
        width: D of the `(N, D)` it answers.
    """
    (folder / DATA).mkdir(parents=True)
    torch.save(content, folder / DATA / "model.pth", pickle_module=pickling)
    (folder / DATA / "pickle_module_info.txt").write_text(pickling.__name__, encoding="utf-8")
    (folder / EXAMPLE_FILE).write_text(json.dumps(example.tolist()), encoding="utf-8")
    needed = "\n".join(_needed("sslbench", "torch", "mlflow"))
    (folder / "requirements.txt").write_text(f"{needed}\n", encoding="utf-8")
    batch = TensorSpec(example.dtype, (-1, *example.shape[1:]))
    model = Model(
        signature=ModelSignature(Schema([batch]), Schema([TensorSpec(np.dtype(np.float32), (-1, width))])),
        saved_input_example_info={"artifact_path": EXAMPLE_FILE, "type": "ndarray"},
    )
    model.add_flavor("pytorch", model_data=DATA, pytorch_version=str(torch.__version__), code=None)
    version = platform.python_version()
    model.add_flavor("python_function", loader_module="mlflow.pytorch", data=DATA, python_version=version)
    model.save(str(folder / "MLmodel"))


def write_module(folder: Path, module: torch.nn.Module, example: np.ndarray, answer: np.ndarray) -> None:
    """Write any network as MLflow does, by pickling it.

    Args:
        example: a batch `(N, ...)`.
        answer: what the network answers to it.

    Raises:
        pickle.PicklingError, TypeError or AttributeError: it cannot be pickled.
    """
    from mlflow.pytorch import save_model  # takes a second to load, which no other command needs

    save_model(
        module,
        str(folder),
        signature=infer_signature(example, answer),
        input_example=example,
        pip_requirements=_needed("torch", "mlflow"),
        serialization_format="pickle",
    )


def _needed(*packages: str) -> list[str]:
    """Requirements of the versions that are installed."""
    return [f"{name}=={importlib.metadata.version(name)}" for name in packages]


def log_model(client: MlflowClient, run_id: str, name: str, tags: Mapping[str, str], folder: Path) -> str:
    """Make what `write_model` wrote the model of a pretraining's run, and return its id."""
    run = client.get_run(run_id)
    model = client.create_logged_model(run.info.experiment_id, name, run_id, dict(tags), model_type="encoder")
    client.log_model_artifacts(model.model_id, str(folder))
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])
    return str(model.model_id)


def model_of(run: Run) -> str | None:
    """The id of the model that a pretraining's run kept; None of runs from before there were any."""
    outputs = run.outputs.model_outputs if run.outputs else []
    return str(outputs[0].model_id) if outputs else None


def open_client(stores: Stores) -> MlflowClient:
    """MLflow's client, whose registry of models is in the same store."""
    return MlflowClient(stores.tracking_uri, stores.tracking_uri)


def find_model(client: MlflowClient, suite: str, wanted: Mapping[str, str]) -> LoggedModel:
    """The one model of a suite that has these tags; the newest where a cell was trained several times.

    Models of runs that did not end well, or are deleted, are none.

    Raises:
        InputError: there are no runs of the suite, or none or several of its models are so; the message says which.
    """
    experiment = client.get_experiment_by_name(suite)
    if experiment is None:
        raise InputError(f"no runs of suite {suite!r} yet")
    known: list[LoggedModel] = []
    token: str | None = None
    while True:
        page = client.search_logged_models([experiment.experiment_id], page_token=token)
        known += page
        token = page.token
        if not token:
            break
    known = [one for one in known if _whole(client, one)]
    found = [one for one in known if all(one.tags.get(key) == value for key, value in wanted.items())]
    newest = {_axes(one): one for one in sorted(found, key=lambda one: int(one.creation_timestamp))}
    if len(newest) != 1:
        said = ", ".join(f"{key} {value}" for key, value in wanted.items())
        names = "; ".join(sorted({_axes(one) for one in found or known}))
        raise InputError(f"{len(newest)} models of {suite} have {said}; choose one of: {names or '(none)'}")
    return next(iter(newest.values()))


def _axes(model: LoggedModel) -> str:
    return " ".join(model.tags.get(axis, "") for axis in ("dataset", "encoder", "pretext", "latent_dim", "seed"))


def _whole(client: MlflowClient, model: LoggedModel) -> bool:
    """Whether its pretraining was finished and still counts."""
    if model.source_run_id is None:
        return False
    run = client.get_run(model.source_run_id).info
    return bool(run.status == "FINISHED" and run.lifecycle_stage == "active")


def enter(client: MlflowClient, model: LoggedModel, name: str, alias: str | None) -> int:
    """Make a model the next version of `name` in the registry, and return its number.

    Raises:
        InputError: the registry refuses the name or the alias.
    """
    try:
        try:
            client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
                raise
        place, run_id = model.artifact_location, model.source_run_id
        version = client.create_model_version(name, place, run_id, model_id=model.model_id)
        if alias is not None:
            client.set_registered_model_alias(name, alias, version.version)
    except MlflowException as error:
        raise InputError(f"{name!r} cannot be registered: {one_line(str(error))}") from error
    return int(version.version)
