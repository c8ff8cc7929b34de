"""SwAV and DINO: their losses against lightly's and in known cases, their queue, centre and crops."""

from __future__ import annotations

import math
import warnings

import pytest
import torch
from torch.nn import functional

from sslbench.contract.spec import InputSpec, ViewPolicy
from sslbench.encoders.images.conv import Conv
from sslbench.encoders.images.vit import ViT
from sslbench.encoders.mlp import MLP
from sslbench.modalities.image import multi_crop
from sslbench.pretexts._heads import Prototypes
from sslbench.pretexts.dino import DINO, DINOConfig, attention_maps, dino_loss
from sslbench.pretexts.swav import SwAV, SwAVConfig, sinkhorn, swapped_prediction

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from lightly.loss import DINOLoss, SwaVLoss
    from lightly.loss.swav_loss import sinkhorn as lightly_sinkhorn

GREY = InputSpec("image", (1, 28, 28), ViewPolicy(horizontal_flip=True))
SMALL_SWAV = SwAVConfig(prototypes=16, projection_dim=8)
SMALL_DINO = DINOConfig(outputs=16, hidden_dim=32, bottleneck_dim=8)


def scores(*shape: int) -> torch.Tensor:
    """Cosine similarities, as prototypes give them."""
    return torch.rand(*shape) * 2 - 1


@pytest.mark.parametrize("iterations", [1, 3, 10])
@pytest.mark.parametrize("epsilon", [0.03, 0.05, 0.5])
def test_sinkhorn_equals_lightlys(epsilon: float, iterations: int) -> None:
    torch.manual_seed(0)
    given = scores(64, 16)
    expected = lightly_sinkhorn(given, iterations=iterations, epsilon=epsilon)
    torch.testing.assert_close(sinkhorn(given, epsilon, iterations), expected, atol=1e-5, rtol=1e-5)


def test_sinkhorn_gives_each_sample_one_and_each_prototype_the_same() -> None:
    torch.manual_seed(0)
    q = sinkhorn(scores(64, 16), 0.05, 100)
    torch.testing.assert_close(q.sum(dim=1), torch.ones(64))
    torch.testing.assert_close(q.sum(dim=0), torch.full((16,), 4.0), atol=1e-3, rtol=0)


def test_sinkhorn_stays_finite_where_exponentials_overflow() -> None:
    assert bool(sinkhorn(scores(8, 4), 0.005, 3).isfinite().all())
    assert bool(lightly_sinkhorn(scores(8, 4) + 1, epsilon=0.005).isnan().any())


def test_sinkhorn_assigns_clear_clusters_to_their_prototypes() -> None:
    q = sinkhorn(torch.eye(4).repeat(3, 1), 0.05, 3)
    torch.testing.assert_close(q, torch.eye(4).repeat(3, 1), atol=1e-6, rtol=0)


@pytest.mark.parametrize("small", [0, 3])
@pytest.mark.parametrize("queued", [0, 32])
def test_swapped_prediction_equals_lightlys(small: int, queued: int) -> None:
    torch.manual_seed(0)
    large, few = [scores(64, 16) for _ in range(2)], [scores(64, 16) for _ in range(small)]
    queue = [scores(queued, 16) for _ in range(2)]
    codes = [sinkhorn(torch.cat([own, old]), 0.05, 3)[:64] for own, old in zip(large, queue, strict=True)]
    expected = SwaVLoss(temperature=0.1)(large, few, queue if queued else None)
    assert float(swapped_prediction(large, few, codes, 0.1)) == pytest.approx(float(expected), abs=1e-5)


def test_swapped_prediction_is_symmetric_in_the_large_views() -> None:
    torch.manual_seed(0)
    first, second = scores(32, 8), scores(32, 8)
    codes = [sinkhorn(view, 0.05, 3) for view in (first, second)]
    forward = swapped_prediction([first, second], [], codes, 0.1)
    assert float(forward) == pytest.approx(float(swapped_prediction([second, first], [], codes[::-1], 0.1)), abs=1e-6)


def test_prototypes_answer_with_cosines_whatever_the_lengths() -> None:
    torch.manual_seed(0)
    prototypes, z = Prototypes(8, 5), torch.randn(4, 8)
    cosines = functional.cosine_similarity(z[:, None], prototypes.directions[None], dim=2)
    torch.testing.assert_close(prototypes(z), cosines)
    with torch.no_grad():
        prototypes.directions.mul_(torch.rand(5, 1) + 0.5)
    torch.testing.assert_close(prototypes(3 * z), cosines)


