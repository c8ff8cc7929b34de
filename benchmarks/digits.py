"""From ten labels upwards: the digits that come with scikit-learn, a training in seconds.

Command:  sslbench run digits
Cost:     16 minutes on two CPU cores.
Question: how many labels does pretraining on 1,297 digits without labels save, from one label a class to all of them?
"""

from sslbench.contract.spec import Combination, Suite


def include(one: Combination) -> bool:
    """Fine-tune one pretext; train from scratch everywhere, with more compute at three budgets."""
    if one.pretext == "supervised_compute":
        return one.labels_per_class in (1, 5, 20)
    return one.protocol != "finetune" or one.pretext in ("supervised", "simclr")


SUITE = Suite(
    name="digits",
    datasets=("digits",),
    encoders=("conv",),
    pretexts=(
        "majority_class",
        "raw_pixels",
        "random_init",
        "supervised",
        "supervised_compute",
        "autoencoder",
        "rotation",
        "simclr",
        "vicreg",
    ),
    latent_dims=(128,),
    seeds=(0, 1, 2, 3, 4),
    epochs=60,
    label_fractions=(1.0,),
    labels_per_class=(1, 2, 5, 10, 20, 50),
    protocols=("linear_probe", "finetune"),
    readings=("latent", "map"),
    primary="linear_probe, map",
    compute_of="vicreg",
    settings={"finetune": {"min_steps": 1_000, "max_steps": 1_000}},
    include=include,
    notes=(
        "Pretraining: 60 epochs over the 1,297 training images without labels, the same for every pretext.",
        "`supervised` and `finetune`: 1,000 optimiser steps of batch 64 at every budget (fewer images where there are "
        "fewer labels), which is 49 epochs over all of them. Given the compute of vicreg besides, it gains nothing "
        "with 10 and 50 labels and 0.7 points with 200.",
        "`supervised_compute`: the steps of `supervised` and as many more as vicreg's pretraining would pay for.",
    ),
)
