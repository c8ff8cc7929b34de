"""BiGAN's one scalar gives every player its own gradient, in the right direction."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pytest
import torch
from torch import nn
from torch.nn import functional

from sslbench.contract.spec import InputSpec
from sslbench.encoders.images.conv import Conv
from sslbench.pretexts.images.bigan import BiGAN, BiGANConfig, JointDiscriminator, pair_loss

SPEC = InputSpec("image", (1, 12, 12))


@pytest.fixture
def task() -> BiGAN:
    """In evaluation mode, where the loss depends on weights and draws only: no batch statistics, no power steps."""
    torch.manual_seed(0)
    task = BiGAN(Conv(SPEC, 8), BiGANConfig(width=16), SPEC)
    for _ in range(10):
        task(batch())
    return task.eval()


def batch(count: int = 16) -> torch.Tensor:
    return torch.rand(count, 1, 12, 12, generator=torch.Generator().manual_seed(1))


def losses(task: BiGAN) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(5)
    return task.losses(batch())


def players(task: BiGAN) -> list[nn.Parameter]:
    return [*task.encoder.parameters(), *task.generator.parameters()]


def gradients(loss: torch.Tensor, weights: Iterable[nn.Parameter]) -> list[torch.Tensor | None]:
    return list(torch.autograd.grad(loss, list(weights), allow_unused=True, retain_graph=True))


def step(weights: Iterable[nn.Parameter], by: Iterable[torch.Tensor | None], rate: float) -> None:
    with torch.no_grad():
        for weight, gradient in zip(weights, by, strict=True):
            if gradient is not None:
                weight.sub_(rate * gradient)


def test_the_pair_loss_is_binary_cross_entropy() -> None:
    real, fake = torch.randn(6), torch.randn(6)
    expected = functional.binary_cross_entropy_with_logits(real, torch.ones(6))
    expected = expected + functional.binary_cross_entropy_with_logits(fake, torch.zeros(6))
    assert torch.allclose(pair_loss(real, fake), expected, atol=1e-6)


def test_an_undecided_discriminator_gives_four_times_log_two(task: BiGAN) -> None:
    undecided = nn.Linear(16, 1)
    nn.init.zeros_(undecided.weight)
    nn.init.zeros_(undecided.bias)
    task.discriminator.pair[-1] = undecided
    assert float(task(batch()).detach()) == pytest.approx(4 * math.log(2), rel=1e-6)


def test_the_two_losses_see_the_same_logits(task: BiGAN) -> None:
    torch.manual_seed(5)
    codes = task.draw(batch())
    real, fake = task.discriminator(batch(), task.infer(batch())), task.discriminator(task.generate(codes), codes)
    for loss, expected in zip(losses(task), (pair_loss(real, fake), pair_loss(fake, real)), strict=True):
        assert torch.allclose(loss, expected, atol=1e-5)


def test_the_discriminators_loss_has_no_gradient_for_encoder_and_generator(task: BiGAN) -> None:
    assert all(gradient is None for gradient in gradients(losses(task)[0], players(task)))


def test_the_players_loss_has_no_gradient_for_the_discriminator(task: BiGAN) -> None:
    assert all(gradient is None for gradient in gradients(losses(task)[1], task.discriminator.parameters()))


def test_the_scalars_gradient_reaches_every_weight_of_all_three(task: BiGAN) -> None:
    task.train()(batch()).backward()
    for name, weight in task.named_parameters():
        assert weight.grad is not None, name
        # The encoder's last bias is taken out again where codes are standardised.
        assert name == "encoder.project.bias" or float(weight.grad.abs().sum()) > 0, name


def test_each_weight_gets_the_gradient_of_its_own_players_loss(task: BiGAN) -> None:
    discriminator_loss, players_loss = losses(task)
    torch.manual_seed(5)
    total = task(batch())
    for weights, own in ((list(task.discriminator.parameters()), discriminator_loss), (players(task), players_loss)):
        for all_together, alone in zip(gradients(total, weights), gradients(own, weights), strict=True):
            assert all_together is not None
            assert alone is not None
            assert torch.allclose(all_together, alone, atol=1e-7)


def test_the_players_gradient_is_that_of_the_written_out_flipped_loss(task: BiGAN) -> None:
    torch.manual_seed(5)
    codes = task.draw(batch())
    real = task.discriminator(batch(), task.infer(batch()))
    fake = task.discriminator(task.generate(codes), codes)
    flipped = -(torch.log(1 - torch.sigmoid(real)).mean() + torch.log(torch.sigmoid(fake)).mean())
    expected = gradients(flipped, players(task))
    for found, wanted in zip(gradients(losses(task)[1], players(task)), expected, strict=True):
        assert found is not None
        assert wanted is not None
        assert torch.allclose(found, wanted, atol=1e-6)


def test_a_step_of_the_discriminator_lowers_its_loss_and_raises_the_players(task: BiGAN) -> None:
    before = [float(loss.detach()) for loss in losses(task)]
    weights = list(task.discriminator.parameters())
    step(weights, gradients(losses(task)[0], weights), 0.05)
    after = [float(loss.detach()) for loss in losses(task)]
    assert after[0] < before[0]
    assert after[1] > before[1]


def test_a_step_of_encoder_and_generator_lowers_their_loss_and_raises_the_discriminators(task: BiGAN) -> None:
    before = [float(loss.detach()) for loss in losses(task)]
    step(players(task), gradients(losses(task)[1], players(task)), 0.05)
    after = [float(loss.detach()) for loss in losses(task)]
    assert after[1] < before[1]
    assert after[0] > before[0]


@pytest.mark.parametrize("side", [8, 28, 33])
def test_a_pairs_judgement_does_not_depend_on_the_other_pairs(side: int) -> None:
    torch.manual_seed(0)
    discriminator = JointDiscriminator(InputSpec("image", (3, side, side)), 8, 16).eval()
    images, codes = torch.rand(4, 3, side, side), torch.randn(4, 8)
    assert torch.allclose(discriminator(images, codes)[:2], discriminator(images[:2], codes[:2]), atol=1e-6)


def test_codes_of_a_batch_have_the_priors_mean_and_variance(task: BiGAN) -> None:
    codes = task.train().infer(batch(64))
    assert torch.allclose(codes.mean(dim=0), torch.zeros(8), atol=1e-5)
    assert torch.allclose(codes.var(dim=0, correction=0), torch.ones(8), atol=0.05)


def test_pictures_are_reconstructions_and_samples_of_the_right_shape(task: BiGAN) -> None:
    with torch.no_grad():
        reconstructions, samples = task.pictures(batch(3))
    for row in (*reconstructions.rows, *samples.rows):
        assert row.shape == (3, 1, 12, 12)
        assert 0 <= float(row.min()) <= float(row.max()) <= 1
