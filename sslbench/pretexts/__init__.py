"""Tasks that train an encoder without labels, and the baselines beside them. One line here adds one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sslbench.registry import Registry

if TYPE_CHECKING:
    from sslbench.pretexts._base import Pretext

PRETEXTS: Registry[type[Pretext]] = Registry(
    "pretext",
    {
        "majority_class": "sslbench.pretexts.baselines:MajorityClass",
        "raw_pixels": "sslbench.pretexts.baselines:RawPixels",
        "random_init": "sslbench.pretexts.baselines:RandomInit",
        "supervised": "sslbench.pretexts.baselines:Supervised",
        "autoencoder": "sslbench.pretexts.autoencoder:Autoencoder",
        "rotation": "sslbench.pretexts.rotation:Rotation",
        "simclr": "sslbench.pretexts.simclr:SimCLR",
    },
)
