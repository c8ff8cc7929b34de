"""Recognise the future of a series among the futures of others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from sslbench.contract.schema import Few, Positive
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders import ENCODERS
from sslbench.encoders._base import Encoder
from sslbench.pretexts._base import Picture, Pretext
from sslbench.pretexts._losses import info_nce

#: Values that the past and every part of the future have at least.
SHORTEST = 4


@dataclass(frozen=True)
class ContrastivePredictiveCodingConfig(PretextConfig):
    """Settings of `ContrastivePredictiveCoding`. `horizons`: parts that the future is cut into.

    The temperature is that of wav2vec 2.0 (Baevski et al. 2020, arXiv:2006.11477).
    """

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-3, batch_size=128)
    horizons: Few = 3
    temperature: Positive = tuned(0.1, 0.05, 1.0, log=True)


class ContrastivePredictiveCoding(Pretext):
    """Predict what comes next, well enough to tell it from what comes next elsewhere (arXiv:1807.03748).

    The past is the first half of a series, cut off up to an eighth before its end; the feature map of the second half
    is cut into `horizons` parts. A linear map per part predicts its mean from the representation of the past, among
    those of the whole batch. Differences from the paper (van den Oord et al. 2018): the encoder itself sums the past
    up, where the paper puts a recurrent network on top, so that what is evaluated is what predicts; negatives come
    from other series only; and vectors are compared by their cosine, since products are raised most cheaply by one
    direction that all share.
    """

    Config: ClassVar[type[PretextConfig]] = ContrastivePredictiveCodingConfig
    modality: ClassVar[str | None] = "series"

    def __init__(self, encoder: Encoder, config: ContrastivePredictiveCodingConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.temperature = config.temperature
        self.horizons = min(config.horizons, input_spec.shape[1] // (2 * SHORTEST))
        width = encoder.max_latent_dim(input_spec)
        self.predictors = nn.ModuleList(nn.Linear(encoder.latent_dim, width, bias=False) for _ in range(self.horizons))

    @classmethod
    def unsuitable(cls, encoder_name: str, input_spec: InputSpec) -> str | None:
        if not ENCODERS.get(encoder_name).any_size:
            return f"shows parts of a series, and encoder {encoder_name!r} takes whole ones only"
        if input_spec.shape[1] < 4 * SHORTEST:
            return f"needs series of {4 * SHORTEST} values or more, not {input_spec.shape[1]}"
        return None

    def cut(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The past `(N, C, P)` and the future `(N, C, F)`."""
        middle = batch.shape[2] // 2
        gap = int(torch.randint(0, middle // 4 + 1, ()))  # the same for all: its length is the batch's
        return batch[:, :, : middle - gap], batch[:, :, middle:]

    def compare(self, past: torch.Tensor, future: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Predicted and true features of every part, both `(horizons, N, D)`."""
        context = self.encoder(past)
        true = functional.adaptive_avg_pool1d(self.encoder.feature_map(future), self.horizons)  # (N, D, horizons)
        return torch.stack([one(context) for one in self.predictors]), true.permute(2, 0, 1)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        predicted, true = self.compare(*self.cut(batch))
        losses = [info_nce(*pair, self.temperature) for pair in zip(predicted, true, strict=True)]
        return torch.stack(losses).mean()

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        """Each past, what came next, and which of the batch's next parts the prediction fits best."""
        past, future = self.cut(batch)
        predicted, true = self.compare(past, future)
        chosen = (predicted[0] @ functional.normalize(true[0], dim=1).T).argmax(dim=1)
        following = future[: len(batch)]
        right = tuple("right" if int(one) == place else "wrong" for place, one in enumerate(chosen))
        return [Picture("futures", (past, following, following[chosen]), ("past", "next", "chosen"), right)]
