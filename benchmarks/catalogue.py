"""Does every pretext task learn? Each on 10,000 unlabelled Fashion-MNIST images, in at most three CPU minutes.

Command:  sslbench run catalogue
Cost:     26 minutes on two CPU cores.
Question: does a linear probe, on the latent or on the feature map, beat `random_init` of the same encoder and the raw
          pixels, and from which number of labels on is training from scratch as good?
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
        "supervised_compute",
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
        "nnclr",
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
    label_fractions=(0.001, 0.01, 0.1),
    protocols=("linear_probe",),
    readings=("latent", "map"),
    primary="linear_probe, map",
    compute_of="vicreg",
    checkpoints=(2, 4, 6),
    checkpoint_fraction=0.01,
    notes=(
        "Pretraining: 6 epochs over 10,000 training images without labels, the same for every pretext.",
        "`supervised`: 2,000 optimiser steps of batch 64 up to 1% of the labels and 3,000 at 10%, where it stops "
        "gaining (suite `convergence`).",
        "`supervised_compute`: the steps of `supervised` and as many more as vicreg's pretraining would pay for.",
        "At 1% of the labels five tasks are not above raw pixels by either reading: bigan, byol, jigsaw, vae and "
        "denoising_autoencoder. Six epochs over 10,000 images are 234 steps of 256 (938 of 64), after which their maps "
        "are about as good as those of random_init; whether longer training lifts them is not asked here.",
        "Colorization needs colour and I-JEPA the `vit` encoder: see `catalogue_color` and `catalogue_vit`.",
    ),
)
