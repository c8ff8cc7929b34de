"""Generate images from codes and infer the codes of images, judged in pairs by one discriminator."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from sslbench.contract.schema import Size
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig
from sslbench.encoders._base import Encoder
from sslbench.pretexts._base import Picture, Pretext


def pair_loss(ones: torch.Tensor, zeros: torch.Tensor) -> torch.Tensor:
    """Cross entropy of logits for `ones` being 1 and `zeros` being 0, averaged over each `(N,)` and added.

    With real pairs (x, E(x)) as ones and fake pairs (G(z), z) as zeros it is -V(D, E, G), which the discriminator
    minimises; with the two exchanged it is the flipped-label loss of encoder and generator
    (Donahue et al. 2016, arXiv:1605.09782, eq. 2 and section 3.5).
    """
    return functional.softplus(-ones).mean() + functional.softplus(zeros).mean()


class Generator(nn.Module):
    """Image logits `(N, C, H, W)` of codes `(N, D)`: a linear layer to a quarter of each side, which doubles twice.

    Pixels are repeated before each convolution (Odena et al. 2016, doi:10.23915/distill.00003). The mirror of the
    encoder, whose kernels overlap unevenly on the way from 4 to 7 pixels, painted a grid that gave every image away.
    """

    def __init__(self, input_spec: InputSpec, latent_dim: int) -> None:
        super().__init__()
        channels, self.height, self.width = input_spec.shape
        self.start = (64, -(-self.height // 4), -(-self.width // 4))
        self.expand = nn.Linear(latent_dim, math.prod(self.start), bias=False)
        self.paint = nn.Sequential(
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(64, 32, 3, padding=1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(32, channels, 3, padding=1),
        )

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        hidden = self.expand(codes).unflatten(1, self.start).contiguous(memory_format=torch.channels_last)
        return self.paint(hidden)[:, :, : self.height, : self.width]


class JointDiscriminator(nn.Module):
    """Logit `(N,)` that an image `(N, C, H, W)` and a code `(N, D)` are (x, E(x)) and not (G(z), z).

    Strided convolutions read the image, a linear layer the code, two more layers both. Spectral normalisation
    (Miyato et al. 2018, arXiv:1802.05957) stands where the paper has batch normalisation, which would let the
    judgement of one pair depend on the others.
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
    """Settings of `BiGAN`. The paper: Adam at 2e-4 with a first momentum of 0.5, 400 epochs in batches of 128.

    Short runs want larger and more steps: here 1e-3 in batches of 64.
    """

    optimizer: OptimizerConfig = OptimizerConfig(name="adam_gan", learning_rate=1e-3, weight_decay=0.0, batch_size=64)
    width: Size = 256  # of the discriminator's fully connected layers


class BiGAN(Pretext):
    """Make (image, inferred code) and (generated image, code) pairs alike (Donahue et al. 2016, arXiv:1605.09782).

    Three players, one scalar: `forward` adds the discriminator's loss on detached pairs and the flipped-label loss of
    encoder and generator under a discriminator whose weights are held fixed, so each weight receives the gradient of
    its own player only and all move in the same step, as in the paper. At the equilibrium the sum is 4 log 2.

    Differences from the paper: codes are standard normal instead of uniform. The encoder's output is standardised
    over the batch before it is judged, without learned scale or shift: 128 unbounded numbers are otherwise told from
    the prior's at once, and the discriminator wins for good. The discriminator is normalised spectrally for the same
    reason.
    """

    Config: ClassVar[type[PretextConfig]] = BiGANConfig
    modality: ClassVar[str | None] = "image"

    def __init__(self, encoder: Encoder, config: BiGANConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.generator = Generator(input_spec, encoder.latent_dim)
        self.standardise = nn.BatchNorm1d(encoder.latent_dim, affine=False)
        self.discriminator = JointDiscriminator(input_spec, encoder.latent_dim, config.width)

    def infer(self, images: torch.Tensor) -> torch.Tensor:
        """E: codes `(N, latent_dim)` of images `(N, C, H, W)`, every dimension of mean 0 and variance 1."""
        return self.standardise(self.encoder(images))

    def generate(self, codes: torch.Tensor) -> torch.Tensor:
        """G: images `(N, C, H, W)` in (0, 1) of codes `(N, latent_dim)`."""
        return torch.sigmoid(self.generator(codes))

    def draw(self, batch: torch.Tensor) -> torch.Tensor:
        """As many codes from the prior N(0, I) as the batch has images, `(N, latent_dim)`."""
        return torch.randn(len(batch), self.encoder.latent_dim, device=batch.device)

    def losses(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The discriminator's loss, then that of encoder and generator; neither has a gradient for the other side."""
        z = self.draw(batch)
        images, codes = torch.cat([batch, self.generate(z)]), torch.cat([self.infer(batch), z])
        real, fake = self.discriminator(images.detach(), codes.detach()).chunk(2)
        # The same judge with its weights as constants: gradients pass through it to the pairs and end there.
        weights = {name: weight.detach() for name, weight in self.discriminator.named_parameters()}
        fixed_real, fixed_fake = functional_call(self.discriminator, weights, (images, codes)).chunk(2)
        return pair_loss(real, fake), pair_loss(fixed_fake, fixed_real)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        discriminator_loss, players_loss = self.losses(batch)
        return discriminator_loss + players_loss

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        reconstructed = self.generate(self.infer(batch))
        samples = tuple(self.generate(self.draw(batch)) for _ in range(3))
        return [
            Picture("reconstructions", (batch, reconstructed), ("original", "reconstruction")),
            Picture("samples", samples, ("samples", "samples", "samples")),
        ]
