"""What tasks on patches share: which encoders have tokens, which patches are hidden, and how that is shown."""

from __future__ import annotations

import torch

from sslbench.encoders import ENCODERS
from sslbench.encoders._transformer import TokenEncoder
from sslbench.modalities._base import Modality
from sslbench.pretexts._base import Picture


def has_tokens(encoder_name: str) -> bool:
    """Whether an encoder reads an input as one token per patch, so that patches can be left out."""
    return issubclass(ENCODERS.get(encoder_name), TokenEncoder)


def split_patches(count: int, patches: int, ratio: float, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Positions of the visible `(N, K)` and of the hidden `(N, P - K)` patches, drawn anew for each of `count` inputs.

    K is P (1 - ratio), rounded down as in the paper's code, but at least one patch is visible and one hidden.
    """
    order = torch.rand(count, patches, device=device).argsort(dim=1)
    visible = min(max(1, int(patches * (1 - ratio))), patches - 1)
    return order[:, :visible], order[:, visible:]


def inpainted(modality: Modality, batch: torch.Tensor, mask: torch.Tensor, painted: torch.Tensor) -> Picture:
    """Inputs `(N, C, ...)` beside what the encoder saw of them and what was painted where `mask` is 1."""
    masked = torch.lerp(batch, torch.full_like(batch, modality.blank), mask.expand_as(batch))
    filled = torch.where(mask > 0, painted, batch)
    return Picture("inpainted", (batch, masked, filled), ("original", "masked", "inpainted"))
