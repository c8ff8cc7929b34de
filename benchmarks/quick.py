"""How many labels does self-supervision save on Fashion-MNIST, in fifteen minutes on two CPU cores?

Command:  make bench
"""

from sslbench.contract.spec import Suite

FINETUNE_STEPS, FINETUNE_BATCH = 700, 64


def include(pretext: str, latent_dim: int, label_fraction: float, protocol: str, reading: str) -> bool:
    """Fine-tune one pretext at one latent size; `supervised` is trained everywhere."""
    return protocol != "finetune" or pretext == "supervised" or (pretext, latent_dim) == ("simclr", 128)


SUITE = Suite(
    name="quick",
    datasets=("fashion_mnist",),
    encoders=("conv",),
    pretexts=("majority_class", "raw_pixels", "random_init", "supervised", "autoencoder", "rotation", "simclr"),
    latent_dims=(32, 128),
    seeds=(0, 1, 2),
    epochs=1,
    label_fractions=(0.01, 0.05, 0.1, 0.25, 1.0),
    settings={
        "finetune": {
            "min_steps": FINETUNE_STEPS,
            "max_steps": FINETUNE_STEPS,
            "optimizer.batch_size": FINETUNE_BATCH,
        }
    },
    include=include,
    notes=(
        "Pretraining: 1 epoch over the 60,000 training images without labels, the same for every pretext.",
        f"`supervised` and `finetune`: the same recipe, {FINETUNE_STEPS} optimiser steps of batch {FINETUNE_BATCH} at "
        "every label fraction.",
    ),
)
