"""BYOL, SimSiam, Barlow Twins, VICReg and LeJEPA: their losses against lightly's and against closed forms."""

from __future__ import annotations

import math
import warnings

import pytest
import torch

from sslbench.contract.spec import InputSpec
from sslbench.encoders.images.conv import Conv
from sslbench.pretexts._heads import predictor, projector
from sslbench.pretexts._losses import negative_cosine
from sslbench.pretexts.barlow_twins import barlow_twins, cross_correlation
from sslbench.pretexts.byol import BYOL
from sslbench.pretexts.lejepa import epps_pulley, prediction, sigreg
from sslbench.pretexts.simsiam import SimSiam, SimSiamConfig
from sslbench.pretexts.vicreg import covariance, invariance, variance, vicreg

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from lightly.loss import BarlowTwinsLoss, NegativeCosineSimilarity, VICRegLoss
    from lightly.loss.lejepa_loss import LeJEPALoss, SIGReg

GREY = InputSpec("image", (1, 28, 28))
Pair = tuple[torch.Tensor, torch.Tensor]


def close(actual: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-5)


@pytest.fixture(params=[(32, 16), (16, 64)], ids=["more rows than features", "more features than rows"])
def pair(request: pytest.FixtureRequest) -> Pair:
    """Two correlated projections that are neither centred nor of unit variance."""
    generator = torch.Generator().manual_seed(0)
    count, width = request.param
    z_a = 2 * torch.randn(count, width, generator=generator) + 1
    return z_a, z_a + 0.5 * torch.randn(count, width, generator=generator)


def test_negative_cosine_equals_lightly(pair: Pair) -> None:
    close(negative_cosine(*pair), NegativeCosineSimilarity()(*pair))


def test_negative_cosine_is_minus_one_for_parallel_rows_and_ignores_scale(pair: Pair) -> None:
    z, _ = pair
    close(negative_cosine(z, 3 * z), torch.tensor(-1.0))
    close(negative_cosine(z, -z), torch.tensor(1.0))


def test_byol_regression_is_the_squared_distance_of_normalised_vectors(pair: Pair) -> None:
    p, z = (torch.nn.functional.normalize(rows, dim=1) for rows in pair)
    close(2 + 2 * negative_cosine(*pair), (p - z).square().sum(dim=1).mean())


@pytest.mark.parametrize("redundancy_weight", [0.005, 0.1])
def test_barlow_twins_equals_lightly(pair: Pair, redundancy_weight: float) -> None:
    close(barlow_twins(*pair, redundancy_weight), BarlowTwinsLoss(lambda_param=redundancy_weight)(*pair))


def test_barlow_twins_is_symmetric_and_ignores_shift_and_scale_of_features(pair: Pair) -> None:
    z_a, z_b = pair
    close(barlow_twins(z_b, z_a, 0.1), barlow_twins(z_a, z_b, 0.1))
    torch.testing.assert_close(barlow_twins(5 * z_a - 3, z_b, 0.1), barlow_twins(z_a, z_b, 0.1), atol=1e-3, rtol=1e-4)


def test_barlow_twins_is_zero_for_equal_views_of_uncorrelated_features() -> None:
    signs = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    close(cross_correlation(signs, signs), torch.eye(2))
    assert barlow_twins(signs, signs, 1.0).item() < 1e-8


@pytest.mark.parametrize("weights", [(25.0, 25.0, 1.0), (1.0, 0.0, 80.0)])
def test_vicreg_equals_lightly(pair: Pair, weights: tuple[float, float, float]) -> None:
    """lightly follows the authors' code: mean over features in s, half the sum of both v. Equation 6 halves nothing."""
    lightly = VICRegLoss(lambda_param=weights[0], mu_param=weights[1], nu_param=weights[2])
    close(vicreg(*pair, *weights), lightly(*pair))


def test_each_term_of_vicreg_equals_lightly_alone(pair: Pair) -> None:
    z_a, z_b = pair
    close(invariance(z_a, z_b), VICRegLoss(1, 0, 0)(z_a, z_b))
    close((variance(z_a / 4) + variance(z_b / 4)) / 2, VICRegLoss(0, 1, 0)(z_a / 4, z_b / 4))
    close(covariance(z_a) + covariance(z_b), VICRegLoss(0, 0, 1)(z_a, z_b))


def test_vicreg_is_symmetric_and_ignores_a_common_shift(pair: Pair) -> None:
    z_a, z_b = pair
    close(vicreg(z_b, z_a, 25, 25, 1), vicreg(z_a, z_b, 25, 25, 1))
    torch.testing.assert_close(vicreg(z_a + 7, z_b + 7, 25, 25, 1), vicreg(z_a, z_b, 25, 25, 1), atol=1e-3, rtol=1e-4)


def test_vicreg_is_zero_for_equal_views_of_varied_uncorrelated_features() -> None:
    z = 2 * torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    assert vicreg(z, z, 25, 25, 1).item() == 0


def test_vicreg_of_a_collapsed_representation_is_its_variance_term_only() -> None:
    z = torch.ones(8, 4)
    assert vicreg(z, z, 25, 25, 1).item() == pytest.approx(25 * (1 - math.sqrt(1e-4)))
    assert vicreg(z, z, 25, 0, 1).item() == 0


