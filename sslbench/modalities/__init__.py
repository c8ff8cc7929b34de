"""What an input is: from stored values to a batch, what a view may do to it, how it is drawn. A line here adds one.

What a modality of your own inherits and draws is handed on from here, torch being loaded with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sslbench.contract.lazy import lazily
from sslbench.contract.registry import Registry
from sslbench.contract.spec import InputSpec

if TYPE_CHECKING:
    from sslbench.modalities._base import Modality as Modality
    from sslbench.modalities._base import Picture as Picture

MODALITIES: Registry[type[Modality]] = Registry(
    "modality",
    {
        "image": "sslbench.modalities.image:Image",
        "series": "sslbench.modalities.series:Series",
        "text": "sslbench.modalities.text:Text",
    },
    "sslbench.modalities",
)

__getattr__, __dir__ = lazily(
    __name__,
    {
        "Modality": "sslbench.modalities._base",
        "Picture": "sslbench.modalities._base",
    },
)


def modality_of(input_spec: InputSpec) -> Modality:
    """The modality that an input specification names.

    Raises:
        InputError: it names none; the message lists those there are.
    """
    return MODALITIES.get(input_spec.modality)()
