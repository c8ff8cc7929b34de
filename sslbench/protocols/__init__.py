"""Downstream evaluations of an encoder on a label budget. One line here adds one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sslbench.contract.registry import At, Registry

if TYPE_CHECKING:
    from sslbench.protocols._base import Protocol

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
