"""What one would have picked without the test split: the best pretext, latent size and protocol by budget score."""

from __future__ import annotations

import math
from collections.abc import Iterator

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
    for place, group in pretexts.groupby(["dataset", "encoder"], sort=True):
        tuned = group[group["protocol"] == "finetune"]
        for fraction, scores in _scores(group[~group["protocol"].isin(NOT_HELD_OUT)]):
            here = tuned if math.isnan(fraction) else tuned[tuned["label_fraction"] == fraction]
            networks = set(zip(*(here[name].tolist() for name in _NETWORK), strict=True))
            finetuned: dict[_Candidate, float] = {}
            for (size, _, source, pretext), score in scores.items():
                if (size, source, pretext) in networks:
                    candidate = size, "finetune", source, pretext
                    finetuned[candidate] = max(score, finetuned.get(candidate, -math.inf))
            for kind, found in ((FROZEN, scores), (FINETUNED, finetuned)):
                if found:
                    best = min(found, key=lambda key: (-round(found[key], 12), _order(*key)))
                    lines.append((*place, *best, fraction, kind, found[best], len(found)))
    return pd.DataFrame(lines, columns=list(CHOICE_COLUMNS))


_Candidate = tuple[int, str, str, str]  # latent size, protocol, pretraining dataset, pretext
_NETWORK = ("latent_dim", "pretrain_dataset", "pretext")


def _scores(frozen: pd.DataFrame) -> Iterator[tuple[float, dict[_Candidate, float]]]:
    """Mean budget score of each candidate at each fraction, and over all of them (NaN)."""
    means = frozen.groupby([*ROW_KEY[2:], "label_fraction"])["budget"].mean().unstack("label_fraction")
    for fraction in means.columns:
        known = means[fraction].dropna()
        yield float(fraction), dict(zip(known.index.tolist(), known.tolist(), strict=True))
    labels = frozen.groupby("label_fraction")["num_labels"].max()[means.columns]
    complete = means.dropna()
    if labels.nunique() > 1 and len(complete):
        heights = log_area(labels.to_numpy(float), complete.to_numpy(float))
        yield math.nan, dict(zip(complete.index.tolist(), heights.tolist(), strict=True))


def _order(latent_dim: int, protocol: str, source: str, pretext: str) -> tuple[object, ...]:
    return protocol_rank(protocol), latent_dim, pretext_rank(pretext), source
