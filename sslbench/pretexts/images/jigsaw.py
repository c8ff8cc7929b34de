"""Tell in which order an image's tiles were laid out."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from sslbench.contract.schema import ProperShare, Several, Size
from sslbench.contract.spec import InputError, InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.pretexts._base import Picture, Pretext
from sslbench.pretexts._heads import projector
from sslbench.pretexts.images._tiles import encode_tiles, jittered_tiles, mosaic, tiles_unsuitable


def distant_permutations(tiles: int, count: int) -> torch.Tensor:
    """Permutations far from each other, int64 `(count, tiles)`, the identity first; the same in every run.

    Greedy by Hamming distance as in Noroozi & Favaro 2016, algorithm 1: each next permutation is the farthest from
    those chosen before. Here the smallest distance decides, then their sum, then the alphabet; in the paper the sum
    alone, from a random start, so that its set differs from run to run and may hold close pairs.

    Raises:
        InputError: there are fewer than `count` permutations, or fewer than two are asked for.
    """
    if not 2 <= count <= math.factorial(tiles):
        raise InputError(f"{tiles} tiles have {math.factorial(tiles)} orders; jigsaw cannot tell {count} apart")
    # (tiles, orders): comparing along the long axis makes 9! orders a matter of milliseconds each.
    every = torch.from_numpy(np.array(list(itertools.permutations(range(tiles))), dtype=np.int8).T.copy())
    position = torch.arange(every.shape[1])
    chosen = [0]
    smallest, total = torch.full_like(position, tiles), torch.zeros_like(position)
    for _ in range(count - 1):
        distance = (every != every[:, chosen[-1], None]).sum(dim=0)
        smallest, total = torch.minimum(smallest, distance), total + distance
        # One number per candidate that sorts by smallest, then total, then first: torch breaks ties at will.
        merit = (smallest * tiles * count + total) * len(position) - position
        chosen.append(int(merit.argmax()))
    return every[:, chosen].T.long().contiguous()


@dataclass(frozen=True)
class JigsawConfig(PretextConfig):
    """Settings of `Jigsaw`. `gap`: share of a cell's side left out, 11 of 75 pixels in the paper."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-3, batch_size=64)  # many steps: see the class
    grid: Literal[2, 3] = 2  # tiles per side; the paper's 3 leaves 7 pixels of 28
    permutations: Several = 24  # all orders of 2 x 2 tiles; of 3 x 3 take 100 to 1,000
    gap: ProperShare = tuned(0.15, 0.0, 0.4)
    hidden_dim: Size = 256

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.permutations > math.factorial(self.grid**2):
            raise InputError(
                f"JigsawConfig: {self.grid**2} tiles have {math.factorial(self.grid**2)} orders, which "
                f"permutations {self.permutations} exceeds"
            )


class Jigsaw(Pretext):
    """Predict the order in which an image's tiles were laid out (Noroozi & Favaro 2016, arXiv:1603.09246).

    The encoder sees each tile alone; the representations, in the order laid out, name the permutation. Against
    shortcuts, as in the paper: a random gap between tiles, and no tile keeps its own mean and deviation.

    Differences from the paper: 2 x 2 tiles instead of 3 x 3, which would leave 7 to 8 of 28 to 32 pixels, less than
    one field of view of the last convolution, at more than twice the cost. All 24 orders of four tiles are then asked
    for; `permutations` picks distant ones where there are more. No random crop and no grey copies come first.
    """

    Config: ClassVar[type[PretextConfig]] = JigsawConfig
    modality: ClassVar[str | None] = "image"

    def __init__(self, encoder: Encoder, config: JigsawConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.grid, self.gap = config.grid, config.gap
        tiles = config.grid**2
        self.register_buffer("permutations", distant_permutations(tiles, config.permutations))
        self.permutations: torch.Tensor
        head = projector(tiles * encoder.latent_dim, config.hidden_dim, config.permutations)
        self.head = nn.Sequential(nn.ReLU(), head)

    @classmethod
    def unsuitable(cls, encoder_name: str, input_spec: InputSpec) -> str | None:
        return tiles_unsuitable(encoder_name, input_spec, JigsawConfig.grid)

    def shuffled_tiles(self, batch: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
        """Tiles `(N, grid * grid, C, h, w)`; place k of image i shows tile `permutations[order[i], k]`."""
        sample = torch.arange(len(batch), device=batch.device)[:, None]
        return jittered_tiles(batch, self.grid, self.gap)[sample, self.permutations[order]]

    def put_back(self, tiles: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
        """Undo the permutations `order` `(N,)` of tiles `(N, grid * grid, C, h, w)`."""
        sample = torch.arange(len(tiles), device=tiles.device)[:, None]
        return tiles[sample, self.permutations[order].argsort(dim=1)]

    def classify(self, tiles: torch.Tensor) -> torch.Tensor:
        """Logits `(N, permutations)` of the order in which tiles `(N, grid * grid, C, h, w)` lie."""
        return self.head(encode_tiles(self.encoder, tiles).flatten(1))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        order = torch.randint(0, len(self.permutations), (len(batch),), device=batch.device)
        return functional.cross_entropy(self.classify(self.shuffled_tiles(batch, order)), order)

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        order = torch.arange(1, len(batch) + 1, device=batch.device) % len(self.permutations)
        tiles = self.shuffled_tiles(batch, order)
        said = self.classify(tiles).argmax(dim=1)
        rows = (batch, mosaic(tiles, self.grid), mosaic(self.put_back(tiles, said), self.grid))
        captions = tuple(
            f"{_digits(self.permutations[o])}, said {_digits(self.permutations[s])}"
            for o, s in zip(order, said, strict=True)
        )
        return [Picture("jigsaw", rows, ("original", "shuffled", "put back"), captions)]


def _digits(permutation: torch.Tensor) -> str:
    return "".join(str(int(tile) + 1) for tile in permutation)
