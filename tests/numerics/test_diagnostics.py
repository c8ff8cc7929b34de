"""The label-free measures give the known answers of spectra and spheres whose answers are known."""

from __future__ import annotations

import math
import warnings

import pytest
import torch
from torch.nn import functional

from sslbench.numerics.diagnostics import (
    NUM_LIDAR_SAMPLES,
    NUM_SAMPLES,
    alignment,
    alpha_req,
    collapsed,
    diagnose,
    lidar,
    per_dimension_std,
    rankme,
    uniformity,
)


def gaussian(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def with_spectrum(eigenvalues: torch.Tensor, count: int) -> torch.Tensor:
    """Centred features `(count, D)` whose covariance has exactly these eigenvalues, in a random basis."""
    dim = len(eigenvalues)
    noise = gaussian(count, dim).double()
    left = torch.linalg.qr(noise - noise.mean(dim=0)).Q
    right = torch.linalg.qr(gaussian(dim, dim, seed=1).double()).Q
    return left * eigenvalues.double().sqrt() @ right.T


def healthy(seed: int = 0, dim: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
    """Spread features `(N, D)` and views `(M, V, D)` that scatter a little about one centre per sample."""
    centres = gaussian(500, 1, dim, seed=seed)
    return centres[:, 0], centres + 0.1 * gaussian(500, 4, dim, seed=seed + 1)


def test_rankme_of_an_isotropic_gaussian_is_nearly_its_dimension() -> None:
    assert rankme(gaussian(4096, 32)) == pytest.approx(32, rel=0.01)


def test_rankme_of_a_flat_spectrum_of_rank_k_is_k() -> None:
    flat = torch.cat([torch.ones(5), torch.zeros(27)])
    assert rankme(with_spectrum(flat, 256)) == pytest.approx(5, rel=1e-4)


def test_rankme_of_a_constant_is_one_and_of_zeros_zero() -> None:
    assert rankme(torch.ones(64, 8)) == pytest.approx(1, rel=1e-4)
    assert rankme(torch.zeros(64, 8)) == 0


def test_rankme_does_not_depend_on_scale_or_rotation() -> None:
    features = gaussian(256, 8) * torch.arange(1, 9)
    turn = torch.linalg.qr(gaussian(8, 8, seed=3)).Q
    assert rankme(7 * features @ turn) == pytest.approx(rankme(features), rel=1e-5)


def test_rankme_of_two_singular_values_is_its_entropy_by_hand() -> None:
    features = torch.diag(torch.tensor([3.0, 1.0]))
    assert rankme(features) == pytest.approx(math.exp(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25))), rel=1e-5)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0, 2.5])
def test_alpha_of_a_power_law_spectrum_is_its_exponent(alpha: float) -> None:
    eigenvalues = torch.arange(1, 33).double() ** -alpha
    assert alpha_req(with_spectrum(eigenvalues, 256) + 5) == pytest.approx(alpha, abs=1e-6)


def test_alpha_leaves_out_dimensions_that_are_always_zero() -> None:
    features = with_spectrum(torch.arange(1, 17).double() ** -1.0, 128)
    assert alpha_req(functional.pad(features, (0, 8))) == pytest.approx(1, abs=1e-6)


def test_alpha_of_a_constant_is_not_a_number() -> None:
    assert math.isnan(alpha_req(torch.ones(64, 8)))


def test_lidar_of_isotropic_classes_is_nearly_the_dimension() -> None:
    views = gaussian(4000, 1, 8) + 0.1 * gaussian(4000, 10, 8, seed=1)
    assert lidar(views) == pytest.approx(8, rel=0.01)


def test_lidar_counts_only_directions_that_survive_the_views() -> None:
    centres = torch.cat([gaussian(2000, 1, 3), torch.zeros(2000, 1, 5)], dim=2)
    views = centres + 0.01 * gaussian(2000, 10, 8, seed=1)
    assert rankme(views[:, 0]) < 8
    assert lidar(views) == pytest.approx(3, rel=0.02)


def test_lidar_of_constant_features_is_zero() -> None:
    assert lidar(torch.ones(100, 4, 8)) == 0


def test_lidar_does_not_depend_on_an_invertible_map_once_delta_is_small() -> None:
    _, views = healthy(dim=6)
    stretch = gaussian(6, 6, seed=9) + 3 * torch.eye(6)
    assert lidar(views @ stretch, delta=1e-9) == pytest.approx(lidar(views, delta=1e-9), rel=1e-4)


