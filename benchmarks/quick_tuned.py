"""The quick suite with settings tuned on equal terms: does the order of the table survive?

Command:  sslbench run quick_tuned
Settings: sslbench tune quick --latent-dim 128 --trials 12, when `quick` was this suite with default settings.
Cost:     9 minutes on two CPU cores, and 14 for the tuning, which is in the ledger.
"""

from sslbench.contract.spec import Combination, Suite

FINETUNE_STEPS, FINETUNE_BATCH = 700, 64


def include(one: Combination) -> bool:
    """Fine-tune one pretext; `supervised` is trained everywhere."""
    return one.protocol != "finetune" or one.pretext in ("supervised", "simclr")


SUITE = Suite(
    name="quick_tuned",
    datasets=("fashion_mnist",),
    encoders=("conv",),
    pretexts=("majority_class", "raw_pixels", "random_init", "supervised", "autoencoder", "rotation", "simclr"),
    latent_dims=(128,),
    seeds=(0, 1, 2),
    epochs=1,
    label_fractions=(0.01, 0.05, 0.1, 0.25, 1.0),
    settings={
        "finetune": {
            "min_steps": FINETUNE_STEPS,
            "max_steps": FINETUNE_STEPS,
            "optimizer.batch_size": FINETUNE_BATCH,
        }
    },
    settings_file="settings/quick_tuned.json",
    include=include,
    notes=(
        "Pretraining: 1 epoch over the 60,000 training images without labels, the same for every pretext.",
        f"`supervised` and `finetune`: the same recipe, {FINETUNE_STEPS} optimiser steps of batch {FINETUNE_BATCH} at "
        "every label fraction.",
        "Settings: 12 trials for every pretext and for `supervised`, judged inside 1% of the labels (a subset of its "
        "own, so a row at 1% has used up to 2%).",
    ),
)
