"""What encoders of texts share: what fills up a text has no place in its representation."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import torch
from torch import nn

from sslbench.contract.spec import READINGS, InputSpec
from sslbench.encoders._base import Encoder
from sslbench.encoders.text._decoder import TextDecoder
from sslbench.modalities.text import vocabulary_size

WIDTH = 128
DROPOUT = 0.1


class TextEncoder(Encoder):
    """An encoder of token numbers `(N, T)`; subclasses say what becomes of their vectors.

    Attributes:
        width: D, the length of a token's vector.
    """

    modality: ClassVar[str | None] = "text"
    any_size: ClassVar[bool] = True
    readings: ClassVar[tuple[str, ...]] = READINGS[:2]

    def __init__(self, input_spec: InputSpec, latent_dim: int) -> None:
        super().__init__(input_spec, latent_dim)
        self.width = WIDTH
        self.words = nn.Embedding(vocabulary_size(input_spec), WIDTH)
        nn.init.normal_(self.words.weight, std=0.02)
        self.dropout = nn.Dropout(DROPOUT)
        self.project = nn.Linear(WIDTH, latent_dim)

    @classmethod
    def max_latent_dim(cls, input_spec: InputSpec) -> int:
        return WIDTH

    @abstractmethod
    def tokens(self, inputs: torch.Tensor) -> torch.Tensor:
        """Vectors `(N, T, D)` of tokens `(N, T)`, zero where nothing stands."""

    def feature_map(self, inputs: torch.Tensor) -> torch.Tensor:
        """`(N, D, T)`, zero where nothing stands."""
        return self.tokens(inputs).transpose(1, 2)

    def pool(self, feature_map: torch.Tensor) -> torch.Tensor:
        """The mean over the tokens there are."""
        there = (feature_map != 0).any(dim=1, keepdim=True)
        return feature_map.sum(dim=2) / there.sum(dim=2).clamp_min(1)

    def mirror(self) -> nn.Module:
        return TextDecoder(self.input_spec, self.latent_dim)
