"""SimCLR, MoCo and NNCLR: their losses against lightly's, the queue and the teacher."""

from __future__ import annotations

import math
import warnings

import pytest
import torch

from sslbench.contract.spec import InputSpec
from sslbench.encoders.images.conv import Conv
from sslbench.pretexts import _losses
from sslbench.pretexts._losses import nt_xent
from sslbench.pretexts._queue import Queue
from sslbench.pretexts._teacher import HalfLife, follow, frozen_copy
from sslbench.pretexts.images.simclr_progressive import SimCLRProgressive, SimCLRProgressiveConfig
from sslbench.pretexts.moco import MoCo, MoCoConfig, info_nce
from sslbench.pretexts.nnclr import NNCLR, NNCLRConfig
from sslbench.pretexts.simclr import SimCLR

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from lightly.loss import NTXentLoss
    from lightly.models.modules import NNMemoryBankModule

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
    queue, lightly = Queue(64, 16), NTXentLoss(temperature=temperature, memory_bank_size=(64, 16))
    queue.keys.copy_(lightly.memory_bank.bank)
    for step in range(5):
        q, k = rows(2 * step).requires_grad_(), rows(2 * step + 1)
        loss = info_nce(q, k, queue.keys.clone(), temperature)
        torch.testing.assert_close(loss, lightly(q, k), atol=1e-5, rtol=1e-5)
        queue.put(k)
        torch.testing.assert_close(queue.keys, lightly.memory_bank.bank, atol=1e-6, rtol=0)


def test_queue_wraps_around_its_end_where_lightly_drops_the_rest_of_the_batch() -> None:
    queue, lightly = Queue(40, 16), NTXentLoss(memory_bank_size=(40, 16))
    queue.keys.copy_(lightly.memory_bank.bank)
    for step in (1, 2):
        lightly(rows(0).requires_grad_(), rows(step))
        queue.put(rows(step))
    last = torch.nn.functional.normalize(rows(2), dim=1)
    torch.testing.assert_close(queue.keys[32:], last[:8])
    torch.testing.assert_close(queue.keys[:24], last[8:])
    torch.testing.assert_close(lightly.memory_bank.bank[32:], last[:8])
    assert not torch.equal(lightly.memory_bank.bank[:24], queue.keys[:24])
    assert int(queue.oldest) == 24


def test_a_batch_larger_than_the_queue_fills_it_once() -> None:
    queue = Queue(8, 16)
    queue.put(rows(0))
    torch.testing.assert_close(queue.keys, torch.nn.functional.normalize(rows(0)[:8], dim=1))


def test_nearest_neighbours_in_the_queue_are_lightlys() -> None:
    queue, lightly = Queue(64, 16), NNMemoryBankModule(size=(64, 16))
    lightly(rows(0), update=False)  # its bank comes into being with the first call
    queue.keys.copy_(lightly.bank)
    for step in range(3):
        expected = torch.nn.functional.normalize(lightly(rows(step), update=True), dim=1)  # it keeps their lengths
        torch.testing.assert_close(queue.nearest(rows(step)), expected, atol=1e-6, rtol=0)
        queue.put(rows(step))


def test_the_nearest_neighbour_of_what_lies_in_the_queue_is_itself_whatever_its_length() -> None:
    queue = Queue(32, 16)
    queue.put(rows(0))
    torch.testing.assert_close(queue.nearest(7 * rows(0)), torch.nn.functional.normalize(rows(0), dim=1))


def test_info_nce_without_similar_negatives_is_almost_zero() -> None:
    q = torch.eye(4, 8)
    negatives = torch.eye(8)[4:]
    assert info_nce(q, q, negatives, 0.05).item() < 1e-7


def test_queue_moves_in_training_and_rests_in_evaluation() -> None:
    pretext = moco()
    before = pretext.queue.keys.clone()
    pretext.eval()(torch.rand(8, 1, 28, 28))
    assert torch.equal(pretext.queue.keys, before)
    pretext.train()(torch.rand(8, 1, 28, 28)).backward()
    changed = (pretext.queue.keys != before).any(dim=1)
    assert changed.tolist() == [True] * 8 + [False] * 56
    torch.testing.assert_close(pretext.queue.keys.norm(dim=1), torch.ones(64))


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
    follow(teacher, student, torch.tensor(0.75))
    assert teacher.weight.tolist() == [[1.5, 1.5]]
    assert not teacher.weight.requires_grad
    assert student.weight.tolist() == [[3.0, 3.0]]


