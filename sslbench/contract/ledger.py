"""Defaults that were chosen by looking at labels: a cost of choosing settings that no tuning counted.

Pages show them in the ledger, for the rows they have. Whoever chooses a default with an eye on an accuracy adds a line
here: which settings, on which data, and how. Defaults that follow a paper, or a measure without labels, need none, nor
do settings that `sslbench tune` found, whose cost a settings file holds. The accuracies are in CHANGELOG.md.
"""

from __future__ import annotations

#: How most were chosen; CHANGELOG.md has the accuracies.
_PROBED = "by linear probes with 1% and 10% of the labels on held-out training images of Fashion-MNIST, 1 seed"

#: By pretext, protocol or encoder: which of its defaults, on which data, and how they were chosen.
CHOSEN_ON_LABELS = {
    "finetune": (
        "learning rate, weight decay, batch size, steps, label smoothing and share of plain inputs, by training from "
        "scratch on 60 to 50,000 labels of Fashion-MNIST, scored on 10,000 training images held out; `supervised`, "
        "longer or shorter, has the same"
    ),
    "rotation": "learning rate, by accuracies looked at while it was written, of which no record was kept",
    "masked_autoencoder": f"share of patches hidden, batch size and targets, {_PROBED}",
    "ijepa": (
        f"learning rate, targets and batch size, {_PROBED}, and by the effective rank; half-life of the teacher, by "
        "cross-validation inside 1% of the labels of Fashion-MNIST, 1 seed"
    ),
    "inpainting": "what fills a hole, mean or black, by cross-validation inside 1% of the labels, 1 seed",
    "vit": (
        "how tokens mix content and place, scale of the pixels and longest wave, by training from scratch on 10% of "
        "the labels of Fashion-MNIST, scored on 3,000 training images held out"
    ),
    "bigan": f"generator, first momentum and standardised codes, {_PROBED}",
    "context_prediction": f"gap and batch size, {_PROBED}",
    "jigsaw": f"grid and length, {_PROBED}",
    "lejepa": f"lambda, between the paper's 0.05 and its authors' 0.02, {_PROBED}",
    "colorization": (
        "batch size, by linear probes with 1% and 10% of the labels on held-out parts of the training pictures of "
        "`photographs` (2 seeds, 3 subsets each)"
    ),
}
