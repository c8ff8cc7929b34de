"""Does colorization learn? On colour patches of nine photographs, beside tasks that need no colour.

Command:  sslbench run catalogue_color
Cost:     40 minutes on two CPU cores, half of them beside other work.
Question: does the linear probe at 1% and at 10% of the labels beat `random_init` of the same encoder, though the
          encoder of `colorization` sees no colour in pretraining?
"""

from sslbench.contract.spec import Suite

SUITE = Suite(
    name="catalogue_color",
    datasets=("photographs",),
    encoders=("conv",),
    pretexts=(
        "majority_class",
        "raw_pixels",
        "random_init",
        "supervised",
        "supervised_compute",
        "colorization",
        "autoencoder",
        "simclr",
    ),
    latent_dims=(128,),
    seeds=(0, 1, 2),
    label_seeds=(0, 1, 2),
    epochs=6,
    label_fractions=(0.01, 0.1),
    protocols=("linear_probe",),
    readings=("latent", "map"),
    primary="linear_probe, map",
    compute_of="simclr",
    notes=(
        "Pretraining: 6 epochs over 9,000 patches without labels, the same for every pretext.",
        "Every encoder is probed on three labelled subsets, so that what labels and what training vary is told apart.",
        "`supervised`: 2,000 optimiser steps of batch 64 at both label fractions. Here that is not its end: with 1,000 "
        "it had 89.6 at 10%, and with the compute of simclr besides it gains another 1.5 and 1.2 points.",
        "`supervised_compute`: the steps of `supervised` and as many more as simclr's pretraining would pay for.",
    ),
)
