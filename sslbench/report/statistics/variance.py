"""What matters most: how the variance of accuracy is shared by the axes of a suite."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sslbench.contract.spec import BASELINES
from sslbench.report.scores.evaluations import replicates_of
from sslbench.report.scores.rows import Floats
from sslbench.report.statistics.spread import ROUNDING, estimate

#: The axes whose main effects and pairwise interactions are told apart; seeds come last, their interactions with them.
FACTORS = ("pretext", "latent_dim", "protocol", "label_fraction")

AXES = (*FACTORS, "seed")

SHARE_COLUMNS = ("dataset", "encoder", "source", "levels", "share", "low", "high", "reason")


@dataclass(frozen=True)
class Design:
    """The largest complete factorial that was found in the records of one dataset and encoder.

    Attributes:
        levels: by name of `AXES`, what stands along the axes of `scores`.
        scores: test accuracy, an axis per name of `AXES`, without holes.
        left_out: levels that had holes, e.g. `protocol finetune`.
    """

    levels: dict[str, tuple[Any, ...]]
    scores: Floats
    left_out: tuple[str, ...]


def shares(evaluated: pd.DataFrame) -> pd.DataFrame:
    """Share of the variance of test accuracy explained by each axis, each pair of axes, and seeds with all they change.

    Functional ANOVA (Hutter, Hoos & Leyton-Brown 2014, ICML) on the largest complete factorial of pretexts, latent
    sizes, protocols, label fractions and seeds: with every combination run equally often the effects are orthogonal,
    sums of squares of any type (I, II, III) agree, and shares sum to 1 with `residual` (interactions of three and more
    axes). `seed` is everything that another seed would change: what it does to all cells alike, and its interactions,
    which are most of it. Levels with holes are left out greedily, the emptiest first; baselines do not take part. The
    shares describe this grid: more latent sizes or fractions would give those axes more to explain.

    Intervals: jackknife over seeds (Tukey 1958) with Student t, cut to [0, 1]. They say how far other seeds would move
    a share, not how far another grid would.

    Returns:
        Columns `SHARE_COLUMNS`, largest share first, `residual` last; `source` is a factor, `seed`, `residual`, or
        a pair such as `pretext x label_fraction`, `levels` how many values it took. `reason` names what was left out,
        or why there is nothing to share; intervals are NaN for one seed.
    """
    lines: list[tuple[object, ...]] = []
    for (dataset, encoder), group in evaluated[~evaluated["pretext"].isin(BASELINES)].groupby(["dataset", "encoder"]):
        design = complete_design(group)
        left_out = f"left out, as not run everywhere: {', '.join(design.left_out)}" if design.left_out else ""
        if not np.ptp(design.scores) >= ROUNDING:  # nothing varies, or nothing is left
            continue
        found, intervals = _shares(design.scores), share_intervals(design.scores)
        for source in sorted(found, key=lambda source: (source == "residual", -found[source], source)):
            levels = math.prod(len(design.levels[name]) for name in source.split(" x ")) if source != "residual" else 0
            lines.append((dataset, encoder, source, levels, found[source], *intervals[source], left_out))
    return pd.DataFrame(lines, columns=list(SHARE_COLUMNS))


def complete_design(evaluated: pd.DataFrame) -> Design:
    """Drop levels with holes, the one with the largest missing share first, until every combination was run."""
    columns = _columns(evaluated)
    levels = [tuple(sorted(set(column))) for column in columns]
    places = [{level: place for place, level in enumerate(found)} for found in levels]
    scores = np.full([len(found) for found in levels], np.nan)
    codes = tuple(np.array([of[item] for item in column]) for of, column in zip(places, columns, strict=True))
    scores[codes] = evaluated["test"].to_numpy(float)
    left_out: list[str] = []
    while np.isnan(scores).any() and scores.size > 1:
        missing = [np.isnan(scores).mean(axis=_others(axis)) for axis in range(scores.ndim)]
        several = [axis for axis in range(scores.ndim) if scores.shape[axis] > 1]  # no axis may lose its last level
        axis = max(several, key=lambda index: float(missing[index].max()))
        worst = int(missing[axis].argmax())
        left_out.append(f"{AXES[axis]} {levels[axis][worst]}")
        levels[axis] = levels[axis][:worst] + levels[axis][worst + 1 :]
        scores = np.delete(scores, worst, axis=axis)
    return Design(dict(zip(AXES, levels, strict=True)), scores, tuple(left_out))


def _columns(evaluated: pd.DataFrame) -> list[list[Any]]:
    """The values along `AXES`; a transferred pretext names its source, a seed its replicate."""
    origins = zip(*(evaluated[name].tolist() for name in ("pretext", "pretrain_dataset", "dataset")), strict=True)
    pretexts = [name if source == dataset else f"{name} from {source}" for name, source, dataset in origins]
    return [pretexts, *(evaluated[name].tolist() for name in FACTORS[1:]), replicates_of(evaluated)]


def sums_of_squares(scores: Floats) -> dict[str, float]:
    """Sums of squares of a complete factorial with the axes `AXES`; they add up to the total.

    An axis of length one explains nothing and is left out with its pairs. `seed` is the variation within cells: its
    main effect and all its interactions.
    """
    grand = float(scores.mean())
    axes = [axis for axis, length in enumerate(scores.shape) if length > 1]
    main = {axis: scores.mean(axis=_others(axis)) - grand for axis in axes}
    found = {AXES[axis]: scores.size / scores.shape[axis] * float(np.square(main[axis]).sum()) for axis in axes}
    if "seed" in found:
        found["seed"] = float(np.square(scores - scores.mean(axis=-1, keepdims=True)).sum())
    for first, second in itertools.combinations([axis for axis in axes if AXES[axis] != "seed"], 2):
        means = scores.mean(axis=_others(first, second)) - grand
        effect = means - main[first][:, None] - main[second][None, :]
        repeats = scores.size / effect.size
        found[f"{AXES[first]} x {AXES[second]}"] = repeats * float(np.square(effect).sum())
    total = float(np.square(scores - grand).sum())
    return {**found, "residual": max(0.0, total - sum(found.values()))}


def _others(*axes: int) -> tuple[int, ...]:
    return tuple(axis for axis in range(len(AXES)) if axis not in axes)


def _shares(scores: Floats) -> dict[str, float]:
    found = sums_of_squares(scores)
    total = sum(found.values())
    return {source: value / total for source, value in found.items()}


def share_intervals(scores: Floats) -> dict[str, tuple[float, float]]:
    """Interval of each share from its pseudo-values, one per seed left out; NaN where too little would be left."""
    seeds = scores.shape[-1]
    whole = _shares(scores)
    left = [np.delete(scores, seed, axis=-1) for seed in range(seeds)] if seeds > 1 else []
    if not left or any(np.ptp(part) < ROUNDING for part in left):
        return dict.fromkeys(whole, (math.nan, math.nan))
    without = [_shares(part) for part in left]
    found: dict[str, tuple[float, float]] = {}
    for source, share in whole.items():
        spread = estimate(seeds * share - (seeds - 1) * part.get(source, 0.0) for part in without)
        found[source] = (max(0.0, spread.low), min(1.0, max(0.0, spread.high)))
    return found
