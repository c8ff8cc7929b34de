"""Guess hidden words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn import functional

from sslbench.contract.schema import Inside
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.encoders.text._words import TextEncoder
from sslbench.modalities.text import vocabulary_size
from sslbench.pretexts._base import Picture, Pretext
from sslbench.pretexts.text._words import WordHead, choose, hide, rows_of


@dataclass(frozen=True)
class MaskedLMConfig(PretextConfig):
    """Settings of `MaskedLM`. `share`: of the words that are to be guessed."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=1e-3, weight_decay=0.01, batch_size=64)
    share: Inside = tuned(0.15, 0.05, 0.5)


class MaskedLM(Pretext):
    """Hide words and guess them from the others (Devlin et al. 2018, BERT, arXiv:1810.04805).

    Of the chosen words 80% are hidden, 10% replaced and 10% left, drawn anew every time. The loss is the cross entropy
    of the chosen ones in nats; its exponential is the perplexity. Difference from the paper: the representation takes
    part in the guess, so that what is evaluated is trained.
    """

    Config: ClassVar[type[PretextConfig]] = MaskedLMConfig
    perplexed: ClassVar[bool] = True
    modality: ClassVar[str | None] = "text"

    def __init__(self, encoder: Encoder, config: MaskedLMConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        if not isinstance(encoder, TextEncoder):
            raise TypeError(f"masked_lm needs an encoder of texts, not {type(encoder).__name__}")
        self.encoder: TextEncoder = encoder
        self.share = config.share
        self.vocabulary = vocabulary_size(input_spec)
        self.head = WordHead(encoder)

    def guess(self, shown: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        """Scores `(M, V)` of the chosen words, place after place, from what is shown `(N, T)`."""
        features = self.encoder.feature_map(shown)
        latent = self.encoder.project(self.encoder.pool(features))
        return self.head(features.transpose(1, 2)[chosen], latent[rows_of(chosen)], self.encoder.words.weight)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        chosen = choose(batch, self.share)
        return functional.cross_entropy(self.guess(hide(batch, chosen, self.vocabulary), chosen), batch[chosen])

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        chosen = choose(batch, self.share)
        shown = hide(batch, chosen, self.vocabulary)
        filled = batch.clone()
        filled[chosen] = self.guess(shown, chosen).argmax(dim=1)
        return [Picture("blanks", (batch, shown, filled), ("original", "shown", "filled"))]
