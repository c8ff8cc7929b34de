"""What one would have picked without the test split: the best pretext, latent size and protocol by budget score."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from sslbench.contract.spec import BASELINES
from sslbench.contract.titles import NOT_HELD_OUT, protocol_rank
from sslbench.report.records import pretext_rank
from sslbench.report.scores.evaluations import ROW_KEY
from sslbench.report.statistics.area import log_area

FROZEN, FINETUNED = "frozen", "finetuned"

CHOICE_COLUMNS = (*ROW_KEY, "label_fraction", "kind", "budget", "candidates")


def choices(evaluated: pd.DataFrame) -> pd.DataFrame:
    """The pretext, latent size and protocol to use at each label fraction, chosen inside the label budget.

    `frozen`: the highest mean budget score (cross-validated or leave-one-out accuracy on the labels of the budget)
    over replicates, among pretexts and protocols that hold labels out. `finetuned`: among the encoders that were
    fine-tuned, the one whose frozen representation has the highest budget score, because fine-tuning itself holds
    nothing out. Test accuracies are not read, so nothing reported of the chosen row is inflated by the choice.

    Returns:
        Columns `CHOICE_COLUMNS`: a line per dataset, encoder, label fraction and kind, and one whose `label_fraction`
        is NaN for the best over all fractions (area under the curve of budget scores on the log-label axis, among
        rows that have all). `candidates` counts rows chosen from. Absent where nothing has a budget score.
    """
    pretexts = evaluated[~evaluated["pretext"].isin(BASELINES)]
    lines: list[tuple[object, ...]] = []
    for (dataset, encoder), group in pretexts.groupby(["dataset", "encoder"], sort=True):
        frozen = group[~group["protocol"].isin(NOT_HELD_OUT)]
        tuned = group[group["protocol"] == "finetune"]
        for fraction, scores in _scores(frozen):
            at_fraction = tuned if math.isnan(fraction) else tuned[tuned["label_fraction"] == fraction]
            lines += [
                (dataset, encoder, *key, fraction, kind, score, candidates)
                for kind, (key, score, candidates) in _choose(scores, at_fraction).items()
            ]
    return pd.DataFrame(lines, columns=list(CHOICE_COLUMNS))


_Candidate = tuple[int, str, str, str]  # latent size, protocol, pretraining dataset, pretext


def _scores(frozen: pd.DataFrame) -> Iterator[tuple[float, dict[_Candidate, float]]]:
    """Mean budget score of each candidate at each fraction, and over all of them (NaN)."""
    means = frozen.groupby([*ROW_KEY[2:], "label_fraction"])["budget"].mean().unstack("label_fraction")
    if means.empty:
        return
    labels = frozen.groupby("label_fraction")["num_labels"].max()
    for fraction in means.columns:
        yield float(fraction), _known(means[fraction])
    complete = means.dropna()
    if labels[means.columns].nunique() > 1 and len(complete):
        heights = log_area(labels[means.columns].to_numpy(float), complete.to_numpy(float))
        yield math.nan, _known(pd.Series(heights, index=complete.index))


def _known(scores: pd.Series[float]) -> dict[_Candidate, float]:
    found = scores.dropna()
    return dict(zip(found.index.tolist(), np.asarray(found, dtype=float).tolist(), strict=True))


def _choose(scores: dict[_Candidate, float], tuned: pd.DataFrame) -> dict[str, tuple[_Candidate, float, int]]:
    """The best candidate by kind, its score, and how many there were; ties go to the first in table order."""
    if not scores:
        return {}
    best = min(scores, key=lambda key: (-round(scores[key], 12), _order(key)))
    found = {FROZEN: (best, scores[best], len(scores))}
    encoders = tuned[["latent_dim", "pretrain_dataset", "pretext"]].drop_duplicates().itertuples(index=False)
    frozen_best: dict[_Candidate, float] = {}
    for latent_dim, source, pretext in encoders:
        own = [score for key, score in scores.items() if (key[0], key[2], key[3]) == (latent_dim, source, pretext)]
        if own:
            frozen_best[latent_dim, "finetune", source, pretext] = max(own)
    if frozen_best:
        best = min(frozen_best, key=lambda key: (-round(frozen_best[key], 12), _order(key)))
        found[FINETUNED] = (best, frozen_best[best], len(frozen_best))
    return found


def _order(key: _Candidate) -> tuple[object, ...]:
    latent_dim, protocol, source, pretext = key
    return protocol_rank(protocol), latent_dim, pretext_rank(pretext), source
