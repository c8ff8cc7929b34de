"""Downstream evaluations of an encoder on a label budget. One line here adds one.

What a protocol of your own inherits and answers is handed on from here, torch being loaded with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sslbench.contract.lazy import lazily
from sslbench.contract.registry import At, Registry
from sslbench.contract.spec import ProtocolConfig as ProtocolConfig

if TYPE_CHECKING:
    from sslbench.protocols._base import Effort as Effort
    from sslbench.protocols._base import FrozenProtocol as FrozenProtocol
    from sslbench.protocols._base import Prediction as Prediction
    from sslbench.protocols._base import Protocol as Protocol
    from sslbench.protocols._base import TrainedProtocol as TrainedProtocol

PROTOCOLS: Registry[type[Protocol]] = Registry(
    "protocol",
    {
        "linear_probe": "sslbench.protocols.linear_probe:LinearProbe",
        "knn": At("sslbench.protocols.knn:KNN", version=2),
        "finetune": At("sslbench.protocols.finetune:Finetune", version=2),
        "minirocket": "sslbench.protocols.minirocket:MiniRocket",
        "tfidf": "sslbench.protocols.tfidf:TfIdf",
        "majority_class": "sslbench.protocols.majority_class:MajorityClass",
    },
    "sslbench.protocols",
)

__getattr__, __dir__ = lazily(
    __name__,
    {
        "FrozenProtocol": "sslbench.protocols._base",
        "TrainedProtocol": "sslbench.protocols._base",
        "Protocol": "sslbench.protocols._base",
        "Prediction": "sslbench.protocols._base",
        "Effort": "sslbench.protocols._base",
    },
)