def test_lidar_agrees_with_the_papers_formula_written_out() -> None:
    views = (gaussian(50, 1, 5) * torch.arange(1, 6) + gaussian(50, 3, 5, seed=1)).double()
    means = views.mean(dim=1)
    between = torch.cov(means.T, correction=0)
    within = torch.stack([torch.cov(sample.T, correction=0) for sample in views]).mean(dim=0) + 1e-4 * torch.eye(5)
    values, vectors = torch.linalg.eigh(within)
    root = vectors @ torch.diag(values**-0.5) @ vectors.T
    p = torch.linalg.eigvalsh(root @ between @ root)
    p = p / p.sum() + 1e-7
    assert lidar(views) == pytest.approx(float(torch.exp(-(p * p.log()).sum())), rel=1e-8)


def test_uniformity_of_two_opposite_points_is_minus_four_t() -> None:
    assert uniformity(torch.tensor([[2.0, 0.0], [-3.0, 0.0]])) == pytest.approx(-8)


def test_uniformity_of_an_orthonormal_basis_is_minus_two_t() -> None:
    assert uniformity(5 * torch.eye(6)) == pytest.approx(-4)
    assert uniformity(torch.eye(6), t=0.5) == pytest.approx(-1)


def test_uniformity_of_one_direction_is_zero() -> None:
    assert uniformity(torch.arange(1.0, 5.0)[:, None] * torch.ones(1, 3)) == pytest.approx(0, abs=1e-9)


def test_uniformity_on_the_circle_is_a_bessel_function() -> None:
    angles = torch.arange(2000).double() * (2 * math.pi / 2000)
    circle = torch.stack([angles.cos(), angles.sin()], dim=1)
    expected = math.log(float(torch.special.i0e(torch.tensor(4.0, dtype=torch.float64))))  # exp(-4) I0(4)
    assert uniformity(circle) == pytest.approx(expected, abs=2e-3)


def test_alignment_is_the_mean_squared_distance_over_all_pairs_of_views() -> None:
    views = gaussian(20, 4, 6).double()
    z = functional.normalize(views, dim=2)
    pairs = [(z[:, a] - z[:, b]).square().sum(dim=1).mean() for a in range(4) for b in range(a)]
    assert alignment(views) == pytest.approx(float(torch.stack(pairs).mean()), rel=1e-9)


def test_alignment_is_zero_for_equal_views_two_for_orthogonal_and_four_for_opposite_ones() -> None:
    x, y = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 3.0])
    assert alignment(torch.stack([x, 2 * x])[None]) == pytest.approx(0, abs=1e-12)
    assert alignment(torch.stack([x, y])[None]) == pytest.approx(2)
    assert alignment(torch.stack([x, -x])[None]) == pytest.approx(4)


def test_per_dimension_std_agrees_with_lightly() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lightly.utils.debug import std_of_l2_normalized
    features = gaussian(256, 16) + 1
    assert per_dimension_std(features) == pytest.approx(float(std_of_l2_normalized(features)), abs=1e-6)


def test_per_dimension_std_of_an_even_spread_is_one_over_the_root_of_the_dimension() -> None:
    assert per_dimension_std(gaussian(4096, 64)) == pytest.approx(1 / 8, rel=0.01)


def test_a_diagnosis_has_every_measure_and_draws_no_random_number() -> None:
    features, views = healthy()
    before = torch.random.get_rng_state()
    diagnosis = diagnose(features, views)
    assert torch.equal(before, torch.random.get_rng_state())
    assert set(diagnosis) == {"rankme", "alpha_req", "lidar", "uniformity", "alignment", "per_dimension_std"}
    assert all(math.isfinite(value) for value in diagnosis.values())


def test_a_diagnosis_looks_at_a_fixed_number_of_samples() -> None:
    features, views = gaussian(NUM_SAMPLES + 500, 4), gaussian(NUM_LIDAR_SAMPLES + 500, 2, 4)
    assert diagnose(features, views) == diagnose(features[:NUM_SAMPLES], views[:NUM_LIDAR_SAMPLES])


def test_features_that_are_not_finite_are_refused() -> None:
    features, views = healthy()
    with pytest.raises(ValueError, match="not finite"):
        diagnose(features * float("nan"), views)


def test_spread_features_are_not_collapsed() -> None:
    assert collapsed(diagnose(*healthy()), 16) is None
    assert collapsed(diagnose(*healthy(dim=2)), 2) is None


def test_a_constant_with_a_little_noise_is_a_complete_collapse() -> None:
    features, views = healthy()
    reason = collapsed(diagnose(1 + 1e-3 * features, 1 + 1e-3 * views), 16)
    assert reason is not None
    assert "complete" in reason


def test_a_constant_without_noise_is_a_complete_collapse() -> None:
    reason = collapsed(diagnose(torch.ones(300, 16), torch.ones(300, 4, 16)), 16)
    assert reason is not None
    assert "complete" in reason


def test_features_on_a_line_are_a_dimensional_collapse() -> None:
    features, views = healthy()
    line = gaussian(1, 16, seed=7)
    reason = collapsed(diagnose(features[:, :1] * line, views[..., :1] * line), 16)
    assert reason is not None
    assert "dimensional" in reason
