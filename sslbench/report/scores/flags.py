"""What speaks against numbers that are there: a collapsed representation, or another version's work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pandas as pd

from sslbench.contract.cells import FEW_STEPS
from sslbench.contract.spec import BASELINES

Encoder = tuple[str, str, str, int]  # dataset, encoder, pretext, latent size


def undertrained(records: pd.DataFrame) -> pd.DataFrame:
    """The records of encoders that were pretrained for fewer than `FEW_STEPS`; none where steps were not recorded."""
    few = records["pretrain_steps"].between(1, FEW_STEPS - 1)
    return records[few & ~records["pretext"].isin(BASELINES)]


def collapsed_encoders(records: pd.DataFrame) -> Mapping[Encoder, int]:
    """How many seeds of each encoder are collapsed; encoders without any, or undertrained ones, are left out."""
    flagged = records[(records["metric"] == "collapsed") & (records["value"] > 0)]
    flagged = flagged.drop(undertrained(flagged).index)
    encoders = flagged[["dataset", "encoder", "pretext", "latent_dim"]]
    return Counter(encoders.itertuples(index=False, name=None))


#: What has versions, and the columns of records that name it and say which.
VERSIONED = tuple((kind, f"{kind}_version") for kind in ("dataset", "encoder", "pretext", "protocol"))


def stale_cells(records: pd.DataFrame, versions: Mapping[tuple[str, str], int]) -> frozenset[str]:
    """Identities of cells that another version of sslbench or of a plug-in, or other settings of the same pretext,
    computed.

    The newest record says which version of sslbench and, for every encoder of a pretext and latent size, which settings
    hold.

    Args:
        versions: of the plug-ins as they are now, by kind and name; one that is not among them is never stale.
    """
    if records.empty:
        return frozenset()
    ordered = records.sort_values(["started_at", "run_id"], kind="stable")
    old = ordered["sslbench_version"] != ordered["sslbench_version"].iloc[-1]
    axes = ["dataset", "encoder", "pretext", "latent_dim"]
    settled = ordered.groupby(axes)["config_hash"].transform("last")
    stale = old | (ordered["config_hash"] != settled)
    for kind, column in VERSIONED:
        now = ordered[kind].map(lambda name, kind=kind: versions.get((kind, name)))
        stale |= now.notna() & (now != ordered[column])
    return frozenset(map(str, ordered.loc[stale, "cell_id"]))
