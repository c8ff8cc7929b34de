"""What the representations look like without labels."""

from __future__ import annotations

import pandas as pd

#: Columns of the table: measure, title, digits.
SHOWN = (
    ("rankme", "RankMe", 1),
    ("alpha_req", "alpha-ReQ", 2),
    ("lidar", "LiDAR", 1),
    ("uniformity", "uniformity", 2),
    ("alignment", "alignment", 3),
    ("per_dimension_std", "std", 4),
)

#: What names an encoder whose measures are averaged over seeds; its dataset is the one it was trained on.
ENCODER = ["dataset", "encoder", "latent_dim", "pretext"]

_PREFIX = "representation."


def mean_measures(records: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds: `ENCODER`, measure, `value`, and how many `seeds`, sorted."""
    chosen = records[records["metric"].str.startswith(_PREFIX) & records["value"].notna()]
    chosen = chosen.assign(measure=chosen["metric"].str.removeprefix(_PREFIX))
    grouped = chosen.groupby([*ENCODER, "measure"], as_index=False)
    return grouped.agg(value=("value", "mean"), seeds=("seed", "nunique"))