def test_swav_queue_holds_the_newest_projections_of_each_view() -> None:
    torch.manual_seed(0)
    pretext = SwAV(Conv(GREY, 16), SwAVConfig(prototypes=16, projection_dim=8, queue_size=10), GREY)
    assert not pretext.queue.any()
    first, second = torch.randn(12, 8), torch.randn(12, 8)
    pretext.enqueue(first)
    pretext.enqueue(second)
    expected = functional.normalize(second, dim=1)
    torch.testing.assert_close(pretext.queue[0], torch.cat([expected[:6], functional.normalize(first[:4], dim=1)]))
    torch.testing.assert_close(pretext.queue[1, :6], expected[6:])


def test_empty_places_of_the_swav_queue_pull_to_no_prototype() -> None:
    torch.manual_seed(0)
    pretext = SwAV(Conv(GREY, 16), SwAVConfig(prototypes=16, projection_dim=8, queue_size=32), GREY)
    q = sinkhorn(pretext.prototypes(pretext.queue[0]), 0.05, 3)
    torch.testing.assert_close(q, torch.full((32, 16), 1 / 16))


def test_swav_queue_fills_in_training_only() -> None:
    torch.manual_seed(0)
    pretext = SwAV(Conv(GREY, 16), SwAVConfig(prototypes=16, projection_dim=8, queue_size=10), GREY)
    pretext.eval()(torch.rand(8, *GREY.shape))
    assert not pretext.queue.any()
    pretext.train()(torch.rand(8, *GREY.shape))
    torch.testing.assert_close(pretext.queue.norm(dim=2)[:, :8], torch.ones(2, 8))


@pytest.mark.parametrize("small", [0, 4])
def test_dino_loss_and_centre_equal_lightlys(small: int) -> None:
    torch.manual_seed(0)
    student, teacher = torch.randn(2 + small, 16, 32), torch.randn(2, 16, 32)
    theirs = DINOLoss(output_dim=32, teacher_temp=0.04, student_temp=0.1, center_momentum=0.9)
    center = torch.zeros(32)
    for _ in range(3):
        expected = theirs(list(teacher), list(student))
        assert float(dino_loss(student, teacher, center, 0.1, 0.04)) == pytest.approx(float(expected), rel=1e-5)
        center = center.lerp(teacher.mean(dim=(0, 1)), 1 - 0.9)
        torch.testing.assert_close(center, theirs.center.flatten(), atol=1e-6, rtol=1e-5)
        teacher, student = teacher.roll(1, 2), student.roll(2, 2)


def test_dino_loss_of_uniform_answers_is_the_entropy_of_uniform() -> None:
    loss = dino_loss(torch.zeros(2, 4, 32), torch.zeros(2, 4, 32), torch.zeros(32), 0.1, 0.04)
    assert float(loss) == pytest.approx(math.log(32), abs=1e-5)


def test_dino_loss_is_zero_when_sharp_answers_agree() -> None:
    answers = 10 * functional.one_hot(torch.arange(8), 8).float().expand(2, -1, -1)
    assert float(dino_loss(answers, answers, torch.zeros(8), 0.1, 0.04)) == pytest.approx(0, abs=1e-6)


def test_dino_compares_no_view_with_itself() -> None:
    torch.manual_seed(0)
    teacher = torch.randn(2, 8, 16)
    student = torch.randn(2, 8, 16)
    crossed = dino_loss(student[[1, 0]], teacher[[1, 0]], torch.zeros(16), 0.1, 0.04)
    assert float(dino_loss(student, teacher, torch.zeros(16), 0.1, 0.04)) == pytest.approx(float(crossed), abs=1e-5)
    alone = dino_loss(student, teacher * torch.tensor([1.0, 0.0])[:, None, None], torch.zeros(16), 0.1, 0.04)
    p_t = (teacher[0] / 0.04).softmax(dim=1)
    log_p_s = (student / 0.1).log_softmax(dim=2)
    expected = -((p_t * log_p_s[1]).sum(dim=1).mean() + log_p_s[0].mean()) / 2
    assert float(alone) == pytest.approx(float(expected), rel=1e-5)


def test_dino_centre_moves_in_training_only_and_never_when_switched_off() -> None:
    torch.manual_seed(0)
    batch = torch.rand(8, *GREY.shape)
    pretext = DINO(Conv(GREY, 16), SMALL_DINO, GREY)
    pretext.eval()(batch)
    assert not pretext.center.any()
    pretext.train()(batch)
    assert bool(pretext.center.any())
    off = DINOConfig(outputs=16, hidden_dim=32, bottleneck_dim=8, centering=False)
    without = DINO(Conv(GREY, 16), off, GREY).train()
    without(batch)
    assert not without.center.any()


