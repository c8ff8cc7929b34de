"""Does every pretext task learn? Each on 10,000 unlabelled Fashion-MNIST images, in at most three CPU minutes.

Command:  sslbench run catalogue
Cost:     27 minutes on two CPU cores.
Question: does the linear probe at 1% and at 10% of the labels beat `random_init` of the same encoder?
"""

from sslbench.contract.spec import Suite

SUITE = Suite(
    name="catalogue",
    datasets=("fashion_mnist",),
    encoders=("conv",),
    pretexts=(
        "majority_class",
        "raw_pixels",
        "random_init",
        "supervised",
        "autoencoder",
        "denoising_autoencoder",
        "vae",
        "inpainting",
        "rotation",
        "jigsaw",
        "context_prediction",
        "bigan",
        "simclr",
        "moco",
        "byol",
        "simsiam",
        "barlow_twins",
        "vicreg",
        "lejepa",
        "swav",
        "dino",
    ),
    latent_dims=(128,),
    seeds=(0, 1, 2),
    epochs=6,
    num_unlabelled=10_000,
    label_fractions=(0.01, 0.1),
    protocols=("linear_probe",),
    checkpoints=(2, 4, 6),
    settings={"finetune": {"min_steps": 500, "max_steps": 500}},
    notes=(
        "Pretraining: 6 epochs over 10,000 training images without labels, the same for every pretext.",
        "`supervised`: 500 optimiser steps of batch 128 at every label fraction.",
        "Colorization needs colour and I-JEPA the `vit` encoder: see `catalogue_color` and `catalogue_vit`.",
    ),
)
