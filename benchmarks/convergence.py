"""Is the scratch baseline of every table trained until it stops gaining, on few labels as on all?

Command:  sslbench run convergence --workers auto
Cost:     40 minutes on two CPU cores (an estimate, not yet run), nearly all of it at 100%.
Question: how far does doubling the steps of `supervised` move its mean accuracy at 0.1, 1, 10 and 100% of the labels
          (bar: by under 0.3 points), and how far from there do halving and quartering leave it?
"""

from sslbench.contract.spec import Suite

SUITE = Suite(
    name="convergence",
    datasets=("fashion_mnist",),
    encoders=("conv",),
    pretexts=("supervised_quarter", "supervised_half", "supervised", "supervised_double"),
    latent_dims=(128,),
    seeds=(0, 1, 2),
    epochs=1,
    label_fractions=(0.001, 0.01, 0.1, 1.0),
    protocols=("finetune",),
    notes=(
        "All rows: the recipe that `supervised` and `finetune` have in every suite that does not say otherwise, with a "
        "quarter, half, all and twice of its optimiser steps, each with the whole course of the learning rate.",
    ),
)
