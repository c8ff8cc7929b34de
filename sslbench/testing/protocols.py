"""What every protocol promises, the rules of honesty first."""

from __future__ import annotations

import copy
import dataclasses
from typing import ClassVar

import pytest
import torch

from sslbench.contract.cells import EvaluateCell, PretrainCell
from sslbench.contract.spec import PretextConfig, ProtocolConfig, ViewPolicy
from sslbench.datasets._base import Dataset, Split, assembled
from sslbench.encoders import ENCODERS
from sslbench.encoders._base import Encoder
from sslbench.engine.budget import LabelBudget, draw_budget
from sslbench.engine.evaluate import Features, evaluate, extract, predict, sees_features
from sslbench.modalities import MODALITIES
from sslbench.protocols import PROTOCOLS
from sslbench.protocols._base import FrozenProtocol, Prediction, TrainedProtocol
from sslbench.testing._contract import Contract, same

CPU = torch.device("cpu")
CLASSES, TRAIN, TEST = 3, 48, 24
FRACTIONS = (0.01, 0.5, 1.0)  # a label per class, half of them, all
LACKING = ((0, 1, 0), (2, 0, 0), (0, 6, 5), (7, 0, 1))  # labels of every class, where some have none


class ProtocolContract(Contract):
    """Tests of `names` in the registry `PROTOCOLS`, each on a small made-up dataset as the engine would ask it.

    Attributes:
        modality, encoder: what the dataset is made of and what represents it.
    """

    modality: ClassVar[str] = "image"
    encoder: ClassVar[str] = "mlp"

    def config(self, name: str) -> ProtocolConfig:
        """The settings that are tried; override it for a protocol whose own take long."""
        return PROTOCOLS.get(name).Config()

    @pytest.fixture
    def dataset(self) -> Dataset:
        """What the protocol is asked about."""
        return self.made_up()

    def made_up(self) -> Dataset:
        """Inputs and labels that have nothing to do with each other."""
        modality = MODALITIES.get(self.modality)()
        inputs = modality.made_up(modality.examples[0], TRAIN + TEST, 3)
        labels = torch.randperm(TRAIN + TEST, generator=torch.Generator().manual_seed(4)) % CLASSES
        train, test = Split(inputs[:TRAIN], labels[:TRAIN]), Split(inputs[TRAIN:], labels[TRAIN:])
        classes = tuple(f"class {number}" for number in range(CLASSES))
        dataset = assembled("made_up", self.modality, classes, ViewPolicy(), train, test, "made up")
        return dataclasses.replace(dataset, input_spec=modality.examples[0])

    @pytest.fixture
    def untrained(self, dataset: Dataset) -> Encoder:
        """The encoder that is asked about, untrained."""
        torch.manual_seed(0)
        return ENCODERS.get(self.encoder)(dataset.input_spec, 8)

    def cell(self, name: str, fraction: float) -> EvaluateCell:
        """An evaluation by the protocol."""
        pretrain = PretrainCell("made_up", self.encoder, "random_init", 8, 0, 0.0, None, PretextConfig())
        return EvaluateCell(pretrain, "made_up", fraction, 0, name, self.config(name))

    def ask(
        self,
        name: str,
        dataset: Dataset,
        encoder: Encoder,
        fraction: float,
        budget: LabelBudget | None = None,
        features: Features | None = None,
    ) -> Prediction:
        """What the protocol answers for the test inputs, on the budget of the dataset unless another is given."""
        cell = self.cell(name, fraction)
        budget = budget or draw_budget("made_up", dataset.train_labels, fraction, 0)
        return predict(cell, dataset, encoder, features or self.features(name, dataset, encoder), budget, CPU)[0]

    def features(self, name: str, dataset: Dataset, encoder: Encoder) -> Features | None:
        """The features that the engine would hand to the protocol."""
        return extract(encoder, dataset, CPU)["latent"] if sees_features(name) else None

    def test_it_is_either_frozen_or_trained(self, name: str) -> None:
        kind = PROTOCOLS.get(name)
        assert issubclass(kind, FrozenProtocol) != issubclass(kind, TrainedProtocol)
        assert dataclasses.is_dataclass(kind.Config)

    @pytest.mark.parametrize("fraction", FRACTIONS)
    def test_it_answers_a_class_for_every_test_input(
        self, name: str, dataset: Dataset, untrained: Encoder, fraction: float
    ) -> None:
        prediction = self.ask(name, dataset, untrained, fraction)
        assert (prediction.labels.dtype, prediction.labels.shape) == (torch.int64, (TEST,))
        assert 0 <= int(prediction.labels.min()) <= int(prediction.labels.max()) < CLASSES
        # NaN would read as a failed cell in the study: what a budget cannot tell is None
        assert prediction.budget_score is None or 0 <= prediction.budget_score <= 1
        assert all(isinstance(value, float | int) for value in prediction.details.values())
        assert prediction.training_flops >= 0

    @pytest.mark.parametrize("counts", LACKING)
    def test_a_class_may_be_missing(
        self, name: str, dataset: Dataset, untrained: Encoder, counts: tuple[int, ...]
    ) -> None:
        """As it may be where the labelled inputs are drawn at random."""
        members = [(dataset.train_labels == label).nonzero().flatten() for label in range(CLASSES)]
        indices = torch.cat([of[:count] for of, count in zip(members, counts, strict=True)]).sort().values
        prediction = self.ask(name, dataset, untrained, 0.1, LabelBudget(indices, "chosen"))
        assert set(prediction.labels.tolist()) <= set(range(CLASSES))
        assert prediction.labels.shape == (TEST,)
        assert prediction.budget_score is None or 0 <= prediction.budget_score <= 1
        assert len(indices) > 1 or prediction.budget_score != 0, "nothing was held out of one label: no score"

    @pytest.mark.parametrize("fraction", FRACTIONS[:2])
    def test_labels_outside_the_budget_change_nothing(
        self, name: str, dataset: Dataset, untrained: Encoder, fraction: float
    ) -> None:
        """Neither do the inputs outside it, nor what they are represented by."""
        budget = draw_budget("made_up", dataset.train_labels, fraction, 0)
        outside = torch.ones(TRAIN, dtype=torch.bool)
        outside[budget.indices] = False
        labels, inputs = dataset.train_labels.clone(), dataset.train_inputs.clone()
        labels[outside] = (labels[outside] + 1) % CLASSES
        inputs[outside] = inputs[outside].flip(0)
        other = dataclasses.replace(dataset, train_labels=labels, train_inputs=inputs)
        features = self.features(name, dataset, untrained)
        if features is not None:
            features.train[outside] = float("nan")
        first = self.ask(name, dataset, untrained, fraction, budget)
        assert_same(first, self.ask(name, other, untrained, fraction, budget, features))

    def test_test_labels_change_the_score_and_nothing_else(
        self, name: str, dataset: Dataset, untrained: Encoder
    ) -> None:
        other = dataclasses.replace(dataset, test_labels=(dataset.test_labels + 1) % CLASSES)
        answers = self.ask(name, dataset, untrained, 0.5)
        assert_same(answers, self.ask(name, other, untrained, 0.5))
        features, cell = self.features(name, dataset, untrained), self.cell(name, 0.5)
        for data in (dataset, other):
            outcome = evaluate(cell, data, untrained, features, CPU)
            assert outcome.accuracy == float((answers.labels == data.test_labels).double().mean())
            assert outcome.details == answers.details

    def test_it_follows_the_seed_of_the_cell_and_no_other(
        self, name: str, dataset: Dataset, untrained: Encoder
    ) -> None:
        torch.manual_seed(1)
        first, state = self.ask(name, dataset, untrained, 0.5), torch.random.get_rng_state()
        torch.manual_seed(2)
        assert_same(first, self.ask(name, dataset, untrained, 0.5))
        torch.manual_seed(1)
        assert torch.equal(state, torch.random.get_rng_state()), "random numbers of a training are used up"

    def test_it_changes_nothing_it_is_given(self, name: str, dataset: Dataset, untrained: Encoder) -> None:
        for fraction in (0.5, 1.0):  # of all labels the engine hands out the tensors themselves, of some a copy
            features = self.features(name, dataset, untrained)
            given = {**_tensors(dataset), **({} if features is None else vars(features))}
            before, weights = copy.deepcopy(given), copy.deepcopy(untrained.state_dict())
            self.ask(name, dataset, untrained, fraction, features=features)
            assert same(given, before)
            assert same(untrained.state_dict(), weights)


def _tensors(dataset: Dataset) -> dict[str, torch.Tensor]:
    return {name: value for name, value in vars(dataset).items() if isinstance(value, torch.Tensor)}


def assert_same(first: Prediction, second: Prediction) -> None:
    """Fail unless two predictions agree in everything a protocol says of its answers."""
    assert torch.equal(first.labels, second.labels)
    assert first.details == second.details
    assert first.training_flops == second.training_flops
    assert first.budget_score == second.budget_score
