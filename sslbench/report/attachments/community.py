"""Scores of others, which were not run here: what a table may show beside its own, never among them."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

#: Folder among published results that holds them.
FOLDER = "community"


@dataclass(frozen=True)
class Submission:
    """What somebody sent in: their records, and whose and what they are.

    Attributes:
        name: of both files, and what the records call the encoder.
        encoder: how to have it, as `sslbench evaluate --encoder` takes it; empty if it cannot be had.
        architecture: of an encoder that is a file of weights.
        made_for: dataset whose inputs such an encoder was made for; empty for the evaluated one.
    """

    name: str
    records: pd.DataFrame
    title: str
    author: str
    licence: str
    url: str
    encoder: str = ""
    architecture: str = ""
    made_for: str = ""

    @property
    def standing(self) -> str:
        """Whether anybody can run it again."""
        return "can be run again" if self.encoder else "not verifiable"
