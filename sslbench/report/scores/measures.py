"""What the representations look like without labels, and which of them are collapsed."""

from __future__ import annotations

import pandas as pd

from sslbench.report.records import pretext_rank

#: Columns of the table: measure, title, digits.
SHOWN = (
    ("rankme", "RankMe", 1),
    ("alpha_req", "alpha-ReQ", 2),
    ("lidar", "LiDAR", 1),
    ("uniformity", "uniformity", 2),
    ("alignment", "alignment", 3),
    ("per_dimension_std", "std", 4),
)

COLLAPSED = "‡"

Encoder = tuple[str, str, str, int]  # dataset, encoder, pretext, latent size


def collapsed_encoders(records: pd.DataFrame) -> dict[Encoder, int]:
    """How many seeds of each encoder are collapsed; encoders without any are left out."""
    flagged = records[(records["metric"] == "collapsed") & (records["value"] > 0)]
    counts: dict[Encoder, int] = {}
    for dataset, encoder, pretext, latent_dim in zip(
        flagged["dataset"], flagged["encoder"], flagged["pretext"], flagged["latent_dim"], strict=True
    ):
        key = (str(dataset), str(encoder), str(pretext), int(latent_dim))
        counts[key] = counts.get(key, 0) + 1
    return counts


def measure_rows(records: pd.DataFrame) -> list[list[str]]:
    """One row per pretext and latent size: means over seeds in the space of the representation."""
    chosen = records[records["metric"].str.startswith("representation.")]
    flagged = collapsed_encoders(records)
    means = chosen.groupby(["dataset", "encoder", "pretext", "latent_dim", "metric"])["value"].mean()
    seeds = chosen.groupby(["dataset", "encoder", "pretext", "latent_dim"])["seed"].nunique()
    rows = []
    for key in sorted(seeds.index, key=lambda key: (key[0], key[1], key[3], pretext_rank(key[2]))):
        values = [f"{means[(*key, f'representation.{name}')]:.{digits}f}" for name, _, digits in SHOWN]
        count = flagged.get(key, 0)
        collapse = f"{count} of {seeds[key]} seeds {COLLAPSED}" if count else "no"
        rows.append([str(key[2]), str(key[3]), *values, collapse])
    return rows
