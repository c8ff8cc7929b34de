"""Tell in which order an image's tiles were laid out."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from sslbench.encoders._base import Encoder
from sslbench.pretexts._base import Picture, Pretext
from sslbench.pretexts._heads import projector
from sslbench.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.views import jittered_tiles, standardised_tiles


def distant_permutations(tiles: int, count: int) -> torch.Tensor:
    """The permutations a jigsaw asks for, far from each other: int64 `(count, tiles)`, the identity first.

    Greedy as in Noroozi & Favaro 2016, algorithm 1: each next permutation has the largest Hamming distance to those
    chosen before. The largest *minimum* counts here, then the largest mean, then the order of the alphabet; the paper
    takes the largest mean and starts at random, so its set changes from run to run.

    Raises:
        ValueError: there are fewer than `count` permutations.
    """
    if not 1 <= count <= math.factorial(tiles):
        raise ValueError(f"{tiles} tiles have {math.factorial(tiles)} permutations; {count} cannot be chosen")
    every = torch.tensor(list(itertools.permutations(range(tiles))), dtype=torch.int8)
    chosen = [0]
    smallest = torch.full((len(every),), tiles, dtype=torch.int64)
    total = torch.zeros(len(every), dtype=torch.int64)
    for _ in range(count - 1):
        distance = (every != every[chosen[-1]]).sum(dim=1)
        smallest, total = torch.minimum(smallest, distance), total + distance
        chosen.append(int((smallest * tiles * count + total).argmax()))
    return every[chosen].long()


@dataclass(frozen=True)
class JigsawConfig(PretextConfig):
    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-3, batch_size=256)
    grid: int = 2
    permutations: int = 24
    gap: float = tuned(0.15, 0.0, 0.4)
    hidden_dim: int = 256


class Jigsaw(Pretext):
    """Predict the order in which an image's tiles were laid out (Noroozi & Favaro 2016, arXiv:1603.09246)."""

    Config: ClassVar[type[PretextConfig]] = JigsawConfig

    def __init__(self, encoder: Encoder, config: JigsawConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.grid, self.gap = config.grid, config.gap
        tiles = config.grid**2
        self.register_buffer("permutations", distant_permutations(tiles, config.permutations))
        self.permutations: torch.Tensor
        self.head = nn.Sequential(nn.ReLU(), projector(tiles * encoder.latent_dim, config.hidden_dim, config.permutations))

    def classify(self, tiles):
        count, number = tiles.shape[:2]
        flat = tiles.flatten(0, 1)
        if RESIZE:
            flat = functional.interpolate(flat, self.input_spec.shape[1:], mode="bilinear", antialias=False)
        feats = self.encoder(flat.contiguous(memory_format=torch.channels_last))
        return self.head(feats.unflatten(0, (count, number)).flatten(1))

    def shuffle(self, batch: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
        tiles = jittered_tiles(batch, self.grid, self.gap)
        sample = torch.arange(len(batch), device=batch.device)[:, None]
        return tiles[sample, self.permutations[order]]

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        order = torch.randint(0, len(self.permutations), (len(batch),), device=batch.device)
        tiles = self.shuffle(batch, order)
        if NORM:
            tiles = standardised_tiles(tiles)
        return functional.cross_entropy(self.classify(tiles), order)

RESIZE=True
NORM=True
