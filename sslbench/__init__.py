"""sslbench: how many labels does self-supervision save?

`import sslbench as sb` offers, each loaded when it is first used:

* `sb.evaluate`, `sb.compare_with_published`: score an encoder of your own, and put it beside a published table;
* `sb.run`, `sb.records`: run a suite, read its records;
* `sb.load_encoder`, `sb.load_dataset`: what was trained, and what it is trained on;
* `sb.list_datasets`, `sb.list_pretexts`: what there is to choose from.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sslbench.api.loading import list_datasets as list_datasets
    from sslbench.api.loading import list_pretexts as list_pretexts
    from sslbench.api.loading import load_dataset as load_dataset
    from sslbench.api.loading import load_encoder as load_encoder
    from sslbench.api.scoring import evaluate as evaluate
    from sslbench.api.sweeps import run as run
    from sslbench.api.tables import compare_with_published as compare_with_published
    from sslbench.api.tables import records as records

__version__ = "0.1.0"

_PLACES = {
    "evaluate": "scoring",
    "compare_with_published": "tables",
    "records": "tables",
    "run": "sweeps",
    "list_datasets": "loading",
    "list_pretexts": "loading",
    "load_dataset": "loading",
    "load_encoder": "loading",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.api.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PLACES])
