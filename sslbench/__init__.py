"""sslbench: how many labels does self-supervision save?

`import sslbench as sb` offers, each loaded when it is first used:

* `sb.evaluate`, `sb.compare_with_published`: score an encoder of your own, and put it beside a published table;
* `sb.run`, `sb.records`, `sb.findings`: run a suite, read its records, and what they say in sentences;
* `sb.load_encoder`, `sb.load_dataset`: what was trained, and what it is trained on;
* `sb.list_datasets`, `sb.list_pretexts`: what there is to choose from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sslbench.contract.lazy import lazily

if TYPE_CHECKING:
    from sslbench.api.loading import list_datasets as list_datasets
    from sslbench.api.loading import list_pretexts as list_pretexts
    from sslbench.api.loading import load_dataset as load_dataset
    from sslbench.api.loading import load_encoder as load_encoder
    from sslbench.api.scoring import evaluate as evaluate
    from sslbench.api.sweeps import run as run
    from sslbench.api.tables import compare_with_published as compare_with_published
    from sslbench.api.tables import findings as findings
    from sslbench.api.tables import records as records

__version__ = "0.1.0"

__getattr__, __dir__ = lazily(
    __name__,
    {
        "evaluate": "sslbench.api.scoring",
        "compare_with_published": "sslbench.api.tables",
        "findings": "sslbench.api.tables",
        "records": "sslbench.api.tables",
        "run": "sslbench.api.sweeps",
        "list_datasets": "sslbench.api.loading",
        "list_pretexts": "sslbench.api.loading",
        "load_dataset": "sslbench.api.loading",
        "load_encoder": "sslbench.api.loading",
    },
)
