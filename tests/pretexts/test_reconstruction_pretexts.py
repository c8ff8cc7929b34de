from __future__ import annotations

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from sslbench.contract.spec import InputError, InputSpec
from sslbench.encoders._base import Encoder
from sslbench.encoders.images.conv import Conv
from sslbench.encoders.images.vit import ViT
from sslbench.encoders.mlp import MLP
from sslbench.modalities.image import Image, gaussian_noise, masking_noise, salt_and_pepper_noise
from sslbench.pretexts._base import Pretext
from sslbench.pretexts.denoising_autoencoder import DenoisingAutoencoder, DenoisingAutoencoderConfig
from sslbench.pretexts.images.vae import VAE, VAEConfig, kl_to_standard_normal

GREY = InputSpec("image", (1, 28, 28))
COLOR = InputSpec("image", (3, 32, 32))


def loss_after(task: Pretext, batch: torch.Tensor, steps: int) -> tuple[float, float]:
    optimizer = torch.optim.AdamW(task.parameters(), lr=3e-3)
    losses = []
    for _ in range(steps):
        loss = task(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses[0], losses[-1]


# Noise


@pytest.mark.parametrize("name", Image.noises)
def test_noise_of_level_zero_changes_nothing(name: str) -> None:
    images = torch.rand(4, 3, 8, 8)
    torch.testing.assert_close(Image.noises[name](images, 0.0), images)


@pytest.mark.parametrize("name", Image.noises)
def test_noise_stays_in_range_and_leaves_its_input_alone(name: str) -> None:
    images = torch.rand(4, 3, 8, 8)
    before = images.clone()
    noisy = Image.noises[name](images, 0.8)
    assert noisy.shape == images.shape
    assert float(noisy.min()) >= 0
    assert float(noisy.max()) <= 1
    assert torch.equal(images, before)


def test_gaussian_noise_has_the_deviation_asked_for() -> None:
    grey = torch.full((64, 1, 32, 32), 0.5)
    noise = gaussian_noise(grey, 0.1) - grey
    assert float(noise.mean()) == pytest.approx(0.0, abs=2e-3)
    assert float(noise.std()) == pytest.approx(0.1, rel=0.02)


def test_masking_noise_blacks_out_the_share_asked_for_in_all_channels() -> None:
    images = torch.full((64, 3, 32, 32), 0.5)
    black = masking_noise(images, 0.3) == 0
    assert float(black.float().mean()) == pytest.approx(0.3, abs=0.01)
    assert bool((black.all(dim=1) == black.any(dim=1)).all())


def test_salt_and_pepper_are_equally_frequent() -> None:
    noisy = salt_and_pepper_noise(torch.full((64, 3, 32, 32), 0.5), 0.4)
    assert float((noisy == 0).float().mean()) == pytest.approx(0.2, abs=0.01)
    assert float((noisy == 1).float().mean()) == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("name", Image.noises)
def test_denoising_target_is_the_clean_image(name: str) -> None:
    task = DenoisingAutoencoder(Conv(GREY, 8), DenoisingAutoencoderConfig(noise=name), GREY).eval()
    batch = torch.rand(4, 1, 28, 28)
    torch.manual_seed(1)
    restored = task.reconstruct(task.corrupt(batch))
    torch.manual_seed(1)
    torch.testing.assert_close(task(batch), (restored - batch).square().mean())


def test_an_unknown_noise_is_refused_with_the_choices() -> None:
    with pytest.raises(InputError, match="noise must be 'gaussian', 'masking' or 'salt_and_pepper', not 'pink'"):
        DenoisingAutoencoderConfig(noise="pink")


# VAE


def test_kl_agrees_with_torch_distributions() -> None:
    mu, log_variance = torch.randn(32, 16), torch.randn(32, 16)
    expected = kl_divergence(Normal(mu, (0.5 * log_variance).exp()), Normal(0.0, 1.0)).sum(dim=1)
    torch.testing.assert_close(kl_to_standard_normal(mu, log_variance), expected, atol=1e-5, rtol=1e-5)


def test_kl_is_zero_for_the_prior_itself_and_positive_elsewhere() -> None:
    zero = torch.zeros(3, 5)
    assert torch.equal(kl_to_standard_normal(zero, zero), torch.zeros(3))
    assert bool((kl_to_standard_normal(zero + 0.1, zero) > 0).all())
    assert bool((kl_to_standard_normal(zero, zero - 0.1) > 0).all())


def test_vae_loss_is_the_negative_evidence_bound_per_value() -> None:
    task = VAE(Conv(GREY, 8), VAEConfig(beta=1.0), GREY).eval()
    batch = torch.rand(16, 1, 28, 28)
    torch.manual_seed(3)
    loss = task(batch)
    mu = task.encoder(batch)
    deviation = (0.5 * task.log_variance(mu)).exp()
    torch.manual_seed(3)
    z = mu + deviation * torch.randn_like(mu)
    # The continuous Bernoulli "likelihood" of the paper: x log p + (1 - x) log(1 - p), summed over pixels.
    painted = torch.sigmoid(task.decoder(z))
    log_likelihood = (batch * painted.log() + (1 - batch) * (1 - painted).log()).sum(dim=(1, 2, 3))
    kl = kl_divergence(Normal(mu, deviation), Normal(0.0, 1.0)).sum(dim=1)
    torch.testing.assert_close(loss, (kl - log_likelihood).mean() / 784)


def test_vae_samples_are_images_and_the_picture_shows_them() -> None:
    task = VAE(Conv(COLOR, 8), VAEConfig(), COLOR).eval()
    samples = task.sample(5)
    assert samples.shape == (5, 3, 32, 32)
    assert bool(((samples > 0) & (samples < 1)).all())
    assert [picture.name for picture in task.pictures(torch.rand(4, 3, 32, 32))] == ["reconstructions", "samples"]


# All of them


@pytest.mark.parametrize("encoder", [Conv, MLP, ViT])
@pytest.mark.parametrize("name", ["denoising", "vae"])
def test_loss_falls_and_gradients_reach_every_encoder_weight(name: str, encoder: type[Encoder]) -> None:
    torch.manual_seed(0)
    network = encoder(GREY, 16)
    task: Pretext
    if name == "denoising":
        task = DenoisingAutoencoder(network, DenoisingAutoencoderConfig(), GREY)
    else:
        task = VAE(network, VAEConfig(), GREY)
    stripes = (torch.arange(28) // 4 % 2).float().expand(16, 1, 28, 28) * torch.linspace(0.3, 1, 16).view(-1, 1, 1, 1)
    first, last = loss_after(task, stripes, steps=10)
    assert last < 0.9 * first
    task(stripes).backward()
    for weight_name, weight in network.named_parameters():
        assert weight.grad is not None, weight_name
        assert bool((weight.grad != 0).any()), weight_name
