"""Is the scratch baseline of every table trained until it stops gaining, on few labels as on all?

Command:  sslbench run convergence --workers auto
Cost:     60 minutes on two CPU cores, nearly all of it at 100%.
Question: how far does doubling the steps of `supervised` move its mean accuracy at 0.1, 1, 10 and 100% of the labels
          (bar: by under 0.3 points), and how far from there do halving and quartering leave it?
Answer:   it moves it by -0.1, +0.2, +0.3 and 0.0 points at 0.1, 1, 10 and 100%, so it stops gaining there. Half the
          steps leave it at +0.1, -0.4, -0.9 and -0.4 points, a quarter at -0.9, -1.7, -3.2 and -1.3.
"""

from sslbench.contract.spec import Combination, Suite


def include(one: Combination) -> bool:
    """Ten seeds at 0.1%, where sixty labels vary most and a training is cheap; three elsewhere."""
    return one.seed < 3 or one.label_fraction == 0.001


SUITE = Suite(
    name="convergence",
    datasets=("fashion_mnist",),
    encoders=("conv",),
    pretexts=("supervised_quarter", "supervised_half", "supervised", "supervised_double"),
    latent_dims=(128,),
    seeds=tuple(range(10)),
    epochs=1,
    label_fractions=(0.001, 0.01, 0.1, 1.0),
    protocols=("finetune",),
    include=include,
    notes=(
        "All rows: the recipe that `supervised` and `finetune` have in every suite that does not say otherwise, with a "
        "quarter, half, all and twice of its optimiser steps, each with the whole course of the learning rate.",
        "Ten seeds at 0.1% of the labels, three at the others.",
    ),
)
