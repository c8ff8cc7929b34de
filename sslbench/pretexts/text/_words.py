"""What tasks on words share: which words are hidden and how, and the layer that guesses words."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from sslbench.encoders.text._words import TextEncoder
from sslbench.modalities.text import MASK, SPECIAL, is_word, vocabulary_size

#: Of the chosen words, what share is hidden and what share becomes another word; the rest stays (arXiv:1810.04805).
HIDDEN, CHANGED = 0.8, 0.1

#: Places whose words are scored at a time: a third faster than all at once, in blocks of one size whatever the texts'.
PART = 256


def choose(tokens: torch.Tensor, share: float) -> torch.Tensor:
    """A mask `(N, T)` of words to be guessed: that share of every text's, rounded, at least one."""
    words = is_word(tokens)
    wanted = (share * words.sum(dim=1, keepdim=True)).round().clamp_min(1)
    ranks = torch.rand(tokens.shape, device=tokens.device).masked_fill(~words, 2.0).argsort(dim=1).argsort(dim=1)
    return (ranks < wanted) & words


def hide(tokens: torch.Tensor, chosen: torch.Tensor, vocabulary: int) -> torch.Tensor:
    """Of the chosen words 80% hidden, 10% other words, 10% as they are."""
    fate = torch.rand(tokens.shape, device=tokens.device)
    others = torch.randint(len(SPECIAL), vocabulary, tokens.shape, device=tokens.device)
    shown = torch.where(chosen & (fate < HIDDEN), MASK, tokens)
    return torch.where(chosen & (fate >= HIDDEN) & (fate < HIDDEN + CHANGED), others, shown)


class WordHead(nn.Module):
    """From the vector of a place and a representation of the text to scores of every word, tied to the encoder's words.

    The representation takes part so that the encoder's projection is trained too.
    """

    def __init__(self, encoder: TextEncoder) -> None:
        super().__init__()
        self.place = nn.Linear(encoder.width, encoder.width)
        self.text = nn.Linear(encoder.latent_dim, encoder.width)
        self.norm = nn.LayerNorm(encoder.width)
        self.bias = nn.Parameter(torch.zeros(vocabulary_size(encoder.input_spec)))

    def forward(self, vectors: torch.Tensor, latent: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """Vectors `(M, D)` and latents `(M, latent_dim)` to scores `(M, V)`; `words` `(V, D)` are the encoder's."""
        return self.said(vectors, latent) @ words.T + self.bias

    def said(self, vectors: torch.Tensor, latent: torch.Tensor) -> torch.Tensor:
        """What is compared with the words, `(M, D)`."""
        return self.norm(functional.gelu(self.place(vectors) + self.text(latent)))


def guess_error(said: torch.Tensor, words: torch.Tensor, bias: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Mean cross entropy in nats of the right words `(M,)` at places that say `(M, D)`, of words `(V, D)`."""
    parts = zip(said.split(PART), right.split(PART), strict=True)
    errors = [functional.cross_entropy(functional.linear(each, words, bias), of, reduction="sum") for each, of in parts]
    return torch.stack(errors).sum() / len(right)


def rows_of(mask: torch.Tensor) -> torch.Tensor:
    """The text of every chosen place of a mask `(N, T)`."""
    return torch.arange(len(mask), device=mask.device)[:, None].expand_as(mask)[mask]
