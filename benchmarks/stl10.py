"""How many labels does self-supervision save on STL-10, with 100,000 photographs without labels?

Command:  sslbench run stl10
Cost:     not run yet. About 80 hours on one A100, by operations: an epoch is 105,000 images of 96x96, 19 times the work
          of CIFAR-10's (suite `cifar10`), so 50 epochs of two views take 3 hours, of which there are 20.
Question: from one label a class to all 500, which frozen or fine-tuned encoder is worth how many labels?
Peers:    UvA's tutorial 17, ResNet-18, SimCLR, 500 epochs, one run, in percent. Linear with 10 / 20 / 50 / 100 / 200 /
          500 labels a class: 62.8 / 68.6 / 74.4 / 77.2 / 79.1 / 81.3 in PyTorch and
          62.2 / 68.5 / 73.7 / 76.8 / 79.0 / 81.1 in JAX; from scratch with 500 a class 73.3 and 71.6.
"""

from sslbench.contract.spec import Combination, Suite

FINETUNED = ("simclr", "vicreg")


def include(one: Combination) -> bool:
    """Fine-tune two pretexts; train from scratch everywhere."""
    return one.protocol != "finetune" or one.pretext in ("supervised", *FINETUNED)


SUITE = Suite(
    name="stl10",
    datasets=("stl10",),
    encoders=("resnet18",),
    pretexts=(
        "majority_class",
        "raw_pixels",
        "random_init",
        "supervised",
        "autoencoder",
        "rotation",
        "simclr",
        "moco",
        "byol",
        "vicreg",
    ),
    latent_dims=(128,),
    seeds=(0, 1, 2, 3, 4),
    epochs=50,
    label_fractions=(1.0,),
    labels_per_class=(1, 2, 5, 10, 20, 50, 100, 200),
    protocols=("linear_probe", "finetune"),
    readings=("latent", "pooled"),
    primary="linear_probe, pooled",
    include=include,
    notes=(
        "Pretraining: 50 epochs over 105,000 images, the training images without their labels among them.",
        "`supervised` and `finetune`: 32 epochs over the labels, at least 2,000 and at most 24,000 steps of batch 64.",
    ),
)
