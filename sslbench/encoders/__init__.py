"""Networks from a batch of inputs to `latent_dim` numbers each. One line here adds one.

What an encoder of your own inherits is handed on from here, torch being loaded with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sslbench.contract.lazy import lazily
from sslbench.contract.registry import At, Registry

if TYPE_CHECKING:
    from sslbench.encoders._base import Encoder as Encoder
    from sslbench.encoders.images._decoder import ConvDecoder as ConvDecoder

ENCODERS: Registry[type[Encoder]] = Registry(
    "encoder",
    {
        "mlp": "sslbench.encoders.mlp:MLP",
        "conv": "sslbench.encoders.images.conv:Conv",
        "resnet18": "sslbench.encoders.images.resnet18:ResNet18",
        "vit": At("sslbench.encoders.images.vit:ViT", version=2),
        "conv1d": At("sslbench.encoders.series.conv1d:Conv1d", version=2),
        "dilated_conv": "sslbench.encoders.series.dilated_conv:DilatedConv",
        "patch_transformer": "sslbench.encoders.series.patch_transformer:PatchTransformer",
        "transformer": "sslbench.encoders.text.transformer:Transformer",
        "bag": "sslbench.encoders.text.bag:Bag",
        "raw": "sslbench.encoders.raw:Raw",
    },
    "sslbench.encoders",
)

__getattr__, __dir__ = lazily(
    __name__,
    {
        "Encoder": "sslbench.encoders._base",
        "ConvDecoder": "sslbench.encoders.images._decoder",
    },
)
