from __future__ import annotations

import warnings

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from sslbench.contract.spec import InputError, InputSpec
from sslbench.encoders._base import Encoder
from sslbench.encoders.images.conv import Conv
from sslbench.encoders.images.vit import ViT
from sslbench.encoders.mlp import MLP
from sslbench.modalities.image import gaussian_noise, masking_noise, salt_and_pepper_noise
from sslbench.pretexts._base import Pretext
from sslbench.pretexts.denoising_autoencoder import NOISES, DenoisingAutoencoder, DenoisingAutoencoderConfig
from sslbench.pretexts.images.masked_autoencoder import (
    MaskedAutoencoder,
    MaskedAutoencoderConfig,
    normalise_patches,
    split_patches,
    take,
)
from sslbench.pretexts.vae import VAE, VAEConfig, kl_to_standard_normal

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from lightly.models import utils as lightly

GREY = InputSpec("image", (1, 28, 28))
COLOR = InputSpec("image", (3, 32, 32))


def masked(encoder: type[Encoder] = ViT, spec: InputSpec = GREY, ratio: float = 0.75) -> MaskedAutoencoder:
    torch.manual_seed(0)
    return MaskedAutoencoder(encoder(spec, 16), MaskedAutoencoderConfig(mask_ratio=ratio, normalise_targets=True), spec)


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


@pytest.mark.parametrize("name", NOISES)
def test_noise_of_level_zero_changes_nothing(name: str) -> None:
    images = torch.rand(4, 3, 8, 8)
    torch.testing.assert_close(NOISES[name](images, 0.0), images)


@pytest.mark.parametrize("name", NOISES)
def test_noise_stays_in_range_and_leaves_its_input_alone(name: str) -> None:
    images = torch.rand(4, 3, 8, 8)
    before = images.clone()
    noisy = NOISES[name](images, 0.8)
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


@pytest.mark.parametrize("name", NOISES)
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


# Masking


def test_target_normalisation_agrees_with_lightly() -> None:
    patches = torch.rand(8, 49, 16)
    torch.testing.assert_close(normalise_patches(patches), lightly.normalize_mean_var(patches), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("spec", [GREY, COLOR])
def test_masked_loss_agrees_with_lightlys_patches_normalised_and_compared(spec: InputSpec) -> None:
    task = masked(spec=spec).eval()
    assert isinstance(task.encoder, ViT)
    batch = torch.rand(6, *spec.shape)
    torch.manual_seed(5)
    loss = task(batch)
    torch.manual_seed(5)
    predicted, hidden = task._predict_patches(task.encoder, batch)
    target = lightly.normalize_mean_var(lightly.patchify(batch, task.encoder.patch_size))
    expected = torch.nn.functional.mse_loss(
        lightly.get_at_index(predicted, hidden), lightly.get_at_index(target, hidden)
    )
    torch.testing.assert_close(loss, expected, atol=1e-5, rtol=1e-5)


def test_without_normalisation_the_target_is_the_pixels() -> None:
    task = MaskedAutoencoder(ViT(GREY, 16), MaskedAutoencoderConfig(normalise_targets=False), GREY).eval()
    assert isinstance(task.encoder, ViT)
    batch = torch.rand(6, 1, 28, 28)
    torch.manual_seed(5)
    loss = task(batch)
    torch.manual_seed(5)
    predicted, hidden = task._predict_patches(task.encoder, batch)
    expected = take(predicted - task.encoder.patchify(batch), hidden).square().mean()
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize(("ratio", "visible"), [(0.75, 12), (0.5, 24), (0.999, 1), (0.001, 48)])
def test_visible_and_hidden_patches_share_the_image_out(ratio: float, visible: int) -> None:
    seen, hidden = split_patches(16, 49, ratio, torch.device("cpu"))
    assert seen.shape == (16, visible)
    both = torch.cat([seen, hidden], dim=1).sort(dim=1).values
    assert torch.equal(both, torch.arange(49).expand(16, -1))
    assert not torch.equal(seen[0], seen[1])


def test_every_patch_is_hidden_equally_often() -> None:
    _, hidden = split_patches(4000, 16, 0.75, torch.device("cpu"))
    share = torch.bincount(hidden.flatten(), minlength=16) / 4000
    assert float((share - 0.75).abs().max()) < 0.04


def test_prediction_depends_on_visible_patches_only() -> None:
    task = masked().eval()
    assert isinstance(task.encoder, ViT)
    batch = torch.rand(4, 1, 28, 28)
    torch.manual_seed(7)
    before, hidden = task._predict_patches(task.encoder, batch)
    patches = task.encoder.patchify(batch)
    covered = patches.scatter(1, hidden[:, :, None].expand(-1, -1, patches.shape[2]), 0.9)
    torch.manual_seed(7)
    after, _ = task._predict_patches(task.encoder, task.encoder.unpatchify(covered))
    torch.testing.assert_close(after, before)
    assert take(before, hidden).shape == (4, 37, 16)


@pytest.mark.parametrize("spec", [GREY, COLOR, InputSpec("image", (1, 8, 8)), InputSpec("image", (3, 30, 45))])
def test_inpainting_hides_whole_patches_of_any_image(spec: InputSpec) -> None:
    task = masked(Conv, spec)
    mask = task.hide(torch.rand(8, *spec.shape))
    assert mask.shape == (8, 1, *spec.shape[1:])
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    assert float(mask.mean()) == pytest.approx(0.75, abs=0.08)


def test_inpainting_error_counts_hidden_pixels_only() -> None:
    task = masked(Conv, COLOR).eval()
    batch = torch.rand(4, 3, 32, 32)
    torch.manual_seed(9)
    loss = task(batch)
    torch.manual_seed(9)
    mask = task.hide(batch)
    painted = torch.sigmoid(task.decoder(task.encoder(batch * (1 - mask))))
    chosen = mask.expand_as(batch) > 0
    torch.testing.assert_close(loss, (painted - batch)[chosen].square().mean())


@pytest.mark.parametrize("encoder", [ViT, Conv])
def test_inpainted_pictures_keep_what_was_visible(encoder: type[Encoder]) -> None:
    task = masked(encoder).eval()
    batch = torch.rand(4, 1, 28, 28) * 0.4
    (picture,) = task.pictures(batch)
    original, covered, inpainted = picture.rows
    visible = covered != 0.5
    assert float(visible.float().mean()) == pytest.approx(12 / 49, abs=1e-3)
    torch.testing.assert_close(inpainted[visible], original[visible])


# All of them


@pytest.mark.parametrize("encoder", [Conv, MLP, ViT])
@pytest.mark.parametrize("name", ["denoising", "vae", "masked"])
def test_loss_falls_and_gradients_reach_every_encoder_weight(name: str, encoder: type[Encoder]) -> None:
    torch.manual_seed(0)
    network = encoder(GREY, 16)
    task: Pretext
    if name == "denoising":
        task = DenoisingAutoencoder(network, DenoisingAutoencoderConfig(), GREY)
    elif name == "vae":
        task = VAE(network, VAEConfig(), GREY)
    else:
        task = MaskedAutoencoder(network, MaskedAutoencoderConfig(), GREY)
    stripes = (torch.arange(28) // 4 % 2).float().expand(16, 1, 28, 28) * torch.linspace(0.3, 1, 16).view(-1, 1, 1, 1)
    first, last = loss_after(task, stripes, steps=10)
    assert last < 0.9 * first
    task(stripes).backward()
    for weight_name, weight in network.named_parameters():
        assert weight.grad is not None, weight_name
        assert bool((weight.grad != 0).any()), weight_name
