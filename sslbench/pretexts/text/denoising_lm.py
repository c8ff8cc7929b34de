"""Restore a text that was spoilt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from sslbench.contract.schema import Inside
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.encoders.text._words import TextEncoder
from sslbench.modalities.text import END, MASK, PAD, START, closed_up, deleted, spans, vocabulary_size
from sslbench.pretexts._base import Picture, Pretext
from sslbench.pretexts.text._words import guess_error

SPAN = 3
HEADS = 4


def infilled(tokens: torch.Tensor, share: float) -> torch.Tensor:
    """Each of several spans of words replaced by one sign for something hidden (arXiv:1910.13461, section 2.2)."""
    inside = spans(tokens, share, SPAN)
    first = inside & ~functional.pad(inside[:, :-1], (1, 0))
    return closed_up(tokens.masked_fill(first, MASK), ~inside | first)


def permuted_sentences(tokens: torch.Tensor) -> torch.Tensor:
    """Sentences in a random order, each with its mark; what fills up stays at the end."""
    sentence = functional.pad((tokens == END).cumsum(dim=1)[:, :-1], (1, 0))  # (N, T): the number of its sentence
    ranks = torch.rand(tokens.shape, device=tokens.device).argsort(dim=1).argsort(dim=1)
    wanted = ranks.gather(1, sentence) * tokens.shape[1] + torch.arange(tokens.shape[1], device=tokens.device)
    return tokens.gather(1, wanted.masked_fill(tokens == PAD, tokens.shape[1] ** 2 + 1).argsort(dim=1, stable=True))


@dataclass(frozen=True)
class DenoisingLMConfig(PretextConfig):
    """Settings of `DenoisingLM`. `share`: of the words that are in hidden spans; half as many are left out besides."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=1e-3, weight_decay=0.01, batch_size=64)
    share: Inside = tuned(0.3, 0.1, 0.6)


class DenoisingLM(Pretext):
    """Say the original of a spoilt text word by word (Lewis et al. 2019, BART, arXiv:1910.13461).

    Spans of words become one sign each, single words are left out or hidden, and sentences, where there are several,
    change their order. A decoder of one layer says the text, seeing what it has said so far, the encoder's tokens and,
    as one more of them, the representation, so that its projection is trained too. The loss is the cross entropy of the
    tokens in nats.
    """

    Config: ClassVar[type[PretextConfig]] = DenoisingLMConfig
    perplexed: ClassVar[bool] = True
    modality: ClassVar[str | None] = "text"

    def __init__(self, encoder: Encoder, config: DenoisingLMConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        if not isinstance(encoder, TextEncoder):
            raise TypeError(f"denoising_lm needs an encoder of texts, not {type(encoder).__name__}")
        self.encoder: TextEncoder = encoder
        self.share, width = config.share, encoder.width
        self.sentences = input_spec.views.sentences
        self.latent = nn.Linear(encoder.latent_dim, width)
        self.places = nn.Embedding(input_spec.shape[0], width)
        self.decoder = nn.TransformerDecoderLayer(
            width, HEADS, 2 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(vocabulary_size(input_spec)))

    def spoil(self, batch: torch.Tensor) -> torch.Tensor:
        """A spoilt version of texts `(N, T)`, at most as long."""
        spoilt = permuted_sentences(batch) if self.sentences else batch
        spoilt = deleted(infilled(spoilt, self.share), self.share / 2)
        return spoilt.masked_fill(spans(spoilt, self.share / 4, 1), MASK)

    def say(self, spoilt: torch.Tensor, said: torch.Tensor, asked: torch.Tensor) -> torch.Tensor:
        """What is compared with the words, `(M, D)`, for tokens of the original, each after those said before it.

        Args:
            said: what was said before each token, `(N, T)`.
            asked: which tokens, true in `(N, T)`.
        """
        features = self.encoder.feature_map(spoilt)
        latent = self.latent(self.encoder.project(self.encoder.pool(features)))
        memory = torch.cat([latent[:, None], features.transpose(1, 2)], dim=1)
        hidden = functional.pad(spoilt == PAD, (1, 0), value=False)
        places = self.places(torch.arange(said.shape[1], device=said.device))
        ahead = nn.Transformer.generate_square_subsequent_mask(said.shape[1], said.device)
        spoken = self.decoder(
            self.encoder.words(said) + places,
            memory,
            tgt_mask=ahead,
            memory_key_padding_mask=hidden,
            tgt_is_causal=True,
        )
        return self.norm(spoken[asked])

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        longest = int((batch != PAD).sum(dim=1).max())
        batch = batch[:, :longest]
        there = batch != PAD
        said = self.say(self.spoil(batch), begun(batch), there)
        return guess_error(said, self.encoder.words.weight, self.bias, batch[there])

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        spoilt = self.spoil(batch)
        there, restored = batch != PAD, torch.full_like(batch, PAD)
        said = self.say(spoilt, begun(batch), there)
        restored[there] = functional.linear(said, self.encoder.words.weight, self.bias).argmax(dim=1)
        return [Picture("restored", (batch, spoilt, restored), ("original", "spoilt", "restored"))]


def begun(tokens: torch.Tensor) -> torch.Tensor:
    """What was said before every token: a sign to start with, then the token before."""
    return functional.pad(tokens[:, :-1], (1, 0), value=START)
