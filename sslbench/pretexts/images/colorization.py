"""Guess the colours of an image from its lightness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn import functional

from sslbench.contract.schema import Few, Fraction
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.encoders.images._decoder import ConvDecoder
from sslbench.modalities.image import to_float
from sslbench.pretexts._base import Picture, Pretext
from sslbench.pretexts.images._lab import lab_to_rgb, rgb_to_lab

GRID = 10  # side of a colour bin, in units of a and b
SIGMA = 5.0  # of the Gaussians that soften targets and smooth the prior, in units of a and b
TEMPERATURE = 0.38  # of the annealed mean
SHRINK = 4  # colours are predicted at a quarter of the resolution
COUNTED = 5000  # images that the prior is counted on
CHUNK = 500


def gamut_bins() -> torch.Tensor:
    """Centres `(Q, 2)` of the 10 x 10 cells of the ab plane that hold a colour of 8-bit sRGB; Q is 261.

    Colours that lack one of red, green and blue are looked at: all 16.7 million lie in the same 261 cells. The paper
    counts 313, from a table whose making it does not give; ours has every cell that can occur, and no other.
    """
    level = torch.linspace(0, 1, 256, dtype=torch.float64)
    without_red = torch.cartesian_prod(torch.zeros(1, dtype=torch.float64), level, level)
    colours = torch.cat([without_red.roll(channel, dims=1) for channel in range(3)])
    ab = rgb_to_lab(colours[:, :, None, None])[:, 1:, 0, 0]
    return torch.unique((ab / GRID).round(), dim=0).float() * GRID


def _distance(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    # Not by matrix products: their rounding would confuse bins that are nearly as near.
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def encode_colors(ab: torch.Tensor, bins: torch.Tensor, neighbors: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Soft encoding: the nearest bins of each colour and their weights (Zhang et al. 2016, section 2.1).

    Args:
        ab: colours `(M, 2)`.
        bins: centres `(Q, 2)`.
        neighbors: K, how many bins share a colour; 1 is the hard encoding.

    Returns:
        Bins `(M, K)`, nearest first, and weights `(M, K)`, proportional to exp(-d^2 / (2 sigma^2)), which sum to 1.
    """
    nearest, index = _distance(ab, bins).topk(neighbors, dim=1, largest=False)
    return index, (-nearest.square() / (2 * SIGMA**2)).softmax(dim=1)


def rebalancing_weights(prior: torch.Tensor, bins: torch.Tensor, uniform_share: float) -> torch.Tensor:
    """Weights w `(Q,)` that lift rare colours, of mean 1 under the smoothed prior (Zhang et al. 2016, eq. 4).

    Args:
        prior: p `(Q,)`, how often each bin occurs; sums to 1.
        bins: centres `(Q, 2)`.
        uniform_share: lambda, how much of the uniform distribution is mixed in; 1 makes all weights equal.

    Returns:
        w proportional to 1 / ((1 - lambda) p~ + lambda / Q), where p~ is p smoothed by a Gaussian of width sigma.
    """
    kernel = (-_distance(bins, bins).square() / (2 * SIGMA**2)).exp()
    smooth = ((kernel / kernel.sum(dim=0)) * prior).sum(dim=1)
    weights = 1 / ((1 - uniform_share) * smooth + uniform_share / len(bins))
    return weights / (smooth * weights).sum()


