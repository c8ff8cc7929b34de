"""Encoders and their features, computed once: the last in a worker's memory, all on disk for the other workers."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from filelock import FileLock
from safetensors.torch import load, load_file, save_file

from sslbench.contract.identity import digest
from sslbench.contract.spec import EvaluateCell, PretrainCell
from sslbench.datasets._base import Dataset
from sslbench.encoders import ENCODERS
from sslbench.encoders._base import Encoder
from sslbench.engine.evaluate import Features, extract, sees_features
from sslbench.modalities import modality_of
from sslbench.stores.addresses import Stores
from sslbench.stores.tracker import Tracker


def features_folder(stores: Stores, suite: str) -> Path:
    """Where a suite keeps features: its own folder, because who ends first takes it away."""
    return stores.features / suite


class FeatureCache:
    """A worker's encoders and features.

    Args:
        folder: of the suite.
        tracker: where encoders of finished pretrainings are.
    """

    def __init__(self, folder: Path, tracker: Tracker, device: torch.device) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.tracker, self.device = folder, tracker, device
        self.recent: tuple[tuple[str, str], Encoder, Features | None] | None = None

    def forget(self) -> None:
        """Free the memory, which a training has use for."""
        self.recent = None

    def extract(self, cell: PretrainCell, encoder: Encoder, dataset: Dataset, *, wanted: bool) -> Features | None:
        """Keep a new encoder and its features of the dataset it was trained on; None if nobody wants any."""
        features = extract(encoder, dataset, self.device) if wanted else None
        self._keep((cell.cell_id, dataset.name), encoder, features)
        return features

    def load(self, cell: EvaluateCell, dataset: Dataset, run_id: str) -> tuple[Encoder, Features | None]:
        """An evaluation's encoder and, if its protocol sees them, features: from memory, from disk, or computed.

        Args:
            run_id: of the pretraining.
        """
        key, wanted = (cell.pretrain.cell_id, dataset.name), sees_features(cell)
        if self.recent is not None and self.recent[0] == key and (self.recent[2] is not None or not wanted):
            return self.recent[1], self.recent[2]
        encoder = ENCODERS.get(cell.pretrain.encoder)(dataset.input_spec, cell.pretrain.latent_dim)
        encoder.load_state_dict(load(self.tracker.artifact(run_id, "encoder.safetensors")))
        encoder.to(memory_format=modality_of(dataset.input_spec).memory_format).to(self.device)
        if not wanted:
            self.recent = (key, encoder, None)
            return encoder, None
        path = self._path(key)
        with FileLock(f"{path}.lock"):
            if path.exists():
                stored = load_file(path, device=str(self.device))
                features = Features(stored["train"], stored["test"])
                self.recent = (key, encoder, features)
            else:
                features = extract(encoder, dataset, self.device)
                self._keep(key, encoder, features)
        return encoder, features

    def _keep(self, key: tuple[str, str], encoder: Encoder, features: Features | None) -> None:
        """Remember features here and on disk for the other workers; the file appears whole or not at all.

        Args:
            key: the pretraining's identity and the dataset's.
            features: None where no protocol sees any.
        """
        self.recent = (key, encoder, features)
        if features is not None:
            path = self._path(key)
            unfinished = path.with_suffix(f".{os.getpid()}")
            save_file({"train": features.train.contiguous(), "test": features.test.contiguous()}, unfinished)
            unfinished.replace(path)

    def _path(self, key: tuple[str, str]) -> Path:
        return self.folder / f"{digest(key)}.safetensors"
