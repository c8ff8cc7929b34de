"""Features on one scale, learned from the label budget alone."""

from __future__ import annotations

import torch


class Standardiser:
    """Subtract the mean and divide by the standard deviation of the features it was built from, `(n, d)`."""

    def __init__(self, features: torch.Tensor) -> None:
        self.mean = features.mean(dim=0)
        deviation = features.std(dim=0, correction=0)
        # A constant feature says nothing: dividing by 1 leaves it at 0 instead of blowing up rounding errors.
        self.deviation = torch.where(deviation > 1e-6 * (1 + self.mean.abs()), deviation, 1.0)

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        return (features - self.mean).div_(self.deviation)
