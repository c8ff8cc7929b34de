"""Tell whether a second part of a text follows its first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from sslbench.contract.schema import Inside, NonNegative
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.encoders.text._words import TextEncoder
from sslbench.modalities.text import END, PAD, vocabulary_size
from sslbench.pretexts._base import Picture, Pretext
from sslbench.pretexts.text._words import WordHead, choose, hide, rows_of


def parted(tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Where each text `(N, T)` is parted, after the end of a random sentence but its last; and whether it can be."""
    lengths = (tokens != PAD).sum(dim=1, keepdim=True)
    place = torch.arange(tokens.shape[1], device=tokens.device)
    ends = (tokens == END) & (place < lengths - 1)
    drawn = torch.rand(tokens.shape, device=tokens.device).masked_fill(~ends, -1.0)
    return drawn.argmax(dim=1) + 1, ends.any(dim=1)


def joined(tokens: torch.Tensor, parts: torch.Tensor, follow: torch.Tensor) -> torch.Tensor:
    """First parts of texts `(N, T)`, each with its own second part where `follow` says so, else the next text's."""
    count, length = tokens.shape
    place = torch.arange(length, device=tokens.device).expand(count, -1)
    other = torch.arange(count, device=tokens.device).roll(-1)
    source = torch.where(follow, torch.arange(count, device=tokens.device), other)
    second = place - parts[:, None] + parts[source][:, None]
    theirs = tokens[source].gather(1, second.clamp(0, length - 1)).masked_fill(second >= length, PAD)
    return torch.where(place < parts[:, None], tokens, theirs)


@dataclass(frozen=True)
class NextSentenceConfig(PretextConfig):
    """Settings of `NextSentence`. `masked`: what guessing hidden words weighs beside it; 0 leaves that out."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=1e-3, weight_decay=0.01, batch_size=64)
    masked: NonNegative = 0.0
    share: Inside = tuned(0.15, 0.05, 0.5)


class NextSentence(Pretext):
    """Tell whether the second part of a text follows the first or comes from another one (BERT, arXiv:1810.04805).

    Half of the texts are parted after a random sentence and joined with the second part of another; the representation
    says which. With `masked` above 0 hidden words are guessed in the same pass, as in the paper, where both are one
    task. Texts of one sentence have no part in it.
    """

    Config: ClassVar[type[PretextConfig]] = NextSentenceConfig
    modality: ClassVar[str | None] = "text"

    def __init__(self, encoder: Encoder, config: NextSentenceConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        if not isinstance(encoder, TextEncoder):
            raise TypeError(f"next_sentence needs an encoder of texts, not {type(encoder).__name__}")
        self.encoder: TextEncoder = encoder
        self.masked, self.share = config.masked, config.share
        self.vocabulary = vocabulary_size(input_spec)
        self.follows = nn.Sequential(nn.ReLU(), nn.Linear(encoder.latent_dim, 2))
        self.head = WordHead(encoder) if config.masked else None

    @classmethod
    def unsuitable(cls, encoder_name: str, input_spec: InputSpec) -> str | None:
        if input_spec.views.sentences:
            return None
        return "needs texts of several sentences in their order, which this dataset does not have"

    def pairs(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Texts `(N, T)`, 1 for those whose parts belong together, and which of them count."""
        parts, able = parted(batch)
        follow = torch.rand(len(batch), device=batch.device) < 0.5
        counts = able & (follow | able.roll(-1))
        return joined(batch, parts, follow | ~counts), follow.long(), counts

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        texts, follow, counts = self.pairs(batch)
        chosen = choose(texts, self.share)
        shown = hide(texts, chosen, self.vocabulary) if self.head is not None else texts
        features = self.encoder.feature_map(shown)
        latent = self.encoder.project(self.encoder.pool(features))
        each = functional.cross_entropy(self.follows(latent), follow, reduction="none")
        loss = (each * counts).sum() / counts.sum().clamp_min(1)
        if self.head is None:
            return loss
        scores = self.head(features.transpose(1, 2)[chosen], latent[rows_of(chosen)], self.encoder.words.weight)
        return loss + self.masked * functional.cross_entropy(scores, texts[chosen])

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        texts, follow, _ = self.pairs(batch)
        said = self.follows(self.encoder(texts)).argmax(dim=1)
        words = ("another text", "the next part")
        pairs = zip(follow.tolist(), said.tolist(), strict=True)
        captions = tuple(f"is {words[true]}, said {words[one]}" for true, one in pairs)
        return [Picture("pairs", (texts,), ("text",), captions)]
