"""An encoder of one's own as a model of MLflow, so that its evaluations rank it among the others."""

from __future__ import annotations

import pickle
import tempfile
import warnings
from pathlib import Path

import torch
from torch import nn

from sslbench.api.asked import Asked
from sslbench.api.own import OWN, OwnEncoder
from sslbench.modalities import modality_of
from sslbench.stores.models import write_module
from sslbench.stores.tracker import Tracker
from sslbench.sweep.trainer import log_model


def keep_model(tracker: Tracker, run_id: str, asked: Asked) -> str | None:
    """Make an encoder the model of its run, loaded by `mlflow.pytorch.load_model`; returns its id.

    One of sslbench's own architectures is kept as pretraining keeps it, any other module as MLflow does, by pickling.

    Returns:
        None where no module was given, or one that cannot be pickled, which a warning says.
    """
    network = asked.network
    if network is not None and asked.own.encoder != OWN:
        return log_model(tracker, run_id, asked.own, network, asked.data)
    module = network.function if isinstance(network, OwnEncoder) else network
    if not isinstance(module, nn.Module):
        return None
    with tempfile.TemporaryDirectory() as folder:
        try:
            _write(module, asked, Path(folder))
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            warnings.warn(f"MLflow keeps no model of {asked.own.pretext!r}: {error}", stacklevel=2)
            return None
        return tracker.log_model(run_id, asked.own, Path(folder))


def _write(module: nn.Module, asked: Asked, folder: Path) -> None:
    """Write it with one input as its example, and what it answers to it."""
    batch = modality_of(asked.data.input_spec).batch(asked.data.test_inputs[:1])
    with torch.inference_mode():
        features = torch.as_tensor(module(batch.to(asked.device)))
    write_module(folder, module, batch.numpy(), features.cpu().numpy())
