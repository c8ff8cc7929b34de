"""A queue of the latest projections: what there was beside the batch."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class Queue(nn.Module):
    """The last `size` projections that were put in, normalised; directions drawn at random before there are as many.

    It wraps around in the middle of a batch; lightly's memory bank drops what is left of that batch.

    Attributes:
        keys: `(size, dim)`, every row of length 1.
        oldest: the row that is overwritten next.
    """

    keys: torch.Tensor
    oldest: torch.Tensor

    def __init__(self, size: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("keys", functional.normalize(torch.randn(size, dim), dim=1))
        self.register_buffer("oldest", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def put(self, z: torch.Tensor) -> None:
        """Overwrite the oldest keys by projections `(N, dim)`, around the end if need be."""
        size = len(self.keys)
        z = functional.normalize(z[:size].to(self.keys.dtype), dim=1)
        positions = (self.oldest + torch.arange(len(z), device=z.device)) % size
        self.keys.index_copy_(0, positions, z)
        self.oldest.add_(len(z)).remainder_(size)

    @torch.no_grad()
    def nearest(self, z: torch.Tensor) -> torch.Tensor:
        """Of each projection `(N, dim)` the key that points most nearly the same way, `(N, dim)`."""
        return self.keys[(z.to(self.keys.dtype) @ self.keys.T).argmax(dim=1)]
