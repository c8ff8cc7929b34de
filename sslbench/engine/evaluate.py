"""Encoder -> features, once -> protocols on label budgets -> accuracy."""

from __future__ import annotations

import copy
import time
from collections.abc import Collection
from dataclasses import dataclass

import torch

from sslbench.contract.cells import EvaluateCell
from sslbench.contract.identity import named_seed
from sslbench.contract.spec import READINGS, InputSpec
from sslbench.datasets._base import Dataset
from sslbench.encoders import ENCODERS
from sslbench.encoders._base import INFERENCE_BATCH, Encoder
from sslbench.engine.budget import LabelBudget, draw_budget, draw_unseen
from sslbench.engine.pretrain import flops_of
from sslbench.modalities import modality_of
from sslbench.numerics.flops import counted
from sslbench.numerics.randomness import island
from sslbench.pretexts import PRETEXTS
from sslbench.protocols import PROTOCOLS
from sslbench.protocols._base import USUAL, Effort, FrozenProtocol, Prediction, TrainedProtocol


@dataclass(frozen=True)
class Features:
    """What an encoder says of both splits at one reading, float32 `(N, D)`, in the order of the dataset."""

    train: torch.Tensor
    test: torch.Tensor


@dataclass(frozen=True)
class Outcome:
    """What one evaluation found.

    Attributes:
        answers: int64 `(N,)`, the predicted class of every test input, in the order of the dataset.
        right: bool `(N,)`, which of them are.
        budget_score: the protocol's own measure inside the label budget, in [0, 1]; None where there is none.
        seconds: of learning and answering; features are not counted, they serve every cell of an encoder.
        flops: floating-point operations of the network: its training, if the protocol trains it, and its
            representations of the test inputs and, if it does not, of the budget's. What a probe solves is not counted.
    """

    answers: torch.Tensor
    right: torch.Tensor
    budget_score: float | None
    budget: LabelBudget
    seconds: float
    flops: float
    details: dict[str, float]

    @property
    def accuracy(self) -> float:
        """Share of test inputs answered rightly, in [0, 1]."""
        return int(self.right.sum()) / len(self.right)


def sees_features(protocol: str) -> bool:
    """Whether a protocol looks at features; the others train on the inputs themselves."""
    return issubclass(PROTOCOLS.get(protocol), FrozenProtocol)


def represent(
    encoder: Encoder, inputs: torch.Tensor, device: torch.device, readings: Collection[str] = READINGS[:1]
) -> dict[str, torch.Tensor]:
    """Features `(N, D)` by reading of inputs as a dataset stores them, in evaluation mode, on `device`."""
    was_training, modality = encoder.training, modality_of(encoder.input_spec)
    encoder.eval()
    # Made outside of inference mode, so that protocols may differentiate; filled in place, so that they exist once.
    features: dict[str, torch.Tensor] = {}
    for start in range(0, len(inputs), INFERENCE_BATCH):
        with torch.inference_mode():
            read = encoder.read(modality.batch(inputs[start : start + INFERENCE_BATCH].to(device)), readings)
        for reading, part in read.items():
            if reading not in features:
                features[reading] = torch.empty(len(inputs), part.shape[1], device=device)
            features[reading][start : start + len(part)].copy_(part)
    encoder.train(was_training)
    return features


def extract(
    encoder: Encoder, dataset: Dataset, device: torch.device, readings: Collection[str] = READINGS[:1]
) -> dict[str, Features]:
    """Features of both splits of a dataset, by reading; nothing is computed for none."""
    if not readings:
        return {}
    train, test = (
        represent(encoder, inputs, device, readings) for inputs in (dataset.train_inputs, dataset.test_inputs)
    )
    return {reading: Features(train[reading], test[reading]) for reading in readings}


def extract_budget(cell: EvaluateCell, encoder: Encoder, dataset: Dataset, device: torch.device) -> Features:
    """Features of the test split and of the cell's label budget; the rest of the training split is NaN.

    All that one evaluation needs, at a small part of the cost of `extract` when labels are few.
    """
    budget = budget_of(cell, dataset)
    known, test = (
        represent(encoder, inputs, device, (cell.reading,))[cell.reading]
        for inputs in (dataset.train_inputs[budget.indices], dataset.test_inputs)
    )
    train = torch.full((len(dataset.train_labels), known.shape[1]), float("nan"), device=device)
    train[budget.indices.to(device)] = known
    return Features(train, test)


def budget_of(cell: EvaluateCell, dataset: Dataset) -> LabelBudget:
    """The labelled subset that a cell may see."""
    if not cell.stratified:
        return draw_unseen(cell.dataset, len(dataset.train_inputs), cell.label_fraction, cell.label_seed)
    size = cell.label_fraction if cell.labels_per_class is None else cell.labels_per_class
    return draw_budget(cell.dataset, dataset.train_labels, size, cell.label_seed)


