"""Encoders and their features, computed once: the last in a worker's memory, all on disk for the other workers."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

import torch
from filelock import FileLock
from safetensors import SafetensorError
from safetensors.torch import load, load_file, save_file

from sslbench.contract.cells import EvaluateCell, PretrainCell
from sslbench.contract.errors import one_line
from sslbench.contract.identity import digest
from sslbench.datasets._base import Dataset
from sslbench.encoders import ENCODERS
from sslbench.encoders._base import Encoder
from sslbench.engine.evaluate import Features, extract, sees_features
from sslbench.modalities import modality_of
from sslbench.stores.addresses import Stores
from sslbench.stores.runs import ENCODER_FILE, ArtifactLost
from sslbench.stores.tracker import Tracker


def features_folder(stores: Stores, suite: str) -> Path:
    """Where a suite keeps features: its own folder, because who ends it takes it away."""
    return stores.features / suite


class FeatureCache:
    """A worker's encoders and features.

    Args:
        folder: of the suite.
        tracker: where encoders of finished pretrainings are.
    """

    def __init__(self, folder: Path, tracker: Tracker, device: torch.device) -> None:
        self.folder, self.tracker, self.device = folder, tracker, device
        self.recent: tuple[tuple[str, str], Encoder, Mapping[str, Features]] | None = None

    def forget(self) -> None:
        """Free the memory, which a training has use for."""
        self.recent = None

    def extract(
        self, cell: PretrainCell, encoder: Encoder, dataset: Dataset, readings: Collection[str]
    ) -> Mapping[str, Features]:
        """Keep a new encoder and its features of the dataset it was trained on, by reading."""
        features = extract(encoder, dataset, self.device, readings)
        self._keep((cell.cell_id, dataset.name), encoder, features)
        return features

    def load(
        self, cell: EvaluateCell, dataset: Dataset, run_id: str, readings: Collection[str]
    ) -> tuple[Encoder, Features | None]:
        """An evaluation's encoder and, if its protocol sees them, features: from memory, from disk, or computed.

        Args:
            run_id: of the pretraining.
            readings: that evaluations of this encoder ask for: one pass serves them all.

        Raises:
            ArtifactLost: the encoder is gone or damaged.
        """
        key, wanted = (cell.pretrain.cell_id, dataset.name), sees_features(cell.protocol)
        if self.recent is not None and self.recent[0] == key and (cell.reading in self.recent[2] or not wanted):
            return self.recent[1], self.recent[2].get(cell.reading) if wanted else None
        encoder = ENCODERS.get(cell.pretrain.encoder)(dataset.input_spec, cell.pretrain.latent_dim)
        try:
            encoder.load_state_dict(load(self.tracker.encoder(run_id)))
        except (SafetensorError, RuntimeError) as error:
            raise ArtifactLost(f"{ENCODER_FILE} of run {run_id}: {one_line(str(error))}") from error
        encoder.to(memory_format=modality_of(dataset.input_spec).memory_format).to(self.device)
        if not wanted:
            self.recent = (key, encoder, {})
            return encoder, None
        path = self._path(key)
        with FileLock(f"{path}.lock"):
            features = self._stored(path)
            if cell.reading in features:
                self.recent = (key, encoder, features)
            else:  # nobody's yet, or those of a part of the suite that needed fewer
                features = {**features, **extract(encoder, dataset, self.device, readings)}
                self._keep(key, encoder, features)
        return encoder, features[cell.reading]

    def _stored(self, path: Path) -> dict[str, Features]:
        """Features by reading as a worker left them on disk; none if none did."""
        try:
            stored = load_file(path, device=str(self.device))
        except (OSError, SafetensorError):
            return {}
        known = {name.partition(".")[0] for name in stored}
        return {name: Features(stored[f"{name}.train"], stored[f"{name}.test"]) for name in known}

    def _keep(self, key: tuple[str, str], encoder: Encoder, features: Mapping[str, Features]) -> None:
        """Remember features here and on disk for the other workers; the file appears whole or not at all.

        Where it cannot be written nothing is lost: whoever ends a part of the suite may take the folder away.

        Args:
            key: the pretraining's identity and the dataset's.
            features: by reading; none where no protocol sees any.
        """
        self.recent = (key, encoder, features)
        if features:
            path = self._path(key)
            unfinished = path.with_suffix(f".{os.getpid()}")
            train = {f"{reading}.train": found.train.contiguous() for reading, found in features.items()}
            test = {f"{reading}.test": found.test.contiguous() for reading, found in features.items()}
            with suppress(OSError, SafetensorError):
                path.parent.mkdir(parents=True, exist_ok=True)
                save_file({**train, **test}, unfinished)
                unfinished.replace(path)

    def _path(self, key: tuple[str, str]) -> Path:
        return self.folder / f"{digest(key)}.safetensors"
