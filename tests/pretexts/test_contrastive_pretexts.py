"""SimCLR and MoCo: their losses against lightly's, the queue and the teacher."""

from __future__ import annotations

import math
import warnings

import pytest
import torch

from sslbench.contract.spec import InputSpec
from sslbench.encoders.images.conv import Conv
from sslbench.pretexts._losses import nt_xent
from sslbench.pretexts._teacher import cosine_momentum, follow, frozen_copy
from sslbench.pretexts.moco import MoCo, MoCoConfig, info_nce
from sslbench.pretexts.simclr import SimCLR

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from lightly.loss import NTXentLoss

GREY = InputSpec("image", (1, 28, 28))


def rows(seed: int, count: int = 32, width: int = 16) -> torch.Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def moco(queue_size: int = 64) -> MoCo:
    torch.manual_seed(0)
    return MoCo(Conv(GREY, 16), MoCoConfig(queue_size=queue_size, projection_dim=16), GREY).train()


@pytest.mark.parametrize("temperature", [0.07, 0.5])
def test_nt_xent_equals_lightly(temperature: float) -> None:
    z_a, z_b = rows(0), rows(1)
    expected = NTXentLoss(temperature=temperature)(z_a, z_b)
    torch.testing.assert_close(nt_xent(z_a, z_b, temperature), expected, atol=1e-5, rtol=1e-5)


def test_nt_xent_is_symmetric_and_ignores_scale() -> None:
    z_a, z_b = rows(0), rows(1)
    loss = nt_xent(z_a, z_b, 0.2)
    torch.testing.assert_close(nt_xent(z_b, z_a, 0.2), loss)
    torch.testing.assert_close(nt_xent(3 * z_a, z_b / 7, 0.2), loss)


def test_nt_xent_of_identical_rows_is_the_logarithm_of_the_choices() -> None:
    z = torch.ones(8, 4)
    assert nt_xent(z, z, 0.5).item() == pytest.approx(math.log(15), abs=1e-5)


@pytest.mark.parametrize("temperature", [0.07, 0.5])
def test_info_nce_equals_lightly_with_memory_bank_over_several_steps(temperature: float) -> None:
    """Loss and queue agree at every step; 64 is a multiple of 32, so lightly drops nothing at the end of its bank."""
    pretext, lightly = moco(queue_size=64), NTXentLoss(temperature=temperature, memory_bank_size=(64, 16))
    pretext.queue.copy_(lightly.memory_bank.bank)
    for step in range(5):
        q, k = rows(2 * step).requires_grad_(), rows(2 * step + 1)
        loss = info_nce(q, k, pretext.queue.clone(), temperature)
        torch.testing.assert_close(loss, lightly(q, k), atol=1e-5, rtol=1e-5)
        pretext.enqueue(k)
        torch.testing.assert_close(pretext.queue, lightly.memory_bank.bank, atol=1e-6, rtol=0)


def test_queue_wraps_around_its_end_where_lightly_drops_the_rest_of_the_batch() -> None:
    pretext, lightly = moco(queue_size=40), NTXentLoss(memory_bank_size=(40, 16))
    pretext.queue.copy_(lightly.memory_bank.bank)
    for step in (1, 2):
        lightly(rows(0).requires_grad_(), rows(step))
        pretext.enqueue(rows(step))
    last = torch.nn.functional.normalize(rows(2), dim=1)
    torch.testing.assert_close(pretext.queue[32:], last[:8])
    torch.testing.assert_close(pretext.queue[:24], last[8:])
    torch.testing.assert_close(lightly.memory_bank.bank[32:], last[:8])
    assert not torch.equal(lightly.memory_bank.bank[:24], pretext.queue[:24])
    assert int(pretext.oldest) == 24


def test_a_batch_larger_than_the_queue_fills_it_once() -> None:
    pretext = moco(queue_size=8)
    pretext.enqueue(rows(0))
    torch.testing.assert_close(pretext.queue, torch.nn.functional.normalize(rows(0)[:8], dim=1))


def test_info_nce_without_similar_negatives_is_almost_zero() -> None:
    q = torch.eye(4, 8)
    negatives = torch.eye(8)[4:]
    assert info_nce(q, q, negatives, 0.05).item() < 1e-7


def test_queue_moves_in_training_and_rests_in_evaluation() -> None:
    pretext = moco()
    before = pretext.queue.clone()
    pretext.eval()(torch.rand(8, 1, 28, 28))
    assert torch.equal(pretext.queue, before)
    pretext.train()(torch.rand(8, 1, 28, 28)).backward()
    changed = (pretext.queue != before).any(dim=1)
    assert changed.tolist() == [True] * 8 + [False] * 56
    torch.testing.assert_close(pretext.queue.norm(dim=1), torch.ones(64))


def test_moco_trains_the_queries_and_never_the_keys() -> None:
    pretext = moco()
    pretext(torch.rand(8, 1, 28, 28)).backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in pretext.encoder.blocks.parameters())
    teachers = (*pretext.teacher_encoder.parameters(), *pretext.teacher_projector.parameters())
    assert all(weight.grad is None and not weight.requires_grad for weight in teachers)


def test_moco_resumes_from_its_state_to_the_same_next_loss() -> None:
    pretext, other = moco(), moco()
    batch = torch.rand(8, 1, 28, 28)
    pretext(batch)
    other.load_state_dict(pretext.state_dict())
    torch.manual_seed(1)
    expected = pretext(batch)
    torch.manual_seed(1)
    assert torch.equal(other(batch), expected)


def test_teacher_is_the_moving_average_of_its_student() -> None:
    student = torch.nn.Linear(2, 1, bias=False)
    torch.nn.init.constant_(student.weight, 1.0)
    teacher = frozen_copy(student)
    torch.nn.init.constant_(student.weight, 3.0)
    follow(teacher, student, momentum=0.75)
    assert teacher.weight.tolist() == [[1.5, 1.5]]
    assert not teacher.weight.requires_grad
    assert student.weight.tolist() == [[3.0, 3.0]]


def test_teacher_keeps_its_own_running_statistics() -> None:
    student = torch.nn.BatchNorm1d(4)
    teacher = frozen_copy(student)
    student(rows(0, width=4) + 5)
    follow(teacher, student, momentum=0.0)
    assert teacher.running_mean is not None
    assert teacher.running_mean.tolist() == [0.0] * 4


def test_cosine_momentum_rises_from_start_to_end() -> None:
    assert cosine_momentum(0.9, 0.0) == pytest.approx(0.9)
    assert cosine_momentum(0.9, 0.5) == pytest.approx(0.95)
    assert cosine_momentum(0.9, 1.0) == 1.0
    assert cosine_momentum(0.9, 1.0, end=0.99) == 0.99


def test_two_views_differ_and_stay_in_range() -> None:
    torch.manual_seed(0)
    task = SimCLR(Conv(GREY, 16), SimCLR.Config(), GREY)
    batch = torch.rand(4, 1, 28, 28)
    first, second = task.views(batch)
    assert first.shape == second.shape == batch.shape
    assert not torch.equal(first, second)
    assert 0 <= min(first.min(), second.min()) <= max(first.max(), second.max()) <= 1
    assert [picture.name for picture in task.pictures(batch)] == ["views"]


def test_simclr_losses_have_not_moved() -> None:
    """Weights and random-number order of published SimCLR rows: recorded before its views became shared."""
    torch.manual_seed(0)
    task = SimCLR(Conv(GREY, 16), SimCLR.Config(), GREY)
    assert task(torch.rand(16, 1, 28, 28)).item() == pytest.approx(3.44947052, abs=1e-4)
