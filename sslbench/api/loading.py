"""Encoders that were trained, ready to be called, and what there is to load and to choose from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as parse_weights

from sslbench.api.tables import records_file
from sslbench.contract.errors import InputError
from sslbench.contract.files import is_file
from sslbench.contract.registry import Registry
from sslbench.datasets import COLLECTIONS, DATASETS, OWN, default_root, is_own, load
from sslbench.datasets._base import Dataset
from sslbench.encoders import ENCODERS
from sslbench.encoders._base import Encoder
from sslbench.pretexts import PRETEXTS
from sslbench.publishing.encoders import shipped
from sslbench.report.records import read_records
from sslbench.stores.addresses import locate
from sslbench.stores.encoders import encoder_of

_RUN_ID = re.compile("[0-9a-f]{32}")


def load_dataset(name: str, data_root: str | Path | None = None) -> Dataset:
    """A dataset by name, acquired if it is missing; `folder:PATH` and the like are one's own.

    Args:
        data_root: folder of datasets; None for `$SSLBENCH_DATA` or a cache folder.

    Raises:
        InputError: unknown name, or files that cannot be had.
    """
    return load(name, default_root() if data_root is None else Path(data_root))


def list_datasets() -> dict[str, str]:
    """What each dataset is, by name; `ucr:NAME` and `folder:PATH` stand for many."""
    collections = {f"{name}:NAME": COLLECTIONS.summary(name) for name in COLLECTIONS}
    return {**_summaries(DATASETS), **collections, **{f"{name}:PATH": OWN.summary(name) for name in OWN}}


def list_pretexts() -> dict[str, str]:
    """What each pretext, or baseline beside them, is, by name."""
    return _summaries(PRETEXTS)


def _summaries(registry: Registry[Any]) -> dict[str, str]:
    return {name: registry.summary(name) for name in registry}


def load_encoder(
    source: str | Path,
    *,
    pretext: str | None = None,
    architecture: str | None = None,
    latent_dim: int = 128,
    dataset: str | None = None,
    home: str | Path | None = None,
    data_root: str | Path | None = None,
) -> Encoder:
    """A trained encoder in evaluation mode: call it with a batch, `(N, C, H, W)` from 0 to 1 for images.

    Args:
        source: a published suite or folder of results that ships encoders; or the id of a pretraining's MLflow run; or
            a `.safetensors` file of weights.
        pretext: whose encoder of a published table; may be left out if it ships one.
        architecture: of a file of weights: which encoder they are for; of a table that ships several: which.
        latent_dim: of a file of weights.
        dataset: of a file of weights, and where a run was trained on files of one's own, e.g. `folder:PATH`: whose
            inputs the encoder takes; of a table that ships several: trained on which.
        home: folder of stores that has the run; None for `$SSLBENCH_HOME` or `.sslbench`.
        data_root: folder of datasets, which say what inputs look like.

    Raises:
        InputError: there is no such encoder; the message says what there is.
    """
    text = str(source)
    if text.endswith(".safetensors"):
        if not is_file(Path(text)):
            raise InputError(f"there is no file {text}")
        if architecture is None or dataset is None:
            raise InputError(f"{text} holds weights alone: say architecture (e.g. conv), latent_dim and dataset")
        return _built(Path(text).read_bytes(), architecture, latent_dim, dataset, data_root, text)
    if _RUN_ID.fullmatch(text):
        stores = locate(None if home is None else Path(home))
        weights, tags = encoder_of(stores, text)
        trained_on = dataset or tags["pretrain_dataset"] or tags["dataset"]
        if is_own(trained_on) and dataset is None:
            raise InputError(f"run {text} was trained on {trained_on}: say dataset (--made-for), e.g. folder:PATH")
        return _built(weights, tags["encoder"], int(tags["latent_dim"]), trained_on, data_root, f"run {text}")
    file = records_file(source)
    found = read_records(file)
    trained = found[(found["split"] == "unlabelled") & (found["pretrain_steps"] > 0)].drop_duplicates("cell_id")
    ships = trained[[shipped(file.parent, cell_id) is not None for cell_id in trained["cell_id"]]]
    said = {"pretext": pretext, "encoder": architecture, "dataset": dataset}
    wanted = ships
    for column, value in said.items():
        wanted = wanted if value is None else wanted[wanted[column] == value]
    if len(wanted) != 1:
        asked = ", ".join(f"{column} {value!r}" for column, value in said.items() if value is not None) or "none named"
        lines = zip(ships["pretext"], ships["encoder"], ships["dataset"], strict=True)
        known = "; ".join(f"{task} ({kind} on {place})" for task, kind, place in sorted(lines)) or "(none)"
        raise InputError(f"{file.parent} ships encoders of pretexts {known}; choose one of them, not {asked}")
    row = wanted.iloc[0]
    weights = shipped(file.parent, row["cell_id"]) or b""
    trained_on = row["pretrain_dataset"] or row["dataset"]
    return _built(weights, row["encoder"], int(row["latent_dim"]), trained_on, data_root, f"{pretext} of {file.parent}")


def _built(
    weights: bytes, architecture: str, latent_dim: int, dataset: str, data_root: str | Path | None, whose: str
) -> Encoder:
    spec = load_dataset(dataset, data_root).input_spec
    kind = ENCODERS.get(architecture)
    if kind.modality not in (None, spec.modality):
        raise InputError(
            f"{architecture} takes inputs of modality {kind.modality!r}, and {dataset!r} has {spec.modality}s"
        )
    widest = kind.max_latent_dim(spec)
    if not 1 <= latent_dim <= widest:
        raise InputError(f"latent_dim of {architecture} must be 1 to {widest:,}, not {latent_dim}")
    encoder = kind(spec, latent_dim)
    try:
        encoder.load_state_dict(parse_weights(weights))
    except (SafetensorError, RuntimeError) as error:
        said = str(error).strip().split("\n")[-1].strip()
        raise InputError(
            f"weights of {whose} do not fit {architecture} with latent size {latent_dim}: {said}"
        ) from error
    return encoder.eval()
