"""Guess the next word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig
from sslbench.encoders import ENCODERS
from sslbench.encoders._base import Encoder
from sslbench.encoders.text.transformer import Transformer
from sslbench.modalities.text import PAD
from sslbench.pretexts._base import Picture, Pretext
from sslbench.pretexts.text._words import WordHead, guess_error

#: Words that a picture continues a text by, and words it is given.
CONTINUED, GIVEN = 12, 8


@dataclass(frozen=True)
class CausalLMConfig(PretextConfig):
    """Settings of `CausalLM`."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=1e-3, weight_decay=0.01, batch_size=64)


class CausalLM(Pretext):
    """Predict every word from those before it (Radford et al. 2018, "Improving language understanding", GPT).

    No token sees a later one, in training as in evaluation (Vaswani et al. 2017, arXiv:1706.03762, section 3.2.3). The
    loss is the cross entropy of the next token in nats; its exponential is the perplexity. The projected mean of all
    tokens so far takes part in the guess, so that what is evaluated is trained.
    """

    Config: ClassVar[type[PretextConfig]] = CausalLMConfig
    perplexed: ClassVar[bool] = True
    modality: ClassVar[str | None] = "text"

    def __init__(self, encoder: Encoder, config: CausalLMConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        if not isinstance(encoder, Transformer):
            raise TypeError(f"causal_lm needs encoder 'transformer', not {type(encoder).__name__}")
        self.encoder: Transformer = encoder
        encoder.causal.fill_(1)
        self.head = WordHead(encoder)

    @classmethod
    def unsuitable(cls, encoder_name: str, input_spec: InputSpec) -> str | None:
        if issubclass(ENCODERS.get(encoder_name), Transformer):
            return None
        return f"needs an encoder that reads in order, as 'transformer' does; {encoder_name!r} does not"

    def read(self, tokens: torch.Tensor, asked: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Vectors and representations of the text so far, at the places that are asked for, true in `(N, T)`."""
        vectors = self.encoder.tokens(tokens)
        counts = (tokens != PAD).cumsum(dim=1).clamp_min(1)
        so_far = self.encoder.project(vectors.cumsum(dim=1) / counts[:, :, None])
        return vectors[asked], so_far[asked]

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        there = batch[:, 1:] != PAD  # after the others nothing is said
        said = self.head.said(*self.read(batch[:, :-1], there))
        return guess_error(said, self.encoder.words.weight, self.head.bias, batch[:, 1:][there])

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        """Each text's first words, continued by the likeliest ones."""
        given = min(GIVEN, batch.shape[1] // 2)
        said = batch[:, :given]
        for _ in range(min(CONTINUED, batch.shape[1] - given)):
            last = torch.arange(said.shape[1], device=said.device).expand_as(said) == said.shape[1] - 1
            scores = self.head(*self.read(said, last), self.encoder.words.weight)
            next_one = scores[:, PAD + 1 :].argmax(dim=1, keepdim=True) + PAD + 1
            said = torch.cat([said, next_one], dim=1)
        return [Picture("continuations", (batch, batch[:, :given], said), ("original", "given", "continued"))]
