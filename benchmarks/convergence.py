"""Is the scratch baseline of every table trained until it stops gaining, on few labels as on all?

Command:  sslbench run convergence --workers auto
Cost:     55 minutes on two CPU cores, nearly all of it at 100%.
Question: how far does doubling the steps of `supervised` move its mean accuracy at 0.1, 1, 10 and 100% of the labels
          (bar: by under 0.3 points), and how far from there do halving and quartering leave it?
Answer:   it gains 0.2, 0.3 and -0.1 points at 1, 10 and 100%, and nothing at 0.1%, where three seeds of 60 labels vary
          by more than that (-0.5, from -1.3 to +0.5). Half the steps cost 0.4, 0.9 and 0.4 points, a quarter up to 3.2.
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
