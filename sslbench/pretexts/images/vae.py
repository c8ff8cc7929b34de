"""Describe the input by a distribution over representations that could have generated it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from sslbench.contract.schema import NonNegative
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.pretexts._base import Picture, Pretext


def kl_to_standard_normal(mu: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """KL(N(mu, diag(sigma^2)) || N(0, I)) of each sample, in nats (Kingma & Welling 2013, appendix B).

    Args:
        mu: means `(N, D)`.
        log_variance: log sigma^2 `(N, D)`.

    Returns:
        `(N,)`: 1/2 sum_j (mu_j^2 + sigma_j^2 - log sigma_j^2 - 1).
    """
    return 0.5 * (mu.square() + log_variance.exp() - log_variance - 1).sum(dim=1)


@dataclass(frozen=True)
class VAEConfig(PretextConfig):
    """Settings of `VAE`. `beta` weighs the KL term; 1 is the evidence lower bound."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-3, batch_size=128)
    beta: NonNegative = tuned(1.0, 0.01, 4.0, log=True)


class VAE(Pretext):
    """Variational autoencoder whose representation is the posterior's mean (Kingma & Welling 2013, arXiv:1312.6114).

    The loss is the negative evidence lower bound in nats per input value, with Bernoulli likelihood, so that one
    learning rate serves all image sizes. `beta` is Higgins et al. 2017 (beta-VAE).

    Difference from the paper: there the mean and the log-variance are two layers on the last hidden one. Here the
    encoder's output is the mean, since that is what is probed, and the log-variance is a small head on the mean, so
    it can depend on the input only through the mean. A head on `feature_map` would be closer to the paper, but would
    run the encoder twice per step and update its batch statistics twice.
    """

    Config: ClassVar[type[PretextConfig]] = VAEConfig
    modality: ClassVar[str | None] = "image"

    def __init__(self, encoder: Encoder, config: VAEConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.beta = config.beta
        self.log_variance = nn.Sequential(
            nn.Linear(encoder.latent_dim, encoder.latent_dim),
            nn.ReLU(inplace=True),
            nn.Linear(encoder.latent_dim, encoder.latent_dim),
        )
        self.decoder = encoder.mirror()

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        mu = self.encoder(batch)
        log_variance = self.log_variance(mu)
        z = mu + (0.5 * log_variance).exp() * torch.randn_like(mu)
        negative_log_likelihood = functional.binary_cross_entropy_with_logits(self.decoder(z), batch)
        kl = kl_to_standard_normal(mu, log_variance).mean()
        return negative_log_likelihood + self.beta * kl / self.input_spec.size

    def sample(self, count: int) -> torch.Tensor:
        """Images `(count, C, H, W)` in (0, 1) decoded from draws of the prior N(0, I)."""
        z = torch.randn(count, self.encoder.latent_dim, device=next(self.decoder.parameters()).device)
        return torch.sigmoid(self.decoder(z))

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        reconstructed = torch.sigmoid(self.decoder(self.encoder(batch)))
        samples = tuple(self.sample(len(batch)) for _ in range(3))
        return [
            Picture("reconstructions", (batch, reconstructed), ("original", "reconstruction")),
            Picture("samples", samples, ("samples", "samples", "samples")),
        ]
