"""The convolutional encoder of series that keeps every moment."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from sslbench.contract.spec import InputSpec
from sslbench.encoders._base import Encoder
from sslbench.encoders.series._decoder import SeriesDecoder

#: Channels of all blocks but the last, and of the last.
WIDTH, FEATURES = 64, 320

#: Blocks before the last, and moments of the feature map at most, so that all of them are seen: longer series are taken
#: in larger steps.
DEPTH, MOMENTS = 7, 128


class GeluBlock(nn.Module):
    """Two convolutions of width 3 with holes, each after a GELU, added to what came in; nothing changes the length."""

    def __init__(self, before: int, after: int, dilation: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(before, after, 3, padding=dilation, dilation=dilation)
        self.second = nn.Conv1d(after, after, 3, padding=dilation, dilation=dilation)
        self.shortcut = nn.Identity() if before == after else nn.Conv1d(before, after, 1)

    def forward(self, moments: torch.Tensor) -> torch.Tensor:
        """`(N, before, L)` to `(N, after, L)`."""
        changed = self.second(functional.gelu(self.first(functional.gelu(moments))))
        return changed + self.shortcut(moments)


class DilatedConv(Encoder):
    """TS2Vec's encoder: dilated convolutions that keep every moment, the largest over time, linear; about 0.6 M.

    Yue et al. 2022, arXiv:2106.10466, section 3.2: a map of every moment to 64 channels, residual blocks whose holes
    double (Franceschi et al. 2019, arXiv:1901.10738), 320 channels at last. Differences: seven blocks and a last
    one instead of ten and a last one; moments of series longer than 128 are several values long.

    Attributes:
        stride: values of the input per moment.
    """

    modality: ClassVar[str | None] = "series"
    any_size: ClassVar[bool] = True

    def __init__(self, input_spec: InputSpec, latent_dim: int) -> None:
        super().__init__(input_spec, latent_dim)
        channels, length = input_spec.shape
        self.stride = -(-length // MOMENTS)
        width = 2 * self.stride + 1 if self.stride > 1 else 1
        self.stem = nn.Conv1d(channels, WIDTH, width, self.stride, padding=width // 2)
        self.blocks = nn.Sequential(
            *(GeluBlock(WIDTH, WIDTH, 2**level) for level in range(DEPTH)), GeluBlock(WIDTH, FEATURES, 2**DEPTH)
        )
        self.project = nn.Linear(FEATURES, latent_dim)

    @classmethod
    def max_latent_dim(cls, input_spec: InputSpec) -> int:
        return FEATURES

    def feature_map(self, inputs: torch.Tensor) -> torch.Tensor:
        """`(N, 320, l)`, l the length over the stride, rounded up."""
        return self.blocks(self.stem(inputs))

    def pool(self, feature_map: torch.Tensor) -> torch.Tensor:
        """The largest of each channel over all moments, `(N, 320)`."""
        return feature_map.amax(dim=2)

    def halved(self, feature_map: torch.Tensor) -> torch.Tensor:
        """The largest of each channel over each half of the series."""
        return functional.adaptive_max_pool1d(feature_map, min(2, feature_map.shape[2]))

    def mirror(self) -> nn.Module:
        return SeriesDecoder(self.input_spec, self.latent_dim)
