"""What every dataset promises."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
import torch

from sslbench.datasets import DATASETS, default_root, load
from sslbench.datasets._base import Dataset
from sslbench.modalities import modality_of
from sslbench.testing._contract import Contract


class DatasetContract(Contract):
    """Tests of `names` in the registry `DATASETS`."""

    @pytest.fixture
    def root(self) -> Path:
        """The data folder: the person's own, so that nothing is downloaded anew; override it for another."""
        return default_root()

    @pytest.fixture
    def dataset(self, name: str, root: Path) -> Dataset:
        """The dataset under test."""
        return load(name, root)

    def test_its_identity_is_its_name(self, name: str, dataset: Dataset) -> None:
        """Records carry it; a path or a version would keep two machines from comparing theirs."""
        assert dataset.name == name
        assert re.fullmatch(r"[A-Za-z0-9_-]+", name)

    def test_inputs_are_stored_as_its_modality_says(self, dataset: Dataset) -> None:
        modality = modality_of(dataset.input_spec)
        for inputs in (dataset.train_inputs, dataset.test_inputs, dataset.unlabelled_inputs):
            assert len(inputs)
            assert inputs.dtype == modality.stored
            assert inputs.shape[1:] == dataset.input_spec.shape
            assert inputs.is_contiguous()
            assert inputs.device.type == "cpu"

    def test_every_input_has_a_label_and_every_label_a_class(self, dataset: Dataset) -> None:
        assert len(dataset.classes) == len(set(dataset.classes)) >= 2
        for inputs, labels in (
            (dataset.train_inputs, dataset.train_labels),
            (dataset.test_inputs, dataset.test_labels),
        ):
            assert labels.dtype == torch.int64
            assert labels.shape == (len(inputs),)
            assert 0 <= int(labels.min()) <= int(labels.max()) < len(dataset.classes)

    def test_it_loads_again_to_the_same_digest(self, name: str, dataset: Dataset, root: Path) -> None:
        again = load(name, root)
        assert re.fullmatch(r"[0-9a-f]{16}", dataset.digest)
        assert again.digest == dataset.digest
        assert again.input_spec == dataset.input_spec
        for split in ("train_inputs", "train_labels", "test_inputs", "test_labels", "unlabelled_inputs"):
            assert torch.equal(vars(again)[split], vars(dataset)[split]), split

    def test_once_it_is_there_no_network_is_needed(
        self, name: str, dataset: Dataset, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*arguments: object, **options: object) -> None:
            raise AssertionError(f"dataset {name!r} asked for the network although its files lie in {root}")

        for way in ("create_connection", "getaddrinfo"):
            monkeypatch.setattr(socket, way, refuse)
        monkeypatch.setattr(socket.socket, "connect", refuse)
        assert load(name, root).digest == dataset.digest

    def test_views_can_be_made_of_its_inputs(self, dataset: Dataset) -> None:
        modality, policy = modality_of(dataset.input_spec), dataset.input_spec.views
        batch = modality.batch(dataset.train_inputs[:8])
        for make in (modality.mild_view, modality.contrastive_view):
            assert make(batch, policy).shape == batch.shape

    def test_the_listing_has_a_summary_of_one_line(self, name: str) -> None:
        assert DATASETS.summary(name).endswith(".")
