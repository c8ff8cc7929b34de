"""The reference tables on Fashion-MNIST: three latent sizes, five seeds, every protocol at every label fraction.

Command:  sslbench run fashion_mnist --workers auto
Cost:     an estimate, not yet run: `sslbench run fashion_mnist --dry-run` derives it from the measured costs in
          results/quick (about 30 hours on two CPU cores, most of it fine-tuning).
"""

from sslbench.contract.spec import DEFAULT_FRACTIONS, Suite

SUITE = Suite(
    name="fashion_mnist",
    datasets=("fashion_mnist",),
    encoders=("conv",),
    pretexts=("majority_class", "raw_pixels", "random_init", "supervised", "autoencoder", "rotation", "simclr"),
    latent_dims=(8, 32, 128),
    seeds=(0, 1, 2, 3, 4),
    epochs=20,
    label_fractions=DEFAULT_FRACTIONS,
    protocols=("linear_probe", "knn", "finetune"),
    notes=(
        "Pretraining: 20 epochs over the 60,000 training images without labels, the same for every pretext.",
        "`supervised` and `finetune`: the same recipe, 32 epochs over the label budget, but at least 2,000 and at most "
        "24,000 optimiser steps of batch 64.",
    ),
)
