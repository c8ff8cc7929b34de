"""Does pretraining on other data carry over? What one would choose of such encoders, against scratch and own ones."""

from __future__ import annotations

import pandas as pd

from sslbench.report.scores.layout import Layout
from sslbench.report.statistics.contest import difference
from sslbench.report.statistics.selection import Primary, choices, picked, scratch_beside
from sslbench.report.statistics.spread import UNKNOWN

TRANSFER_COLUMNS = (
    *("dataset", "encoder", "pretrain_dataset", "label_fraction", "num_labels", "protocol", "latent_dim", "n"),
    *(f"{name}{end}" for name in ("scratch", "own") for end in ("", "_low", "_high")),
)


def transfers(layout: Layout, primary: Primary | None) -> pd.DataFrame:
    """What encoders pretrained on another dataset are worth, with the fewest labels at which any can be chosen.

    In every seed the labels of the budget choose (`choices`) among the encoders of one pretraining dataset, and among
    those pretrained on the evaluated dataset itself. `scratch` is the difference of the first choice to training from
    scratch on the same labels, `own` that to the second choice, NaN where there is none; both with the 95% interval of
    that one difference, paired by seed.

    Returns:
        Columns `TRANSFER_COLUMNS`, a line per evaluated dataset, encoder and other dataset; differences are shares.
    """
    evaluated, answers = layout.evaluations, layout.answers
    lines = []
    for (dataset, encoder), here in evaluated.groupby(["dataset", "encoder"], sort=True):
        at = {str(origin): choices(part, primary) for origin, part in here.groupby("pretrain_dataset", sort=True)}
        for origin, chosen in at.items():
            if origin in ("", dataset) or chosen.empty:
                continue
            fraction = chosen["label_fraction"].min()
            part = chosen[chosen["label_fraction"] == fraction]
            row, own = picked(part, answers), at.get(str(dataset), chosen[:0])
            own = own[own["label_fraction"] == fraction]
            against = scratch_beside(part, layout), None if own.empty else picked(own, answers)
            gaps = [difference(row, other, fraction) if other else UNKNOWN for other in against]
            place = dataset, encoder, origin, fraction, part["num_labels"].max()
            table = part["protocol"].iloc[0], part["latent_dim"].iloc[0], part["seed"].nunique()
            lines.append((*place, *table, *(end for gap in gaps for end in (gap.mean, gap.low, gap.high))))
    return pd.DataFrame(lines, columns=list(TRANSFER_COLUMNS))
