"""Another modality in one file, as somebody outside the package would add it: vectors of ten numbers.

A suite's file too: `sslbench run tests/modalities/vectors.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from sslbench.contract.spec import InputSpec, PretextConfig, Suite, ViewPolicy
from sslbench.datasets import DATASETS
from sslbench.datasets._base import Dataset, Split, assembled
from sslbench.encoders import ENCODERS
from sslbench.encoders._base import Encoder
from sslbench.modalities import MODALITIES
from sslbench.modalities._base import Modality, Picture
from sslbench.pretexts import PRETEXTS
from sslbench.pretexts._base import Pretext

LENGTH, CLASSES = 10, 3


@MODALITIES.register("vector")
class Vector(Modality):
    """Numbers in a fixed order: signed bytes in a dataset, floats in [0, 1] in a batch."""

    stored: ClassVar[torch.dtype] = torch.int8
    examples: ClassVar[tuple[InputSpec, ...]] = (InputSpec("vector", (LENGTH,)), InputSpec("vector", (7,)))

    def batch(self, stored: torch.Tensor) -> torch.Tensor:
        return (stored.float() + 128) / 255

    def mild_view(self, batch: torch.Tensor, policy: ViewPolicy) -> torch.Tensor:
        return batch + 0.01 * torch.randn_like(batch)

    def contrastive_view(self, batch: torch.Tensor, policy: ViewPolicy, strength: float = 0.5) -> torch.Tensor:
        noisy = batch + 0.1 * strength * torch.randn_like(batch)
        return noisy * (torch.rand_like(batch) >= 0.2)

    def images(self, batch: torch.Tensor) -> torch.Tensor:
        """A bar per number."""
        heights = torch.arange(LENGTH, 0, -1, device=batch.device)[:, None] / LENGTH
        return (batch[:, None, None, :] >= heights).float()

    def made_up(self, spec: InputSpec, count: int, seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        return torch.randint(-128, 128, (count, *spec.shape), generator=generator, dtype=torch.int8)


@ENCODERS.register("narrow")
class Narrow(Encoder):
    """One hidden layer."""

    modality: ClassVar[str | None] = "vector"

    def __init__(self, input_spec: InputSpec, latent_dim: int) -> None:
        super().__init__(input_spec, latent_dim)
        self.hidden = nn.Sequential(nn.Linear(input_spec.size, 32), nn.ReLU())
        self.project = nn.Linear(32, latent_dim)

    @classmethod
    def max_latent_dim(cls, input_spec: InputSpec) -> int:
        return 32

    def feature_map(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.hidden(inputs)[:, :, None]

    def mirror(self) -> nn.Module:
        return nn.Linear(self.latent_dim, self.input_spec.size)


@PRETEXTS.register("reversal")
class Reversal(Pretext):
    """Tell whether a vector was turned back to front."""

    modality: ClassVar[str | None] = "vector"

    def __init__(self, encoder: Encoder, config: PretextConfig, input_spec: InputSpec) -> None:
        super().__init__(encoder, config, input_spec)
        self.head = nn.Linear(encoder.latent_dim, 1)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        turned = torch.rand(len(batch), device=batch.device) < 0.5
        shown = torch.where(turned[:, None], batch.flip(1), batch)
        return functional.binary_cross_entropy_with_logits(self.head(self.encoder(shown)).squeeze(1), turned.float())

    def pictures(self, batch: torch.Tensor) -> list[Picture]:
        return [Picture("reversed", (batch, batch.flip(1)), ("original", "reversed"))]


@DATASETS.register("steps")
def load_steps(root: Path) -> Dataset:
    """Steps: vectors that rise at one of three places, under noise."""
    return assembled(
        "steps", "vector", ("early", "middle", "late"), ViewPolicy(), _split(600, 0), _split(150, 1), "here"
    )


def _split(count: int, seed: int) -> Split:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % CLASSES
    rises = torch.arange(LENGTH) > 2 * labels[:, None] + 2
    values = 120 * rises - 60 + 25 * torch.randn(count, LENGTH, generator=generator)
    return Split(values.clamp(-128, 127).to(torch.int8), labels)


SUITE = Suite(
    name="vectors",
    datasets=("steps",),
    encoders=("narrow", "conv"),
    pretexts=(
        "majority_class",
        "raw_pixels",
        "random_init",
        "supervised",
        "reversal",
        "simclr",
        "vicreg",
        "rotation",
    ),
    latent_dims=(8,),
    seeds=(0,),
    epochs=2,
    label_fractions=(0.5,),
    settings={"finetune": {"min_steps": 20, "max_steps": 20}},
)
