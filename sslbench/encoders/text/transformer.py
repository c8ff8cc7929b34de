"""The transformer encoder of texts."""

from __future__ import annotations

import torch
from torch import nn

from sslbench.contract.spec import InputSpec
from sslbench.encoders._transformer import Block
from sslbench.encoders.text._words import WIDTH, TextEncoder
from sslbench.modalities.text import PAD

DEPTH, HEADS = 4, 4

#: Texts of about one length that are read at a time, cut to the longest of them.
BUCKET = 16

LONGEST = 512


class Transformer(TextEncoder):
    """Small transformer: 4 pre-norm blocks of width 128 on tokens with learned places, mean of the tokens, linear.

    Devlin et al. 2018 (BERT, arXiv:1810.04805), with the normalisation first and the mean instead of a first token.
    What fills up costs next to nothing: texts are sorted by length and read in buckets of 16, each cut to its longest.

    Attributes:
        causal: 1 where no token sees a later one, which tasks that predict the next word set; part of its state.
    """

    def __init__(self, input_spec: InputSpec, latent_dim: int) -> None:
        super().__init__(input_spec, latent_dim)
        self.places = nn.Embedding(LONGEST, WIDTH)
        nn.init.normal_(self.places.weight, std=0.02)
        self.blocks = nn.ModuleList(Block(WIDTH, HEADS) for _ in range(DEPTH))
        self.norm = nn.LayerNorm(WIDTH)
        self.register_buffer("causal", torch.zeros((), dtype=torch.uint8))
        self.causal: torch.Tensor

    def tokens(self, inputs: torch.Tensor) -> torch.Tensor:
        lengths = (inputs != PAD).sum(dim=1)
        order = lengths.argsort()
        read = inputs.new_zeros(*inputs.shape, self.width, dtype=self.words.weight.dtype)
        parts = []
        for chosen in order.split(BUCKET):
            longest = max(1, int(lengths[chosen[-1]]))
            vectors = self._read(inputs[chosen, :longest])
            parts.append(nn.functional.pad(vectors, (0, 0, 0, inputs.shape[1] - longest)))
        return read.index_copy(0, order, torch.cat(parts).to(read.dtype))

    def _read(self, inputs: torch.Tensor) -> torch.Tensor:
        there = inputs != PAD
        seen = there[:, None, None]
        if self.causal:
            count = inputs.shape[1]
            seen = seen & torch.ones(count, count, dtype=torch.bool, device=inputs.device).tril()
        places = self.places(torch.arange(inputs.shape[1], device=inputs.device))
        vectors = self.dropout(self.words(inputs) + places)
        for block in self.blocks:
            vectors = block(vectors, seen)
        return self.norm(vectors) * there[:, :, None]