def test_dino_teacher_has_moved_half_the_way_to_a_resting_student_after_its_half_life() -> None:
    torch.manual_seed(0)
    pretext = DINO(Conv(GREY, 16), SMALL_DINO, GREY)
    with torch.no_grad():
        pretext.encoder.get_parameter("project.weight").add_(1)
    before = pretext.teacher_encoder.get_parameter("project.weight").clone()
    for step in range(1, 11):
        pretext.after_step(pretext.config.half_life * step / 10)
    torch.testing.assert_close(pretext.teacher_encoder.get_parameter("project.weight"), before + 0.5)


def test_dino_is_evaluated_and_projected_with_its_teacher_in_the_statistics_of_the_teachers_own_batches() -> None:
    torch.manual_seed(0)
    pretext, batch = DINO(Conv(GREY, 16), SMALL_DINO, GREY), torch.rand(64, *GREY.shape)
    teacher = pretext.evaluated
    assert teacher is not pretext.encoder
    with torch.no_grad():  # a student whose activations lie elsewhere
        pretext.encoder.get_parameter("blocks.0.weight").mul_(5)
    for _ in range(100):
        pretext.train()(batch)
    own, students = (network.get_buffer("blocks.1.running_var") for network in (teacher, pretext.encoder))
    torch.testing.assert_close(students / own, torch.full_like(own, 25), rtol=0.3, atol=0)
    pretext.eval()
    seen = teacher(batch)
    torch.testing.assert_close(pretext.project(seen), pretext.teacher_projector(seen))


@pytest.mark.parametrize("encoder", [Conv, MLP, ViT])
def test_small_crops_train_every_kind_of_encoder(encoder: type[Conv] | type[MLP] | type[ViT]) -> None:
    torch.manual_seed(0)
    batch = torch.rand(4, *GREY.shape)
    swav = SwAV(encoder(GREY, 16), SwAVConfig(prototypes=4, projection_dim=8, small_crops=2), GREY)
    dino = DINO(encoder(GREY, 16), DINOConfig(outputs=16, hidden_dim=32, bottleneck_dim=8, small_crops=2), GREY)
    for pretext in (swav, dino):
        assert pretext.crops(batch)[1].shape == ((8, 1, 28, 28) if encoder is MLP else (8, 1, 16, 16))
        assert bool(pretext(batch).isfinite())
        (views,) = (picture for picture in pretext.pictures(batch) if picture.name == "views")
        assert [row.shape for row in views.rows] == [batch.shape] * 5


def test_small_crops_show_less_of_the_image_than_large_ones() -> None:
    torch.manual_seed(0)
    # On a ramp from left to right, the range of values in a crop is the share of the width it shows.
    ramp = torch.linspace(0, 1, 28).expand(200, 1, 28, 28)
    large, small = multi_crop(ramp, ViewPolicy(intensity_jitter=False), 0.5, 3, (16, 16))
    assert large.shape == (400, 1, 28, 28)
    assert small.shape == (600, 1, 16, 16)
    shown = [float((crop.amax(dim=(1, 2, 3)) - crop.amin(dim=(1, 2, 3))).mean()) for crop in (large, small)]
    assert shown[0] > shown[1] + 0.2
    assert float((small.amax(dim=(1, 2, 3)) - small.amin(dim=(1, 2, 3))).max()) <= math.sqrt(0.4 * 4 / 3)


def test_without_small_crops_the_large_views_are_the_usual_ones() -> None:
    large, small = multi_crop(torch.rand(4, 1, 28, 28), ViewPolicy(), 0.5, 0, (16, 16))
    assert large.shape == (8, 1, 28, 28)
    assert small.shape[0] == 0


def test_attention_pictures_show_every_head_at_the_size_of_the_image() -> None:
    torch.manual_seed(0)
    encoder, batch = ViT(GREY, 16), torch.rand(4, *GREY.shape)
    with torch.inference_mode():
        picture = attention_maps(encoder, batch)
    assert picture.labels == ("original", "head 1", "head 2", "head 3", "head 4")
    assert all(row.shape == batch.shape for row in picture.rows)
    brightest = torch.stack([row.amax(dim=(1, 2, 3)) for row in picture.rows[1:]])
    torch.testing.assert_close(brightest, torch.ones_like(brightest))
    patch = picture.rows[1][0, 0, 4:8, 8:12]
    assert float(patch.max() - patch.min()) == 0
