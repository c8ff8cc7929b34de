"""The decoder that mirrors the encoders of texts."""

from __future__ import annotations

import torch
from torch import nn

from sslbench.contract.spec import InputSpec
from sslbench.modalities.text import vocabulary_size

WIDTH = 64


class TextDecoder(nn.Module):
    """Latent `(N, latent_dim)` to scores of every token at every place `(N, T, V)`: linear, ReLU, linear per place."""

    def __init__(self, input_spec: InputSpec, latent_dim: int) -> None:
        super().__init__()
        self.places = input_spec.shape[0]
        self.expand = nn.Linear(latent_dim, WIDTH * self.places)
        self.score = nn.Linear(WIDTH, vocabulary_size(input_spec))

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Decode `(N, latent_dim)` into scores `(N, T, V)`."""
        return self.score(self.expand(latent).unflatten(1, (self.places, WIDTH)).relu())
