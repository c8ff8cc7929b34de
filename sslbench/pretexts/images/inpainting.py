"""Paint in the patches that were covered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from sslbench.contract.schema import Inside
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.modalities import modality_of
from sslbench.pretexts._base import Picture, Pretext
from sslbench.pretexts._patches import has_tokens, inpainted, split_patches

PATCHES_PER_SIDE = 8


@dataclass(frozen=True)
class InpaintingConfig(PretextConfig):
    """Settings of `Inpainting`: those of `masked_autoencoder`, as far as it has them, so that the two compare."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-3, weight_decay=0.05, batch_size=64)
    mask_ratio: Inside = tuned(0.5, 0.2, 0.9)


class Inpainting(Pretext):
    """Cover patches of an image and paint them in again (Pathak et al. 2016, arXiv:1604.07379).

    A hidden pixel shows the mean of its image's visible ones: a black hole looks like the background where that is
    black. Differences from the paper, which fills with one mean for all: no adversarial term, patches drawn as masked
    autoencoders draw them, and the mirrored decoder paints from the `latent_dim` numbers of the representation. The
    error is the mean square over hidden pixels.
    """

    Config: ClassVar[type[PretextConfig]] = InpaintingConfig
    modality: ClassVar[str | None] = "image"

    def __init__(self, encoder: Encoder, config: InpaintingConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.mask_ratio = config.mask_ratio
        self.decoder = encoder.mirror()

    @classmethod
    def unsuitable(cls, encoder_name: str, input_spec: InputSpec) -> str | None:
        if not has_tokens(encoder_name):
            return None
        return f"is for encoders without tokens; {encoder_name!r} has them: masked_autoencoder is the task for it"

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        mask = self.hide(batch)
        return ((self.paint(batch, mask) - batch).square() * mask).sum() / (mask.sum() * batch.shape[1])

    def hide(self, batch: torch.Tensor) -> torch.Tensor:
        """A random mask `(N, 1, H, W)`: 1 on hidden patches, about 8 of which line each side."""
        count, _, height, width = batch.shape
        size = max(2, -(-max(height, width) // PATCHES_PER_SIDE))
        rows, columns = -(-height // size), -(-width // size)
        _, hidden = split_patches(count, rows * columns, self.mask_ratio, batch.device)
        mask = batch.new_zeros(count, rows * columns).scatter_(1, hidden, 1.0).view(count, 1, rows, columns)
        return mask.repeat_interleave(size, 2).repeat_interleave(size, 3)[:, :, :height, :width]

    def cover(self, batch: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The batch with the mean of each image's and channel's visible pixels where `mask` is 1."""
        visible = 1 - mask
        mean = (batch * visible).sum(dim=(2, 3), keepdim=True) / visible.sum(dim=(2, 3), keepdim=True)
        return torch.where(mask > 0, mean, batch)

    def paint(self, batch: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The batch as painted by someone who does not see where `mask` is 1."""
        return torch.sigmoid(self.decoder(self.encoder(self.cover(batch, mask))))

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        mask = self.hide(batch)
        return [inpainted(modality_of(self.input_spec), batch, mask, self.paint(batch, mask))]