def evaluate(
    cell: EvaluateCell, dataset: Dataset, encoder: Encoder | None, features: Features | None, device: torch.device
) -> Outcome:
    """Score one cell. Test labels are read only here, after the protocol has answered.

    Args:
        dataset: the one `cell` is evaluated on.
        encoder: used by protocols that train, on a copy; never changed. None where only its features are known: then
            such protocols cannot be asked, and `flops` are not a number.
        features: of `encoder` at the cell's reading; needed by protocols that do not train, else None.
    """
    budget = budget_of(cell, dataset)
    compute = 0.0 if cell.compute_of is None else flops_of(cell.compute_of, dataset, device)
    effort = Effort(_stretch(cell.pretrain.pretext), compute)
    prediction, seconds = predict(cell, dataset, encoder, features, budget, device, effort)
    answers = prediction.labels.cpu()
    right = answers == dataset.test_labels
    represented = len(dataset.test_inputs) + (len(budget.indices) if sees_features(cell.protocol) else 0)
    per_input = float("nan") if encoder is None else _flops_per_input(encoder, dataset.test_inputs[:1].to(device))
    flops = prediction.training_flops + represented * per_input
    return Outcome(answers, right, prediction.budget_score, budget, seconds, flops, prediction.details)


def _stretch(pretext: str) -> float:
    """Multiple of its own steps that a protocol trains for: of what was trained, or is nobody's here, one."""
    if pretext not in PRETEXTS or PRETEXTS.get(pretext).trains:
        return 1.0
    return PRETEXTS.get(pretext).stretch


def predict(
    cell: EvaluateCell,
    dataset: Dataset,
    encoder: Encoder | None,
    features: Features | None,
    budget: LabelBudget,
    device: torch.device,
    effort: Effort = USUAL,
) -> tuple[Prediction, float]:
    """Have a cell's protocol answer for the test inputs; how many seconds it took.

    It is handed the budget's inputs and labels and the test inputs: no other label is read, of either split.

    Args:
        dataset, encoder, features: as for `evaluate`.
    """
    labels = dataset.train_labels[budget.indices].to(device)
    protocol = PROTOCOLS.get(cell.protocol)(cell.config)
    # Not the label seed: on other labels the head starts and the folds are drawn alike, so only labels differ.
    seed = named_seed("evaluation", cell.dataset, cell.pretrain.seed, cell.label_fraction, cell.protocol)
    trained = None
    if encoder is not None and isinstance(protocol, TrainedProtocol):
        trained = refit(encoder, cell.pretrain.encoder, dataset.input_spec)
    started = time.perf_counter()
    with island(seed):
        if isinstance(protocol, FrozenProtocol):
            if features is None:
                raise ValueError(f"protocol {cell.protocol!r} needs features")
            known = _of_budget(features.train, budget)
            prediction = protocol.predict(known, labels, features.test, len(dataset.classes), seed)
        elif isinstance(protocol, TrainedProtocol):
            if trained is None:
                raise ValueError(f"protocol {cell.protocol!r} needs an encoder")
            prediction = _train(protocol, trained, dataset, budget, device, effort)
        else:
            raise TypeError(f"protocol {cell.protocol!r} is neither frozen nor trained")
    return prediction, time.perf_counter() - started


def _flops_per_input(encoder: Encoder, one: torch.Tensor) -> float:
    return counted(lambda: represent(encoder, one, one.device))[1]


def refit(encoder: Encoder, architecture: str, input_spec: InputSpec) -> Encoder:
    """A copy of an encoder that knows the evaluated inputs: their size, and what views may do to them.

    Args:
        architecture: its name, which is asked for where the inputs differ from those it was made for.
    """
    if encoder.input_spec == input_spec:
        return copy.deepcopy(encoder).requires_grad_(True)  # an evaluated teacher is a frozen copy
    with island(0):  # its random weights are replaced at once, and nobody else's random numbers are used up
        fitted = ENCODERS.get(architecture)(input_spec, encoder.latent_dim)
    fitted.load_state_dict(encoder.state_dict())
    return fitted.to(memory_format=modality_of(input_spec).memory_format)


def _of_budget(features: torch.Tensor, budget: LabelBudget) -> torch.Tensor:
    """The budget's rows; all of them as they lie, because a budget is in ascending order: no copy."""
    return features if len(budget.indices) == len(features) else features[budget.indices.to(features.device)]


def _train(
    protocol: TrainedProtocol,
    encoder: Encoder,
    dataset: Dataset,
    budget: LabelBudget,
    device: torch.device,
    effort: Effort,
) -> Prediction:
    return protocol.predict(
        encoder.to(device),
        dataset.train_inputs[budget.indices].to(device),
        dataset.train_labels[budget.indices].to(device),
        dataset.test_inputs.to(device),
        len(dataset.classes),
        effort,
    )
