"""The fully connected encoder of the original autoencoder."""

from __future__ import annotations

import torch
from torch import nn

from sslbench.contract.spec import InputSpec
from sslbench.encoders._base import Encoder

HIDDEN = 128


class MLP(Encoder):
    """Two linear layers, inputs-128-latent (784-128-32 on Fashion-MNIST with latent size 32).

    The encoder half of the classic deep autoencoder (Hinton & Salakhutdinov 2006,
    doi:10.1126/science.1127647) at the sizes of the introduction this project grew from.
    """

    def __init__(self, input_spec: InputSpec, latent_dim: int) -> None:
        super().__init__(input_spec, latent_dim)
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(input_spec.size, HIDDEN), nn.ReLU())
        self.project = nn.Linear(HIDDEN, latent_dim)

    @classmethod
    def max_latent_dim(cls, input_spec: InputSpec) -> int:
        return HIDDEN

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.project(self.layers(inputs))

    def feature_map(self, inputs: torch.Tensor) -> torch.Tensor:
        """The hidden layer as a map of one place, `(N, 128, 1, 1)`: a fully connected network keeps no places."""
        return self.layers(inputs)[:, :, None, None]

    def mirror(self) -> nn.Module:
        """latent-128-inputs, as in the original."""
        return nn.Sequential(
            nn.Linear(self.latent_dim, HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, self.input_spec.size),
            nn.Unflatten(1, self.input_spec.shape),
        )
