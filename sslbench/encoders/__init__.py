"""Networks from a batch of inputs to `latent_dim` numbers each. One line here adds one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sslbench.contract.registry import At, Registry

if TYPE_CHECKING:
    from sslbench.encoders._base import Encoder

ENCODERS: Registry[type[Encoder]] = Registry(
    "encoder",
    {
        "mlp": "sslbench.encoders.mlp:MLP",
        "conv": "sslbench.encoders.images.conv:Conv",
        "resnet18": "sslbench.encoders.images.resnet18:ResNet18",
        "vit": At("sslbench.encoders.images.vit:ViT", version=2),
        "conv1d": "sslbench.encoders.series.conv1d:Conv1d",
        "patch_transformer": "sslbench.encoders.series.patch_transformer:PatchTransformer",
        "transformer": "sslbench.encoders.text.transformer:Transformer",
        "bag": "sslbench.encoders.text.bag:Bag",
        "raw": "sslbench.encoders.raw:Raw",
    },
    "sslbench.encoders",
)
