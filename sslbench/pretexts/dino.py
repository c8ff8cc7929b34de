"""Answer as a slowly moving teacher does that sees another view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from sslbench.contract.schema import Inside, Positive, Share, Size
from sslbench.contract.spec import InputSpec, OptimizerConfig, PretextConfig, tuned
from sslbench.encoders._base import Encoder
from sslbench.encoders.images.vit import ViT
from sslbench.pretexts._base import Picture
from sslbench.pretexts._heads import Prototypes, projector
from sslbench.pretexts._teacher import HalfLife, follow, frozen_copy
from sslbench.pretexts._views import MultiCropConfig, MultiCropPretext


def dino_loss(
    student: torch.Tensor,
    teacher: torch.Tensor,
    center: torch.Tensor,
    student_temperature: float,
    teacher_temperature: float,
) -> torch.Tensor:
    """Mean cross entropy H(P_t, P_s) over all pairs of different views (Caron et al. 2021, arXiv:2104.14294, eq. 3).

    Args:
        student: outputs g_s `(S, N, K)` of all views, the large ones first.
        teacher: outputs g_t `(T, N, K)` of the large views in the same order; no gradient passes.
        center: C `(K,)`, subtracted from the teacher's outputs.
        student_temperature, teacher_temperature: tau_s, tau_t; the smaller, the sharper.
    """
    p_t = ((teacher.detach() - center) / teacher_temperature).softmax(dim=2)
    log_p_s = functional.log_softmax(student / student_temperature, dim=2)
    pairs = -torch.einsum("tnk,snk->ts", p_t, log_p_s) / student.shape[1]
    different = 1 - torch.eye(*pairs.shape, device=pairs.device)
    return (pairs * different).sum() / different.sum()


def dino_head(in_dim: int, config: DINOConfig) -> nn.Sequential:
    """From the representation through a bottleneck to the similarity with each output direction, `(N, K)`."""
    return nn.Sequential(
        projector(in_dim, config.hidden_dim, config.bottleneck_dim),
        Prototypes(config.bottleneck_dim, config.outputs),
    )


@dataclass(frozen=True)
class DINOConfig(MultiCropConfig):
    """Settings of `DINO`. The paper's first momentum of 0.996 is a half-life of 173 of 10^5 to 10^6 steps."""

    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-3, batch_size=256)
    student_temperature: Positive = tuned(0.1, 0.05, 0.5, log=True)
    teacher_temperature: Positive = tuned(0.04, 0.01, 0.1, log=True)
    half_life: Inside = tuned(0.1, 0.005, 0.5, log=True)  # share of the run in which half of a teacher is renewed
    center_momentum: Share = tuned(0.9, 0.5, 0.999)
    centering: bool = True  # off only to show the collapse it prevents
    outputs: Size = 512  # 65,536 in the paper, for a thousand ImageNet classes
    hidden_dim: Size = 256
    bottleneck_dim: Size = 64


class DINO(MultiCropPretext):
    """Match the centred, sharpened output of a momentum teacher on another view (Caron et al. 2021, arXiv:2104.14294).

    Centring keeps any output from winning everywhere, sharpening keeps the outputs from becoming all alike. Differences
    from the paper: a smaller head with batch normalisation and ReLU, no small crops by default (`small_crops`),
    a constant teacher temperature and weight decay, a momentum that follows from a half-life and does not rise, and an
    output layer that learns from the first epoch. The teacher is evaluated, as in the paper.
    """

    Config: ClassVar[type[PretextConfig]] = DINOConfig
    center: torch.Tensor

    def __init__(self, encoder: Encoder, config: DINOConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.config = config
        self.projector = dino_head(encoder.latent_dim, config)
        self.teacher_encoder = frozen_copy(encoder)
        self.teacher_projector = frozen_copy(self.projector)
        self.half_life = HalfLife(config.half_life)
        self.register_buffer("center", torch.zeros(config.outputs))

    @property
    def evaluated(self) -> Encoder:
        return self.teacher_encoder

    def project(self, representations: torch.Tensor) -> torch.Tensor | None:
        return self.teacher_projector(representations)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        large, small = self.crops(batch)
        with torch.no_grad():  # first: what it needs is free again before the student keeps its activations
            teacher = self.teacher_projector(self.teacher_encoder(large)).unflatten(0, (2, -1))
        student = self.projector(self.encoder(large))
        if self.small_crops:
            student = torch.cat([student, self.projector(self.encoder(small))])
        temperatures = self.config.student_temperature, self.config.teacher_temperature
        loss = dino_loss(student.unflatten(0, (-1, len(batch))), teacher, self.center, *temperatures)
        if self.training and self.config.centering:
            # After the loss, as in the paper's algorithm 1: a batch is centred by its predecessors.
            self.center.lerp_(teacher.mean(dim=(0, 1)).to(self.center.dtype), 1 - self.config.center_momentum)
        return loss

    def after_step(self, progress: float) -> None:
        momentum = self.half_life(progress)
        follow(self.teacher_encoder, self.encoder, momentum)
        follow(self.teacher_projector, self.projector, momentum)

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        pictures = super().pictures(batch)
        if isinstance(self.teacher_encoder, ViT):
            pictures.append(attention_maps(self.teacher_encoder, batch))
        return pictures


def attention_maps(encoder: ViT, batch: torch.Tensor) -> Picture:
    """How much all patches together look at each patch in the last block, one row per head, brightest patch white.

    The paper shows what its class token looks at; a mean over the patches takes its place where there is none.
    """
    _, channels, height, width = batch.shape
    looked_at = encoder.attention(batch).mean(dim=2)  # (N, heads, P)
    looked_at = looked_at / looked_at.amax(dim=2, keepdim=True)
    maps = functional.interpolate(looked_at.unflatten(2, encoder.grid), scale_factor=encoder.patch_size)
    heads = maps[:, :, :height, :width].split(1, dim=1)
    labels = ("original", *[f"head {number}" for number in range(1, len(heads) + 1)])
    return Picture("attention", (batch, *[head.expand(-1, channels, -1, -1) for head in heads]), labels)