@dataclass(frozen=True)
class ColorizationConfig(PretextConfig):
    """Settings of `Colorization`. In short runs it learns what many labels can use and few cannot."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-3)
    neighbors: Few = 5  # bins that share a target colour; 1 for hard targets
    uniform_share: Fraction = tuned(0.5, 0.05, 1.0)


class Colorization(Pretext):
    """Classify the colour of every place of an image that is shown in grey (Zhang et al. 2016, arXiv:1603.08511).

    Lightness L enters, repeated on all three channels so that the same encoder takes the colour images of the
    protocols; a distribution over bins of the ab plane comes out, at a quarter of the resolution. Soft targets,
    rebalanced classes and the annealed mean of the pictures are the paper's.

    Differences from the paper: the decoder sees only the `latent_dim` numbers, since these are what is probed; the
    paper's network is fully convolutional. Q is 261 instead of 313 (see `gamut_bins`). The prior is counted on at most
    5,000 of the unlabelled images, evenly spaced, at the resolution of the predictions.
    """

    Config: ClassVar[type[PretextConfig]] = ColorizationConfig
    modality: ClassVar[str | None] = "image"

    def __init__(self, encoder: Encoder, config: ColorizationConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.neighbors = config.neighbors
        self.uniform_share = config.uniform_share
        bins = gamut_bins()
        self.register_buffer("bins", bins, persistent=False)
        self.register_buffer("weights", torch.ones(len(bins)))  # until an epoch has begun, all colours count the same
        self.bins: torch.Tensor
        self.weights: torch.Tensor
        _, height, width = input_spec.shape
        self.coarse = (-(-height // SHRINK), -(-width // SHRINK))
        self.decoder = ConvDecoder(InputSpec(input_spec.modality, (len(bins), *self.coarse)), encoder.latent_dim)

    @classmethod
    def unsuitable(cls, encoder_name: str, input_spec: InputSpec) -> str | None:
        channels = input_spec.shape[0]
        if channels == 1:
            return "needs colour images; these are grey"
        return None if channels == 3 else f"needs the three channels of colour images, not {channels}"

    def before_epoch(self, inputs: torch.Tensor) -> None:
        """Count how often each colour occurs in uint8 `(M, 3, H, W)` and weigh the classes accordingly."""
        counts = torch.zeros_like(self.weights)
        for chunk in inputs[:: -(-len(inputs) // COUNTED)].split(CHUNK):
            index, _ = encode_colors(self._coarse_colors(rgb_to_lab(to_float(chunk))), self.bins, neighbors=1)
            counts += torch.bincount(index.flatten(), minlength=len(self.bins))
        self.weights.copy_(rebalancing_weights(counts / counts.sum(), self.bins, self.uniform_share))

    def _coarse_colors(self, lab: torch.Tensor) -> torch.Tensor:
        """Mean colours ab `(N * h * w, 2)` of the places that are predicted."""
        return functional.adaptive_avg_pool2d(lab[:, 1:], self.coarse).permute(0, 2, 3, 1).flatten(0, 2)

    def _predict(self, lab: torch.Tensor) -> torch.Tensor:
        """Logits `(N, Q, h, w)` of the colours, from lightness alone."""
        lightness = (lab[:, :1] / 100).expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
        return self.decoder(self.encoder(lightness))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        lab = rgb_to_lab(batch)
        index, share = encode_colors(self._coarse_colors(lab), self.bins, self.neighbors)
        log_probability = self._predict(lab).permute(0, 2, 3, 1).flatten(0, 2).log_softmax(dim=1)
        cross_entropy = -(share * log_probability.gather(1, index)).sum(dim=1)
        return (self.weights[index[:, 0]] * cross_entropy).mean()

    def colorize(self, batch: torch.Tensor) -> torch.Tensor:
        """Images `(N, 3, H, W)` in [0, 1] with the lightness of `batch` and predicted colours (annealed mean)."""
        lab = rgb_to_lab(batch)
        probability = (self._predict(lab).float() / TEMPERATURE).softmax(dim=1)
        ab = (probability[:, :, None] * self.bins[None, :, :, None, None]).sum(dim=1)
        fine = functional.interpolate(ab, size=list(batch.shape[2:]), mode="bilinear", align_corners=False)
        return lab_to_rgb(torch.cat([lab[:, :1], fine], dim=1))

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        lab = rgb_to_lab(batch)
        grey = lab_to_rgb(torch.cat([lab[:, :1], torch.zeros_like(lab[:, 1:])], dim=1))
        return [Picture("colourised", (batch, grey, self.colorize(batch)), ("original", "grey", "colourised"))]
