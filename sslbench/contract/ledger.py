"""Defaults that were chosen by looking at labels: a cost of choosing settings that no tuning counted.

Pages show them in the ledger, for the rows they have. Whoever chooses a default with an eye on an accuracy adds a line
here: which settings, on which data, and how. Defaults that follow a paper, or a measure without labels, need none, nor
do settings that `sslbench tune` found, whose cost a settings file holds. The accuracies are in CHANGELOG.md.
"""

from __future__ import annotations

#: How most were chosen; CHANGELOG.md has the accuracies.
_PROBED = "by linear probes with 1% and 10% of the labels on held-out training images of Fashion-MNIST, 1 seed"

#: By pretext or protocol: which of its defaults, on which data, and how they were chosen.
CHOSEN_ON_LABELS = {
    "finetune": (
        "learning rate, weight decay and batch size, by accuracies looked at while the recipe was written, of which no "
        "record was kept; `supervised`, longer or shorter, has the same"
    ),
    "rotation": "learning rate, by accuracies looked at while it was written, of which no record was kept",
    "masked_autoencoder": f"share of patches hidden, batch size and targets, {_PROBED}",
    "ijepa": f"learning rate, targets, batch size and momentum, {_PROBED}, and by the effective rank",
    "bigan": f"generator, first momentum and standardised codes, {_PROBED}",
    "context_prediction": f"gap and batch size, {_PROBED}",
    "jigsaw": f"grid and length, {_PROBED}",
    "lejepa": f"lambda, between the paper's 0.05 and its authors' 0.02, {_PROBED}",
    "colorization": (
        "batch size, by linear probes with 1% and 10% of the labels on held-out parts of the training pictures of "
        "`photographs` (2 seeds, 3 subsets each)"
    ),
}
