"""The transformer encoder of series, for tasks that work on patches."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from sslbench.contract.spec import InputSpec
from sslbench.encoders._transformer import TokenEncoder, waves
from sslbench.encoders.series._decoder import SeriesDecoder

#: Patches of a series at most, and the fewest values of one.
PATCHES, SHORTEST = 32, 4


class PatchTransformer(TokenEncoder):
    """Tiny transformer on patches of a series: 4 pre-norm blocks of width 96, mean of the tokens, linear; about 0.3 M.

    Nie et al. 2022, arXiv:2211.14730, without its overlap and with all channels of a stretch in one token. A patch has
    4 values or as many as make 32 patches of a series; what no patch divides is padded with zeros at the end. A token
    is its position times one plus its content, as in `vit`.

    Attributes:
        stride: values of the input per patch.
    """

    modality: ClassVar[str | None] = "series"
    any_size: ClassVar[bool] = True

    def __init__(self, input_spec: InputSpec, latent_dim: int) -> None:
        channels, length = input_spec.shape
        stride = max(SHORTEST, -(-length // PATCHES))
        super().__init__(input_spec, latent_dim, stride * channels)
        self.stride = stride
        self.num_patches = -(-length // stride)

    def place_vectors(self, width: int) -> torch.Tensor:
        return waves(torch.arange(self.num_patches).float(), width)

    def patchify(self, inputs: torch.Tensor) -> torch.Tensor:
        """Cut `(N, C, L)` into `(N, P, C * stride)`, channel after channel."""
        padded = functional.pad(inputs, (0, -inputs.shape[2] % self.stride))
        return padded.unflatten(2, (-1, self.stride)).transpose(1, 2).flatten(2)

    def unpatchify(self, patches: torch.Tensor) -> torch.Tensor:
        channels, length = self.input_spec.shape
        return patches.unflatten(2, (channels, self.stride)).transpose(1, 2).flatten(2)[:, :, :length]

    def embed(self, inputs: torch.Tensor) -> torch.Tensor:
        content = self.patch_projection(self.patchify(inputs))
        places = torch.arange(content.shape[1], dtype=torch.float32, device=content.device)
        return waves(places, self.width) * (1 + content)

    def feature_map(self, inputs: torch.Tensor) -> torch.Tensor:
        """Encoded tokens in their order, `(N, 96, P)`."""
        return self.tokens(inputs).transpose(1, 2)

    def mirror(self) -> nn.Module:
        return SeriesDecoder(self.input_spec, self.latent_dim)
