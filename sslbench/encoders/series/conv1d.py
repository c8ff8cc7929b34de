"""The convolutional encoder of series that the CPU suites use."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from sslbench.contract.spec import InputSpec
from sslbench.encoders._base import Encoder
from sslbench.encoders.series._decoder import SeriesDecoder

WIDTHS = (32, 64, 128)

#: Width of the stem's convolution; in larger steps it is twice as wide as they are.
STEM = 7

#: Places that the stem leaves of a series at most: longer ones it takes in larger steps.
PLACES = 128


class DilatedBlock(nn.Module):
    """Two convolutions of width 3 with holes, batch norm and ReLU, added to what came in; halves the length if told to.

    Bai et al. 2018, arXiv:1803.01271, without its padding to one side: nothing here has to hide the future. It begins
    as its shortcut alone (Goyal et al. 2017, arXiv:1706.02677, section 5.1), which takes means and leaves out no value
    (He et al. 2019, arXiv:1812.01187, section 4.2).
    """

    def __init__(self, before: int, after: int, dilation: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(before, after, 3, stride, padding=dilation, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm1d(after)
        self.second = nn.Conv1d(after, after, 3, padding=2 * dilation, dilation=2 * dilation, bias=False)
        self.end_norm = nn.BatchNorm1d(after)
        nn.init.zeros_(self.end_norm.weight)
        self.shortcut: nn.Module = nn.Identity()
        if before != after or stride > 1:
            self.shortcut = nn.Sequential(nn.AvgPool1d(stride, ceil_mode=True), nn.Conv1d(before, after, 1))

    def forward(self, series: torch.Tensor) -> torch.Tensor:
        """`(N, before, L)` to `(N, after, L / stride)`, rounded up."""
        hidden = functional.relu(self.norm(self.first(series)))
        return functional.relu(self.end_norm(self.second(hidden)) + self.shortcut(series))


class Conv1d(Encoder):
    """Three residual blocks of dilated convolutions (32-64-128), mean over time, linear; about 0.1 M parameters.

    A residual network in time (Wang et al. 2016, arXiv:1611.06455) with the holes of temporal convolutional networks.

    Attributes:
        stride: values of the input per place of the feature map.
    """

    modality: ClassVar[str | None] = "series"
    any_size: ClassVar[bool] = True

    def __init__(self, input_spec: InputSpec, latent_dim: int) -> None:
        super().__init__(input_spec, latent_dim)
        channels, length = input_spec.shape
        step = -(-length // PLACES)
        self.stride = 4 * step
        width = max(STEM, 2 * step + 1)
        self.stem = nn.Sequential(
            nn.Conv1d(channels, WIDTHS[0], width, step, padding=width // 2, bias=False),
            nn.BatchNorm1d(WIDTHS[0]),
            nn.ReLU(inplace=True),
        )
        self.blocks = nn.Sequential(
            DilatedBlock(WIDTHS[0], WIDTHS[0], 1, 1),
            DilatedBlock(WIDTHS[0], WIDTHS[1], 2, 2),
            DilatedBlock(WIDTHS[1], WIDTHS[2], 2, 2),
        )
        self.project = nn.Linear(WIDTHS[-1], latent_dim)

    @classmethod
    def max_latent_dim(cls, input_spec: InputSpec) -> int:
        return WIDTHS[-1]

    def feature_map(self, inputs: torch.Tensor) -> torch.Tensor:
        """`(N, 128, l)` before the mean, l a quarter of the length or less."""
        return self.blocks(self.stem(inputs))

    def mirror(self) -> nn.Module:
        return SeriesDecoder(self.input_spec, self.latent_dim)
