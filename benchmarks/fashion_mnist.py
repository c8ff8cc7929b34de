"""How many labels does self-supervision save on Fashion-MNIST? The reference table: deep, converged, equal compute.

Command:  sslbench run fashion_mnist --from-published
Cost:     3.5 to 7 hours on two CPU cores, whichever they are; published in part, which that command goes on from.
Question: from 60 labels to all 60,000, which frozen or fine-tuned encoder is worth how many labels, if every
          pretraining may take the same number of operations?
"""

from sslbench.contract.spec import Combination, Suite

TUNED = ("simclr", "vicreg", "autoencoder")  # are fine-tuned too
SMALL = ("random_init", "supervised", "autoencoder", "rotation", "simclr")  # are run at the smaller latent sizes
FEWEST = 0.001  # where scratch is given the compute of pretraining


def include(one: Combination) -> bool:
    """Everything at latent size 128; at the others three pretexts, three seeds, and nothing fine-tuned but scratch."""
    if one.pretext == "supervised_compute":
        return one.latent_dim == 128 and one.label_fraction == FEWEST and one.seed <= 2
    if one.pretext in ("majority_class", "raw_pixels"):
        return True
    if one.latent_dim != 128 and (one.pretext not in SMALL or one.seed > 2):
        return False
    return one.protocol != "finetune" or one.pretext == "supervised" or (one.latent_dim == 128 and one.pretext in TUNED)


SUITE = Suite(
    name="fashion_mnist",
    datasets=("fashion_mnist",),
    encoders=("conv",),
    pretexts=(
        "majority_class",
        "raw_pixels",
        "random_init",
        "supervised",
        "supervised_compute",
        "autoencoder",
        "vae",
        "inpainting",
        "rotation",
        "simclr",
        "moco",
        "byol",
        "vicreg",
    ),
    latent_dims=(8, 32, 128),
    seeds=(0, 1, 2, 3, 4),
    flops=24e12,
    protocols=("linear_probe", "finetune"),
    readings=("latent", "pooled", "map"),
    primary="linear_probe, map",
    compute_of="vicreg",
    include=include,
    notes=(
        "Pretraining: 24 TFLOPs over the 60,000 training images without labels for every pretext, which is 12 epochs "
        "of vicreg and 17 of the autoencoder.",
        "`supervised` and `finetune`: 32 epochs over the labels, at least 2,000 and at most 24,000 steps of batch 64, "
        "after which training stops gaining (suite `convergence`).",
        "`supervised_compute`, with 0.1% of the labels and three seeds: the steps of `supervised` and as many more as "
        "vicreg's pretraining would pay for.",
        "Latent sizes 8 and 32: three pretexts, three seeds, none fine-tuned.",
        "In part: so far latent size 128, five seeds of raw pixels, random_init, supervised, rotation, moco, byol and "
        "vicreg, two of autoencoder, vae and inpainting. Simclr and the smaller sizes are not run yet.",
    ),
)
