"""Does a representation carry over? Clothes to digits and back, against encoders of the dataset's own.

Command:  sslbench run transfer
Cost:     28 minutes on two CPU cores, half of them beside other work.
Question: with 10 to 1,000 labels, does pretraining on the other dataset still beat training from scratch, and how much
          of the gain of pretraining on the dataset itself does it keep? Both are given as many images and steps.
"""

from sslbench.contract.spec import Combination, Suite


def include(one: Combination) -> bool:
    """Everything but scratch with more compute between the ends and the middle of the budgets."""
    return one.pretext != "supervised_compute" or one.labels_per_class in (1, 10, 100)


SUITE = Suite(
    name="transfer",
    datasets=("fashion_mnist", "digits"),
    pretrain_datasets=("fashion_mnist", "digits"),
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
    ),
    latent_dims=(128,),
    seeds=(0, 1, 2, 3, 4),
    epochs=40,
    num_unlabelled=1_297,
    label_fractions=(),
    labels_per_class=(1, 2, 5, 10, 20, 50, 100),
    protocols=("linear_probe",),
    compute_of="simclr",
    include=include,
    settings={"finetune": {"min_steps": 1_000, "max_steps": 1_000}},
    notes=(
        "Pretraining: 40 epochs over 1,297 training images without labels, the same number of images and of steps "
        "whether they show clothes or digits; `from` names the dataset if it is not the evaluated one.",
        "`supervised`: 1,000 optimiser steps of batch 64 at every budget of the evaluated dataset. Given the compute "
        "of simclr besides, it gains nothing with 10 labels, about a point with 100, and with 1,000 it gains 0.7 for "
        "clothes and nothing for digits.",
        "`supervised_compute`: the steps of `supervised` and as many more as simclr's pretraining would pay for.",
    ),
)