def test_sigreg_equals_lightly_for_the_same_directions(pair: Pair) -> None:
    z = torch.stack(pair)
    torch.manual_seed(0)
    expected = SIGReg(num_vectors=128)(z)
    torch.manual_seed(0)
    close(sigreg(z, torch.randn(z.shape[-1], 128)), expected)


def test_lejepa_equals_lightly_with_both_views_global(pair: Pair) -> None:
    """lightly asks for at least one local view: given two global views again, it averages each term twice over."""
    z = torch.stack(pair)
    torch.manual_seed(0)
    expected = LeJEPALoss(lambda_param=0.05, sigreg_num_vectors=64)(local_proj=z, global_proj=z)
    torch.manual_seed(0)
    close(0.05 * sigreg(z, torch.randn(z.shape[-1], 64)) + 0.95 * prediction(z), expected)


def test_sigreg_is_small_for_a_gaussian_and_large_for_what_is_not() -> None:
    generator = torch.Generator().manual_seed(0)
    gaussian = torch.randn(1, 512, 8, generator=generator)
    directions = torch.randn(8, 128, generator=generator)
    score = sigreg(gaussian, directions)
    for other in (torch.zeros_like(gaussian), 3 * gaussian, gaussian + 1, gaussian.sign() * gaussian[..., :1].abs()):
        assert sigreg(other, directions) > 5 * score


def test_epps_pulley_of_a_constant_has_a_closed_form() -> None:
    """Integral of (1 - phi)^2 phi = phi - 2 phi^2 + phi^3 over [-3, 3]; the trapezoids of 17 knots err by 0.1%."""
    terms = [(1, 1), (-2, 2), (1, 3)]
    integral = sum(c * math.sqrt(2 * math.pi / k) * math.erf(3 * math.sqrt(k / 2)) for c, k in terms)
    assert epps_pulley(torch.zeros(10, 1)).item() == pytest.approx(10 * integral, rel=1e-3)


def test_sigreg_ignores_the_length_of_directions_and_the_order_of_rows(pair: Pair) -> None:
    z = torch.stack(pair)
    directions = torch.randn(z.shape[-1], 32)
    close(sigreg(z.flip(1), 9 * directions), sigreg(z, directions))


def test_prediction_is_zero_when_views_agree_and_a_quarter_of_the_squared_difference_of_two(pair: Pair) -> None:
    z_a, z_b = pair
    assert prediction(torch.stack([z_a, z_a])).item() == 0
    close(prediction(torch.stack([z_a, z_b])), invariance(z_a, z_b) / 4)


def test_byol_teacher_has_moved_half_the_way_to_a_resting_student_after_its_half_life() -> None:
    torch.manual_seed(0)
    task = BYOL(Conv(GREY, 16), BYOL.Config(), GREY)
    with torch.no_grad():
        task.encoder.get_parameter("project.weight").fill_(1.0)
    start = task.teacher_encoder.get_parameter("project.weight").clone()
    task.after_step(BYOL.Config().half_life)
    torch.testing.assert_close(task.teacher_encoder.get_parameter("project.weight"), (start + 1) / 2)
    assert task.evaluated is task.encoder  # as in its paper


def test_byol_teacher_never_sees_a_gradient() -> None:
    torch.manual_seed(0)
    task = BYOL(Conv(GREY, 16), BYOL.Config(), GREY).train()
    task(torch.rand(8, 1, 28, 28)).backward()
    teachers = (*task.teacher_encoder.parameters(), *task.teacher_projector.parameters())
    assert all(weight.grad is None and not weight.requires_grad for weight in teachers)
    assert all(weight.grad is not None for weight in task.encoder.parameters())


def test_stopped_gradient_of_simsiam_changes_the_gradient_and_not_the_loss() -> None:
    gradients, losses = [], []
    for stop_gradient in (True, False):
        torch.manual_seed(0)
        task = SimSiam(Conv(GREY, 16), SimSiamConfig(stop_gradient=stop_gradient), GREY).train()
        loss = task(torch.rand(8, 1, 28, 28))
        loss.backward()
        losses.append(loss.detach())
        gradients.append(task.encoder.get_parameter("project.weight").grad)
    assert torch.equal(losses[0], losses[1])
    assert gradients[0] is not None
    assert gradients[1] is not None
    assert not torch.allclose(gradients[0], gradients[1])


def test_projector_normalises_where_asked() -> None:
    plain = projector(8, 16, 4, batch_norm=False)
    normed = projector(8, 16, 4, layers=3, end_norm=True)
    assert [type(part).__name__ for part in plain] == ["Linear", "ReLU", "Linear"]
    assert [type(part).__name__ for part in normed] == ["Linear", "BatchNorm1d", "ReLU"] * 2 + ["Linear", "BatchNorm1d"]
    z = normed(torch.randn(64, 8))
    torch.testing.assert_close(z.mean(dim=0), torch.zeros(4), atol=1e-5, rtol=0)
    assert not list(normed[-1].parameters())
    assert predictor(4, 2)(z).shape == (64, 4)
