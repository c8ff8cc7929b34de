"""Known answers of the other protocols."""

from __future__ import annotations

import pytest
import torch

from sslbench.contract.spec import InputError, OptimizerConfig, ProtocolConfig, ViewPolicy
from sslbench.datasets._base import Dataset
from sslbench.engine.budget import draw_budget
from sslbench.engine.pretrain import build
from sslbench.modalities.image import Image, mild_view
from sslbench.protocols.finetune import Finetune, FinetuneConfig
from sslbench.protocols.knn import BLOCK, KNN, KNNConfig, nearest
from sslbench.protocols.majority_class import MajorityClass
from tests.conftest import CPU, pretrain_cell


def test_knn_answers_the_class_of_the_nearest_direction() -> None:
    bank = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    asked = torch.tensor([[9.0, 1.0], [0.1, 0.5], [-2.0, 0.3]])
    prediction = KNN(KNNConfig(neighbours=1)).predict(bank, torch.tensor([2, 0, 1]), asked, 3, 0)
    assert prediction.labels.tolist() == [2, 0, 1]


def test_knn_ignores_the_scale_and_the_offset_of_every_feature() -> None:
    generator = torch.Generator().manual_seed(0)
    bank, asked = torch.randn(60, 4, generator=generator), torch.randn(30, 4, generator=generator)
    labels = torch.arange(60) % 3
    scale, offset = torch.rand(4, generator=generator) + 0.5, 10 * torch.rand(4, generator=generator)
    first = KNN(KNNConfig()).predict(bank, labels, asked, 3, 0)
    second = KNN(KNNConfig()).predict(bank * scale + offset, labels, asked * scale + offset, 3, 0)
    assert torch.equal(first.labels, second.labels)


def test_knn_leave_one_out_does_not_let_a_label_vote_for_itself() -> None:
    # Two points per cluster with opposite labels: each one's only other neighbour disagrees.
    bank = torch.tensor([[1.0, 0.0], [1.0, 0.01], [0.0, 1.0], [0.01, 1.0]])
    prediction = KNN(KNNConfig(neighbours=1)).predict(bank, torch.tensor([0, 1, 0, 1]), bank, 2, 0)
    assert prediction.budget_score == 0.0


@pytest.mark.parametrize("bank", [30, 45 * BLOCK, 45 * BLOCK + 17, 300 * BLOCK + 1])
def test_searching_by_blocks_finds_what_sorting_finds(bank: int) -> None:
    similarity = torch.randn(40, bank, generator=torch.Generator().manual_seed(bank))
    similarity[0, -1] = 9.0  # the nearest may be the very last, outside every whole block
    values, places = nearest(similarity, 20)
    assert torch.equal(values, similarity.topk(20, dim=1).values)
    assert torch.equal(similarity.gather(1, places), values)


def test_knn_works_with_one_label_in_all() -> None:
    prediction = KNN(KNNConfig()).predict(torch.ones(1, 3), torch.tensor([4]), torch.randn(5, 3), 10, 0)
    assert prediction.labels.tolist() == [4] * 5


def test_majority_class_answers_the_commonest_label_of_the_budget() -> None:
    labels = torch.tensor([3, 1, 1, 2])
    prediction = MajorityClass(ProtocolConfig()).predict(torch.zeros(4, 2), labels, torch.zeros(6, 2), 5, 0)
    assert prediction.labels.tolist() == [1] * 6
    assert (prediction.budget_score, prediction.details) == (None, {"train_accuracy": 0.5})


def test_a_small_budget_gets_the_least_number_of_steps() -> None:
    config = FinetuneConfig(optimizer=OptimizerConfig(batch_size=100), epochs=10, min_steps=50, max_steps=500)
    assert config.steps(10) == 50
    assert config.steps(1000) == 100
    assert config.steps(100_000) == 500


def test_finetuning_learns_the_digits(digits: Dataset) -> None:
    torch.manual_seed(0)
    encoder = build(pretrain_cell("supervised"), digits, CPU).encoder
    config = FinetuneConfig(min_steps=120, max_steps=120)
    prediction = Finetune(config).predict(encoder, digits.train_inputs, digits.train_labels, digits.test_inputs, 10)
    assert float((prediction.labels == digits.test_labels).float().mean()) > 0.9
    assert prediction.details["steps"] == 120


@pytest.mark.parametrize(("plain_share", "viewed"), [(0.0, 8), (0.25, 6), (0.9, 1)])
def test_the_last_steps_see_the_inputs_themselves(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch, plain_share: float, viewed: int
) -> None:
    made: list[int] = []

    def noted(self: Image, batch: torch.Tensor, policy: ViewPolicy) -> torch.Tensor:
        made.append(len(batch))
        return mild_view(batch, policy)

    monkeypatch.setattr(Image, "mild_view", noted)
    encoder = build(pretrain_cell("supervised"), digits, CPU).encoder
    config = FinetuneConfig(min_steps=8, max_steps=8, plain_share=plain_share)
    Finetune(config).predict(encoder, digits.train_inputs, digits.train_labels, digits.test_inputs, 10)
    assert len(made) == viewed + 1  # one more for the count of operations


@pytest.mark.parametrize("fraction", [0.0, 1.5, -0.1, float("nan")])
def test_impossible_fractions_are_named(fraction: float) -> None:
    with pytest.raises(InputError, match=r"label fraction .* is outside"):
        draw_budget("any", torch.arange(10), fraction, 0)
