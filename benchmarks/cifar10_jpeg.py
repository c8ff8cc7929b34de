"""How many labels does self-supervision save on colour photographs? CIFAR-10 as JPEG, which is not the original.

Command:  sslbench run cifar10_jpeg --from-published
Cost:     6 to 7 hours on two CPU cores; all but 60 evaluations are published, and that command goes on from them.
Question: from 50 labels to all 50,000, which frozen or fine-tuned encoder is worth how many labels?
Answer:   with 500 labels a probe of `vicreg` has 46.6, of `simclr` 46.0, of `moco` 42.1, and scratch 41.9, which gains
          nothing that can be told from the compute of pretraining on top. Frozen, `vicreg` and `simclr` are above
          scratch up to 2% of the labels, level at 5%, below from 10% on; the autoencoder and inpainting are above it
          nowhere. `simclr` fine-tuned is above it up to 2% and with 10%, the most that it was run with so far.
"""

from sslbench.contract.spec import Combination, Suite

FEW = 0.01  # where scratch is given the compute of pretraining


def include(one: Combination) -> bool:
    """Fine-tune `simclr` alone; train from scratch everywhere, with more compute at 1%."""
    if one.pretext == "supervised_compute":
        return one.label_fraction == FEW and one.seed <= 2
    return one.protocol != "finetune" or one.pretext in ("supervised", "simclr")


SUITE = Suite(
    name="cifar10_jpeg",
    datasets=("cifar10_jpeg",),
    encoders=("conv",),
    pretexts=(
        "majority_class",
        "raw_pixels",
        "random_init",
        "supervised",
        "supervised_compute",
        "autoencoder",
        "inpainting",
        "rotation",
        "simclr",
        "moco",
        "vicreg",
    ),
    latent_dims=(128,),
    seeds=(0, 1, 2, 3, 4),
    epochs=20,
    protocols=("linear_probe", "finetune"),
    readings=("latent", "pooled", "map"),
    primary="linear_probe, map",
    compute_of="simclr",
    include=include,
    notes=(
        "Pretraining: 20 epochs over the 50,000 training images without labels, the same for every pretext.",
        "`supervised` and `finetune`: 32 epochs over the labels, at least 2,000 and at most 24,000 steps of batch 64.",
        "`supervised_compute`, with 1% of the labels and three seeds: the steps of `supervised` and as many more as "
        "simclr's pretraining would pay for.",
        "The images are JPEG, so these are not the numbers of CIFAR-10.",
        "In part: simclr was read and fine-tuned with at most 10% of the labels so far. Seconds were taken on several "
        "machines that did other work too: compare operations.",
    ),
)
