"""A dataset as MLflow shows it among the inputs of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Protocol

from mlflow.entities import Dataset as RunDataset

from sslbench.contract.spec import InputSpec


class Described(Protocol):
    """What MLflow is told of a dataset; `sslbench.datasets._base.Dataset` fits."""

    @property
    def name(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def input_spec(self) -> InputSpec: ...
    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def sizes(self) -> Mapping[str, int]: ...


def describe(dataset: Described) -> RunDataset:
    """The dataset as MLflow shows it among a run's inputs."""
    profile = {**dataset.sizes, "classes": len(dataset.classes)}
    shape = json.dumps({"input": list(dataset.input_spec.shape), "classes": list(dataset.classes)})
    return RunDataset(dataset.name, dataset.digest, "sslbench", dataset.source, shape, json.dumps(profile))