def test_teacher_keeps_its_own_running_statistics() -> None:
    student = torch.nn.BatchNorm1d(4)
    teacher = frozen_copy(student)
    student(rows(0, width=4) + 5)
    follow(teacher, student, torch.tensor(0.0))
    assert teacher.running_mean is not None
    assert teacher.running_mean.tolist() == [0.0] * 4


def left_of_the_start(share: float, steps: int) -> list[float]:
    """How much of a teacher's first weight is left after each of so many steps with a student that stays at zero."""
    half_life, student = HalfLife(share), torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.ones_(student.weight)
    teacher = frozen_copy(student)
    torch.nn.init.zeros_(student.weight)
    left = []
    for step in range(1, steps + 1):
        follow(teacher, student, half_life(step / steps))
        left.append(teacher.weight.item())
    return left


@pytest.mark.parametrize("steps", [10, 234, 5000])
def test_half_of_a_teacher_is_renewed_in_a_half_life_whatever_the_number_of_steps(steps: int) -> None:
    left = left_of_the_start(0.2, steps)
    assert left[steps // 5 - 1] == pytest.approx(0.5 ** ((steps // 5) / steps / 0.2), rel=1e-4)
    assert left[-1] == pytest.approx(1 / 32, rel=1e-3)


def test_the_momentum_of_every_step_is_that_of_its_share_of_the_half_life() -> None:
    half_life = HalfLife(0.1)
    momenta = [float(half_life(step / 234)) for step in range(1, 235)]
    assert momenta == pytest.approx([0.5 ** (1 / (0.1 * 234))] * 234, abs=1e-9)


def test_a_resumed_half_life_goes_on_where_it_was() -> None:
    first, second = HalfLife(0.1), HalfLife(0.1)
    first(0.3)
    second.load_state_dict(first.state_dict())
    assert float(first(0.35)) == float(second(0.35)) == pytest.approx(0.5**0.5)


def test_neighbour_loss_asks_for_the_own_prediction_among_all() -> None:
    neighbours, p = rows(0), rows(1)
    cosines = torch.nn.functional.cosine_similarity(neighbours[:, None], p[None], dim=2) / 0.1
    expected = (cosines.logsumexp(dim=1) - cosines.diagonal()).mean()
    torch.testing.assert_close(_losses.info_nce(neighbours, p, 0.1), expected)
    torch.testing.assert_close(_losses.info_nce(3 * neighbours, p / 7, 0.1), expected)


def test_neighbour_loss_is_almost_zero_for_predictions_that_hit_and_their_number_decides_where_all_are_alike() -> None:
    assert _losses.info_nce(torch.eye(8), torch.eye(8), 0.05).item() < 1e-7
    assert _losses.info_nce(torch.ones(8, 4), torch.ones(8, 4), 0.1).item() == pytest.approx(math.log(8), abs=1e-5)


def test_nnclr_contrasts_with_neighbours_of_the_past_and_queues_one_view_afterwards() -> None:
    torch.manual_seed(0)
    task = NNCLR(Conv(GREY, 16), NNCLRConfig(queue_size=64, projection_dim=8), GREY).train()
    before, batch = task.queue.keys.clone(), torch.rand(16, 1, 28, 28)
    torch.manual_seed(3)
    loss = task(batch)
    torch.manual_seed(3)
    z_a, z_b = (task.projector(task.encoder(view)) for view in task.views(batch))
    near_a, near_b = (before[(z @ before.T).argmax(dim=1)] for z in (z_a, z_b))
    both = _losses.info_nce(near_a, task.predictor(z_b), 0.1), _losses.info_nce(near_b, task.predictor(z_a), 0.1)
    torch.testing.assert_close(loss, sum(both) / 2)
    torch.testing.assert_close(task.queue.keys[:16], torch.nn.functional.normalize(z_a, dim=1))
    assert torch.equal(task.queue.keys[16:], before[16:])


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


def test_views_have_half_the_side_until_their_share_of_the_steps_is_done() -> None:
    spec = InputSpec("image", (1, 27, 28))
    task = SimCLRProgressive(Conv(spec, 16), SimCLRProgressiveConfig(small_views=0.3), spec).train()
    batch, sizes = torch.rand(4, 1, 27, 28), []
    for progress in (0.0, 0.29, 0.3, 0.9):
        task.before_step(progress)
        sizes.append([tuple(view.shape) for view in task.views(batch)])
    assert sizes == 2 * [2 * [(4, 1, 14, 14)]] + 2 * [2 * [(4, 1, 27, 28)]]
    assert task.stages == (0.0, 0.3)
    assert (
        SimCLRProgressive.unsuitable("mlp", spec) == "needs an encoder that takes images of any size; 'mlp' takes one"
    )
    assert SimCLRProgressive.unsuitable("conv", spec) is None
