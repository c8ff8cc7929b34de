"""What encoders of tokens share: the block, and an encoder whose inputs can be given in part."""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
from torch import nn
from torch.nn import functional

from sslbench.contract.spec import InputSpec
from sslbench.encoders._base import Encoder

WIDTH = 96
DEPTH = 4
HEADS = 4
MLP_RATIO = 2

#: The longest wave of a position is 2 pi times so many patches. At the 10,000 that suits sentences, two thirds of the
#: waves hardly change over a grid of 7 x 7.
LONGEST_WAVE = 20.0


class Block(nn.Module):
    """One pre-norm transformer block on tokens `(N, K, D)`: self-attention, then a two-layer perceptron.

    Vaswani et al. 2017, arXiv:1706.03762, with the normalisation first as in ViT. Masked tasks build their
    decoders and predictors from it too.
    """

    def __init__(self, width: int, heads: int, mlp_ratio: float = MLP_RATIO) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention, self.norm_mlp = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.merge = nn.Linear(width, width)
        hidden = int(width * mlp_ratio)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
        initialise(self)

    def _split_heads(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        packed = self.queries_keys_values(self.norm_attention(tokens))
        queries, keys, values = packed.unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return queries, keys, values

    def forward(self, tokens: torch.Tensor, seen: torch.Tensor | None = None) -> torch.Tensor:
        """Tokens `(N, K, D)` to tokens; `seen`, `(N or 1, 1, K or 1, K)`, says which may be looked at, None for all."""
        heads = self._split_heads(tokens)
        mixed = functional.scaled_dot_product_attention(*heads, attn_mask=seen)  # (N, heads, K, D / heads)
        tokens = tokens + self.merge(mixed.transpose(1, 2).flatten(2))
        return tokens + self.mlp(self.norm_mlp(tokens))

    def attention(self, tokens: torch.Tensor) -> torch.Tensor:
        """How much each token (third axis) looks at each other one (fourth): `(N, heads, K, K)`, rows sum to 1."""
        queries, keys, _ = self._split_heads(tokens)
        return (queries @ keys.transpose(2, 3) / math.sqrt(queries.shape[3])).softmax(dim=3)


def initialise(network: nn.Module) -> None:
    """Xavier-uniform weights and zero biases for every linear layer, as the reference code of MAE and I-JEPA has it.

    ViT's own truncated normal of 0.02 is tuned to widths of 768 and would leave a width of 96 nearly dead.
    """
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)


def waves(places: torch.Tensor, width: int) -> torch.Tensor:
    """Sines and cosines `(P, width)` of places `(P,)` at frequencies from 1 to 1/20 (arXiv:1706.03762, section 3.5)."""
    frequencies = LONGEST_WAVE ** -(torch.arange(width // 2, device=places.device) / (width // 2))
    angles = places[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def take(tokens: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """The tokens `(N, K, D)` of `(N, P, D)` at places `(N, K)`."""
    return tokens.gather(1, places[:, :, None].expand(-1, -1, tokens.shape[2]))


class TokenEncoder(Encoder):
    """A small transformer on one token a patch: 4 pre-norm blocks of width 96, mean of the tokens, linear; about 0.3 M.

    Subclasses say what a patch is. Patches can be left out, which masked tasks live on.

    Attributes:
        num_patches: P, of a full-size input.
        patch_values: numbers that a patch holds.
        width: D, the length of a token.
    """

    num_patches: int
    patch_values: int

    def __init__(self, input_spec: InputSpec, latent_dim: int, patch_values: int) -> None:
        super().__init__(input_spec, latent_dim)
        self.width = WIDTH
        self.patch_values = patch_values
        self.patch_projection = nn.Linear(patch_values, WIDTH)
        self.blocks = nn.Sequential(*[Block(WIDTH, HEADS) for _ in range(DEPTH)])
        self.norm = nn.LayerNorm(WIDTH)
        self.project = nn.Linear(WIDTH, latent_dim)
        initialise(self.patch_projection)

    @classmethod
    def max_latent_dim(cls, input_spec: InputSpec) -> int:
        return WIDTH

    @abstractmethod
    def patchify(self, inputs: torch.Tensor) -> torch.Tensor:
        """Cut inputs `(N, ...)` of any size into patches `(N, P, patch_values)`."""

    @abstractmethod
    def unpatchify(self, patches: torch.Tensor) -> torch.Tensor:
        """Put the patches `(N, P, patch_values)` of full-size inputs together again, `(N, ...)`."""

    @abstractmethod
    def embed(self, inputs: torch.Tensor) -> torch.Tensor:
        """Patch tokens `(N, P, D)` in their places, before any block."""

    @abstractmethod
    def place_vectors(self, width: int) -> torch.Tensor:
        """Fixed vectors `(P, width)` of the places of a full-size input's patches, as its own tokens have."""

    def encode_tokens(self, tokens: torch.Tensor) -> torch.Tensor:
        """All blocks and the final normalisation on any subset of the tokens, `(N, K, D)` to `(N, K, D)`."""
        return self.norm(self.blocks(tokens))

    def tokens(self, inputs: torch.Tensor) -> torch.Tensor:
        """Encoded tokens `(N, P, D)` of inputs `(N, ...)` of any size."""
        return self.encode_tokens(self.embed(inputs))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.project(self.tokens(inputs).mean(dim=1))
