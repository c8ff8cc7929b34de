"""Does a representation carry over? Clothes to digits and back, against encoders of the dataset's own.

Command:  sslbench run transfer
Cost:     12 minutes on two CPU cores.
Question: at 1% of the labels, does pretraining on the other dataset still beat training from scratch, and how much
          of the gain of pretraining on the dataset itself does it keep? Both are given as many images and steps.
"""

from sslbench.contract.spec import Suite

FINETUNE_STEPS = 400

SUITE = Suite(
    name="transfer",
    datasets=("fashion_mnist", "digits"),
    pretrain_datasets=("fashion_mnist", "digits"),
    encoders=("conv",),
    pretexts=("majority_class", "raw_pixels", "random_init", "supervised", "autoencoder", "rotation", "simclr"),
    latent_dims=(128,),
    seeds=(0, 1, 2),
    epochs=40,
    num_unlabelled=1_297,
    label_fractions=(0.01, 0.1, 1.0),
    protocols=("linear_probe",),
    settings={"finetune": {"min_steps": FINETUNE_STEPS, "max_steps": FINETUNE_STEPS}},
    notes=(
        "Pretraining: 40 epochs over 1,297 training images without labels, the same number of images and of steps "
        "whether they show clothes or digits; `from` names the dataset if it is not the evaluated one.",
        f"`supervised`: {FINETUNE_STEPS} optimiser steps of batch 128 at every fraction of the evaluated dataset.",
    ),
)
