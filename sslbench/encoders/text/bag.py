"""The bag of words: what words say, in whatever order."""

from __future__ import annotations

import torch

from sslbench.encoders.text._words import TextEncoder
from sslbench.modalities.text import PAD


class Bag(TextEncoder):
    """The mean of learned vectors of the tokens, linear; the cheap encoder (Joulin et al. 2016, arXiv:1607.01759)."""

    def tokens(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.dropout(self.words(inputs)) * (inputs != PAD)[:, :, None]
