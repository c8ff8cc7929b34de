"""The strong classic for time series: thousands of fixed convolutions, then ridge regression."""

from __future__ import annotations

import itertools
import math
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.nn import functional

from sslbench.encoders._base import Encoder
from sslbench.protocols._base import USUAL, Effort, Prediction, TrainedProtocol

#: Values a kernel sees, how many of them weigh 2 instead of -1, and all kernels there are of the kind.
LENGTH, TWOS = 9, 3
KERNELS = tuple(itertools.combinations(range(LENGTH), TWOS))

FEATURES = 10_000
MOST_DILATIONS = 32

#: Series that are transformed at a time.
BATCH = 32


class MiniRocketTransform:
    """84 fixed kernels at several dilations; of each the share of places where it answers more than some thresholds.

    Dempster, Schmidt and Webb 2021, arXiv:2012.08791, with the authors' choice of channels where there are several.
    Thresholds are quantiles of the answers to a series drawn for each kernel, so they need no labels.

    Args:
        series: `(N, C, L)` to draw from, L at least 9.
        generator: of every draw.
    """

    def __init__(self, series: torch.Tensor, generator: torch.Generator) -> None:
        channels, length = series.shape[1:]
        self.dilations, counts = _dilations(length)
        weights = torch.full((len(KERNELS), LENGTH), -1.0)
        weights.scatter_(1, torch.tensor(KERNELS), 2.0)
        self.weights: list[torch.Tensor] = []
        self.thresholds: list[torch.Tensor] = []
        golden = (math.sqrt(5) + 1) / 2
        used = 0
        for dilation, count in zip(self.dilations, counts, strict=True):
            chosen = _channels(channels, generator)
            self.weights.append(weights[:, None] * chosen[:, :, None])
            shares = (torch.arange(used + 1, used + 1 + count * len(KERNELS), dtype=torch.float64) * golden) % 1
            used += count * len(KERNELS)
            drawn = series[torch.randint(len(series), (len(KERNELS),), generator=generator)]
            answers = _answers(drawn, self.weights[-1], dilation).diagonal(dim1=0, dim2=1).T  # (kernels, L)
            quantiles = shares.view(len(KERNELS), count).float()
            self.thresholds.append(torch.stack([one.quantile(of) for one, of in zip(answers, quantiles, strict=True)]))

    def __call__(self, series: torch.Tensor) -> torch.Tensor:
        """Features `(N, F)` in [0, 1] of series `(N, C, L)`, F at most 10,000."""
        return torch.cat([self._features(part) for part in series.split(BATCH)])

    def _features(self, series: torch.Tensor) -> torch.Tensor:
        found = []
        for index, dilation in enumerate(self.dilations):
            answers = _answers(series, self.weights[index], dilation).numpy()
            margin = dilation * (LENGTH // 2)
            # Every other kernel, and the others at the next dilation, looks only where it lies inside the series.
            inner = (np.arange(len(KERNELS)) + index) % 2 == 1
            limits = self.thresholds[index].numpy()
            above = np.empty((len(series), *limits.shape), np.float32)
            for chosen, seen in ((~inner, answers), (inner, answers[:, :, margin : answers.shape[2] - margin])):
                above[:, chosen] = _above(seen[:, chosen], limits[chosen])
            found.append(above.reshape(len(series), -1))
        return torch.from_numpy(np.concatenate(found, axis=1))


def _answers(series: torch.Tensor, weights: torch.Tensor, dilation: int) -> torch.Tensor:
    """What kernels `(K, C, 9)` answer at every place of series `(N, C, L)`: `(N, K, L)`."""
    return functional.conv1d(series, weights, padding=dilation * (LENGTH // 2), dilation=dilation)


def _above(answers: NDArray[np.float32], limits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Share of places at which answers `(N, K, L)` exceed limits `(K, T)`: `(N, K, T)`, counted 64 places at a time."""
    number, kernels, length = answers.shape
    words = -(-length // 64)
    padded = np.full((kernels, number, 64 * words), -np.inf, np.float32)
    padded[:, :, :length] = answers.transpose(1, 0, 2)
    bits = np.packbits(padded.reshape(kernels, 1, -1) > limits[:, :, None], axis=-1).view(np.uint64)
    counts = np.bitwise_count(bits).reshape(kernels, limits.shape[1], number, words).sum(axis=-1, dtype=np.float32)
    return counts.transpose(2, 0, 1) / np.float32(length)


def _dilations(length: int) -> tuple[list[int], list[int]]:
    """Dilations up to the length of the series, exponentially spaced, and how many thresholds a kernel has at each."""
    each = FEATURES // len(KERNELS)
    most = min(each, MOST_DILATIONS)
    highest = math.log2((length - 1) / (LENGTH - 1))
    dilations, times = np.unique(np.logspace(0, highest, most, base=2).astype(int), return_counts=True)
    counts = (times * (each / most)).astype(int)
    for place in range(each - int(counts.sum())):
        counts[place % len(counts)] += 1
    return dilations.tolist(), counts.tolist()


def _channels(channels: int, generator: torch.Generator) -> torch.Tensor:
    """Which channels each kernel adds up, 1 or 0 `(K, channels)`: few more often than many."""
    most = min(channels, LENGTH)
    amounts = (2 ** (torch.rand(len(KERNELS), generator=generator) * math.log2(most + 1))).long()
    ranks = torch.rand(len(KERNELS), channels, generator=generator).argsort(dim=1).argsort(dim=1)
    return (ranks < amounts[:, None]).float()


class MiniRocket(TrainedProtocol):
    """Ridge regression on MiniRocket's features of the input; no encoder takes part (arXiv:2012.08791).

    How strongly it is regularised is chosen by leaving one out, inside the label budget.
    """

    modality: ClassVar[str | None] = "series"

    def predict(
        self,
        encoder: Encoder,
        inputs: torch.Tensor,
        labels: torch.Tensor,
        test_inputs: torch.Tensor,
        num_classes: int,
        effort: Effort = USUAL,
    ) -> Prediction:
        device, (known, asked) = labels.device, (part.float().cpu() for part in (inputs, test_inputs))
        short = LENGTH - known.shape[2]
        if short > 0:  # as the authors do
            known, asked = (functional.pad(part, (0, short)) for part in (known, asked))
        with torch.inference_mode():
            generator = torch.Generator().manual_seed(int(torch.randint(2**62, ())))
            transform = MiniRocketTransform(known, generator)
            features, asked_features = transform(known).numpy(), transform(asked).numpy()
        if len(labels.unique()) == 1:  # nothing to tell apart
            return Prediction(labels[:1].expand(len(test_inputs)).clone(), None)
        ridge = make_pipeline(StandardScaler(with_mean=False), RidgeClassifierCV(np.logspace(-3, 3, 10)))
        ridge.fit(features, labels.cpu().numpy())
        answers = torch.from_numpy(ridge.predict(asked_features)).to(device)
        return Prediction(answers, None, {"alpha": float(ridge[-1].alpha_)})
