"""Do the tasks made for transformers learn? Each on 10,000 unlabelled Fashion-MNIST images with the `vit` encoder.

Command:  sslbench run catalogue_vit
Cost:     45 minutes on two CPU cores that did other work beside (30 by `--dry-run`).
Question: does a linear probe, on the latent or on the feature map, beat `random_init` of the same encoder and the raw
          pixels?
"""

from sslbench.contract.spec import Combination, Suite


def include(one: Combination) -> bool:
    """Everything but scratch with more compute at 10%, which takes minutes a seed."""
    return one.pretext != "supervised_compute" or one.label_fraction == 0.01


SUITE = Suite(
    name="catalogue_vit",
    datasets=("fashion_mnist",),
    encoders=("vit",),
    pretexts=(
        "majority_class",
        "raw_pixels",
        "random_init",
        "supervised",
        "supervised_compute",
        "masked_autoencoder",
        "ijepa",
        "dino",
    ),
    latent_dims=(96,),
    seeds=(0, 1, 2),
    epochs=6,
    num_unlabelled=10_000,
    label_fractions=(0.01, 0.1),
    protocols=("linear_probe",),
    readings=("latent", "map"),
    primary="linear_probe, map",
    compute_of="masked_autoencoder",
    settings={
        "finetune": {
            "min_steps": 1_000,
            "max_steps": 1_000,
            "optimizer.batch_size": 128,
            "optimizer.learning_rate": 2e-3,
        }
    },
    include=include,
    notes=(
        "Pretraining: 6 epochs over 10,000 training images without labels, the same for every pretext.",
        "`supervised`: 1,000 optimiser steps of batch 128 at every label fraction, at a learning rate of 2e-3: a "
        "transformer does not learn at the 1e-2 of the convolutional suites.",
        "`supervised_compute`: the steps of `supervised` and as many more as masked_autoencoder's pretraining would "
        "pay for.",
        "No pretext here is above the raw pixels by either reading, nor is training from scratch at 1% (77.3 for "
        "78.0): the transformer is small and sees few images. On the map the mean of every pretext is above that of "
        "`random_init` at 1%.",
    ),
)
