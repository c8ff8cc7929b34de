"""Generate images from noise and infer the noise of images, judged by one discriminator of pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from sslbench.encoders._base import Encoder
from sslbench.pretexts._base import Picture, Pretext
from sslbench.spec import InputSpec, OptimizerConfig, PretextConfig


def flipped_losses(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """Cross entropy of logits `(N,)` for `real` being 1 and `fake` being 0; swap them for the flipped labels.

    -log D(x, E(x)) - log(1 - D(G(z), z)), averaged (Donahue et al. 2016, arXiv:1605.09782, section 3.4).
    """
    return functional.softplus(-real).mean() + functional.softplus(fake).mean()


class JointDiscriminator(nn.Module):
    """Logit `(N,)` that a pair of an image `(N, C, H, W)` and a code `(N, D)` is (x, E(x)), not (G(z), z).

    Strided convolutions read the image, a linear layer the code, two more layers both together. There is no batch
    normalisation: it would let the judgement of one pair depend on the others, true and generated.
    """

    def __init__(self, input_spec: InputSpec, latent_dim: int, width: int) -> None:
        super().__init__()
        channels, height, across = input_spec.shape
        convolutions: list[nn.Module] = []
        for before, after in ((channels, 32), (32, 64), (64, 64)):
            convolution = nn.Conv2d(before, after, 3, stride=2, padding=1)
            convolutions += [spectral_norm(convolution), nn.LeakyReLU(0.2)]
        places = -(-height // 8) * -(-across // 8)
        self.image = nn.Sequential(*convolutions, nn.Flatten(), spectral_norm(nn.Linear(64 * places, width)))
        self.code = spectral_norm(nn.Linear(latent_dim, width))
        self.pair = nn.Sequential(
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Linear(2 * width, width)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Linear(width, 1)),
        )

    def forward(self, image: torch.Tensor, code: torch.Tensor) -> torch.Tensor:
        return self.pair(torch.cat([self.image(image), self.code(code)], dim=1)).squeeze(1)


@dataclass(frozen=True)
class BiGANConfig(PretextConfig):
    """Settings of `BiGAN`."""

    optimizer: OptimizerConfig = OptimizerConfig(
        name="adam", learning_rate=1e-3, weight_decay=0.0, batch_size=64, warmup=0.0
    )
    discriminator_width: int = 256


class BiGAN(Pretext):
    """Bidirectional GAN (Donahue et al. 2016, arXiv:1605.09782)."""

    Config: ClassVar[type[PretextConfig]] = BiGANConfig

    def __init__(self, encoder: Encoder, config: BiGANConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.generator = encoder.mirror()
        self.normalise = nn.BatchNorm1d(encoder.latent_dim, affine=False)
        self.discriminator = JointDiscriminator(input_spec, encoder.latent_dim, config.discriminator_width)

    def generate(self, z: torch.Tensor) -> torch.Tensor:
        """Images `(N, C, H, W)` in (0, 1) of codes `(N, latent_dim)`."""
        return torch.sigmoid(self.generator(z))

    def infer(self, batch: torch.Tensor) -> torch.Tensor:
        """Codes `(N, latent_dim)` of images `(N, C, H, W)`, each dimension of mean 0 and variance 1 as the prior's."""
        return self.normalise(self.encoder(batch))

    def players(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Losses of the discriminator and of encoder and generator; neither has a gradient for the other side."""
        z = torch.randn(len(batch), self.encoder.latent_dim, device=batch.device)
        images = torch.cat([batch, self.generate(z)])
        codes = torch.cat([self.infer(batch), z])
        real, fake = self.discriminator(images.detach(), codes.detach()).chunk(2)
        # The same judge again with its weights held fixed: gradients pass through it to the pairs only.
        fixed = {name: weight.detach() for name, weight in self.discriminator.named_parameters()}
        judged_real, judged_fake = functional_call(self.discriminator, fixed, (images, codes)).chunk(2)
        return flipped_losses(real, fake), flipped_losses(judged_fake, judged_real)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        discriminator_loss, pair_loss = self.players(batch)
        return discriminator_loss + pair_loss

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        reconstructed = self.generate(self.infer(batch))
        samples = [
            self.generate(torch.randn(len(batch), self.encoder.latent_dim, device=batch.device)) for _ in range(3)
        ]
        return [
            Picture("reconstructions", (batch, reconstructed), ("original", "reconstruction")),
            Picture("samples", tuple(samples), ("samples",) * 3),
        ]
