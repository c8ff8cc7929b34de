"""How figures, rows and intervals are said in sentences."""

from __future__ import annotations

import math

from sslbench.report.tables.markdown import percent

#: Names whose capitals matter; any other pretext is its identifier with spaces.
_TITLES = {
    "barlow_twins": "Barlow Twins",
    "bigan": "BiGAN",
    "byol": "BYOL",
    "dino": "DINO",
    "ijepa": "I-JEPA",
    "lejepa": "LeJEPA",
    "moco": "MoCo",
    "simclr": "SimCLR",
    "simsiam": "SimSiam",
    "swav": "SwAV",
    "vae": "VAE",
    "vicreg": "VICReg",
}

_PROTOCOLS = {"linear_probe": "a linear probe", "knn": "nearest neighbours", "finetune": "fine-tuning"}


def title_of(pretext: str) -> str:
    """`SimCLR` for `simclr`, `denoising autoencoder` for `denoising_autoencoder`."""
    return _TITLES.get(pretext, pretext.replace("_", " "))


def row_title(pretext: str, protocol: str, latent_dim: int, pretrained_on: str | None = None) -> str:
    """`SimCLR with a linear probe (latent size 128)`; `pretrained_on` is named if given."""
    source = f" pretrained on {pretrained_on}" if pretrained_on else ""
    how = _PROTOCOLS.get(protocol, protocol.replace("_", " "))
    return f"{title_of(pretext)}{source} with {how} (latent size {latent_dim})"


def with_labels(fraction: float) -> str:
    """`With 1% of the labels`, `With all labels`."""
    return "With all labels" if fraction == 1 else f"With {percent(fraction)} of the labels"


def times(multiple: float) -> str:
    """A multiple with two digits that matter: 0.33, 1.4, 11, 2,300."""
    if multiple == 0 or math.isinf(multiple):
        return "0" if multiple == 0 else "∞"
    return f"{multiple:,.0f}" if multiple >= 9.95 else f"{multiple:.2g}"


def points(share: float) -> str:
    """A share as percentage points with one digit and no sign of zero: `1.4`, `-2.6`, `0.0`."""
    rounded = round(100 * share, 1)
    return f"{rounded:.1f}" if rounded else "0.0"


def interval(low: str, high: str) -> str:
    """`[1.1, 1.9]`."""
    return f"[{low}, {high}]"


def points_interval(low: float, high: float) -> str:
    """`[-1.5, 1.4]` in points, or that one seed has none."""
    return "(one seed: no interval)" if math.isnan(low) else interval(points(low), points(high))


def times_interval(low: float, high: float) -> str:
    """`[1.1, 1.9]`; an end that the data does not bound is said in words."""
    if math.isnan(low):
        return "(one seed: no interval)"
    if low == 0 and math.isinf(high):
        return "(an interval the data does not bound)"
    if low == 0:
        return f"[at most {times(high)}]"
    return f"[at least {times(low)}]" if math.isinf(high) else interval(times(low), times(high))


def fraction_interval(low: float, high: float) -> str:
    """As `times_interval`, for label fractions."""
    if math.isnan(low):
        return "(one seed: no interval)"
    if low == 0 and math.isinf(high):
        return "(an interval the data does not bound)"
    first, last = (f"{100 * end:.2g}%" for end in (low, high))
    if low == 0:
        return f"[at most {last}]"
    return f"[at least {first}]" if math.isinf(high) else interval(first, last)
