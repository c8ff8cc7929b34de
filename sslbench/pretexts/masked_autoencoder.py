"""Predict the patches that the encoder never saw, from the tokens of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from sslbench.contract.schema import Few, Inside
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.encoders._transformer import Block, TokenEncoder, take
from sslbench.modalities import modality_of
from sslbench.pretexts._base import Picture, Pretext
from sslbench.pretexts._patches import has_tokens, inpainted, split_patches

DECODER_WIDTH = 64
DECODER_HEADS = 4


def normalise_patches(patches: torch.Tensor) -> torch.Tensor:
    """Each patch of `(N, P, L)` less its mean, over its standard deviation (He et al. 2021, section 3)."""
    variance, mean = torch.var_mean(patches, dim=2, keepdim=True)
    return (patches - mean) / (variance + 1e-6).sqrt()


class TokenDecoder(nn.Module):
    """A light transformer from visible tokens and the representation to the values of every patch.

    The representation enters as one more token, as the class token does in the paper, so that the encoder's
    projection is trained too.
    """

    def __init__(self, encoder: TokenEncoder, depth: int) -> None:
        super().__init__()
        self.embed_tokens = nn.Linear(encoder.width, DECODER_WIDTH)
        self.embed_latent = nn.Linear(encoder.latent_dim, DECODER_WIDTH)
        self.mask_token = nn.Parameter(0.02 * torch.randn(1, 1, DECODER_WIDTH))
        self.blocks = nn.Sequential(*[Block(DECODER_WIDTH, DECODER_HEADS) for _ in range(depth)])
        self.norm = nn.LayerNorm(DECODER_WIDTH)
        self.predict = nn.Linear(DECODER_WIDTH, encoder.patch_values)
        self.register_buffer("positions", encoder.place_vectors(DECODER_WIDTH), persistent=False)
        self.positions: torch.Tensor

    def forward(self, tokens: torch.Tensor, latent: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        """Tokens `(N, K, D)` at places `visible` `(N, K)` and latent `(N, latent_dim)` to patches `(N, P, L)`."""
        embedded = self.embed_tokens(tokens)
        places = visible[:, :, None].expand_as(embedded)
        everywhere = self.mask_token.to(embedded.dtype).expand(len(tokens), len(self.positions), -1)
        whole = everywhere.scatter(1, places, embedded) + self.positions
        decoded = self.blocks(torch.cat([self.embed_latent(latent)[:, None], whole], dim=1))
        return self.predict(self.norm(decoded[:, 1:]))


@dataclass(frozen=True)
class MaskedAutoencoderConfig(PretextConfig):
    """Settings of `MaskedAutoencoder`, which fit small images and short runs.

    The paper hides 0.75 of 196 patches, normalises targets and decodes with 8 blocks of width 512. Of 49 patches half a
    minute's training needs to see more, one block has to do, and normalising lifts the noise of plain patches to full
    contrast.
    """

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-3, weight_decay=0.05, batch_size=64)
    mask_ratio: Inside = tuned(0.5, 0.2, 0.9)
    normalise_targets: bool = False
    decoder_depth: Few = 1


class MaskedAutoencoder(Pretext):
    """Encode the visible patches of an input only and predict the hidden ones (He et al. 2021, arXiv:2111.06377).

    A light decoder predicts the values, and the error is the mean square over hidden patches, each normalised if
    `normalise_targets` is set. The mean of the visible tokens, projected, stands in for the paper's class token.
    """

    Config: ClassVar[type[PretextConfig]] = MaskedAutoencoderConfig

    def __init__(self, encoder: Encoder, config: MaskedAutoencoderConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        if not isinstance(encoder, TokenEncoder):
            raise TypeError(f"masked_autoencoder needs an encoder of tokens, not {type(encoder).__name__}")
        self.config = config
        self.encoder: TokenEncoder = encoder
        self.decoder = TokenDecoder(encoder, config.decoder_depth)

    @classmethod
    def unsuitable(cls, encoder_name: str, input_spec: InputSpec) -> str | None:
        if has_tokens(encoder_name):
            return None
        return f"needs an encoder of tokens, as 'vit' is; {encoder_name!r} has none: inpainting tasks are for it"

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        predicted, hidden = self.predict_patches(batch)
        target = self.encoder.patchify(batch)
        if self.config.normalise_targets:
            target = normalise_patches(target)
        return (take(predicted, hidden) - take(target, hidden)).square().mean()

    def predict_patches(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """All patches of a batch as predicted `(N, P, L)`, and which were hidden `(N, M)`, drawn anew."""
        visible, hidden = split_patches(len(batch), self.encoder.num_patches, self.config.mask_ratio, batch.device)
        tokens = self.encoder.encode_tokens(take(self.encoder.embed(batch), visible))
        return self.decoder(tokens, self.encoder.project(tokens.mean(dim=1)), visible), hidden

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        predicted, hidden = self.predict_patches(batch)
        patches = self.encoder.patchify(batch)
        if self.config.normalise_targets:  # to be seen at all, predictions borrow each true patch's mean and contrast
            variance, mean = torch.var_mean(patches, dim=2, keepdim=True)
            predicted = predicted * (variance + 1e-6).sqrt() + mean
        shown = patches.new_zeros(patches.shape[:2]).scatter_(1, hidden, 1.0)[:, :, None].expand_as(patches)
        mask, painted = self.encoder.unpatchify(shown), self.encoder.unpatchify(predicted)
        return [inpainted(modality_of(self.input_spec), batch, mask, painted)]
