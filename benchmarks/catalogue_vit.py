"""Do the tasks made for transformers learn? Each on 10,000 unlabelled Fashion-MNIST images with the `vit` encoder.

Command:  sslbench run catalogue_vit
Cost:     20 minutes on two CPU cores.
Question: does the linear probe at 1% and at 10% of the labels beat `random_init` of the same encoder?
"""

from sslbench.contract.spec import Suite

SUITE = Suite(
    name="catalogue_vit",
    datasets=("fashion_mnist",),
    encoders=("vit",),
    pretexts=("majority_class", "raw_pixels", "random_init", "supervised", "masked_autoencoder", "ijepa", "dino"),
    latent_dims=(96,),
    seeds=(0, 1, 2),
    epochs=3,
    num_unlabelled=10_000,
    label_fractions=(0.01, 0.1),
    protocols=("linear_probe",),
    settings={"finetune": {"min_steps": 300, "max_steps": 300, "optimizer.learning_rate": 1e-3}},
    notes=(
        "Pretraining: 3 epochs over 10,000 training images without labels, the same for every pretext.",
        "`supervised`: 300 optimiser steps of batch 128 at every label fraction, at a learning rate of 1e-3: a "
        "transformer does not learn at the 1e-2 of the convolutional suites.",
    ),
)
