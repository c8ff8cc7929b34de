"""How many labels does self-supervision save on CIFAR-10, with a residual network and a GPU?

Command:  sslbench run cifar10
Cost:     not run yet. About 35 hours on one A100: 200 epochs of two views take 40 minutes (11.9 s an epoch, as
          github.com/dkobak/simclr-cifar10 measured for this network), of which there are 35; those of one view half.
Question: from 50 labels to all 50,000, which frozen or fine-tuned encoder is worth how many labels?
Peers:    what others publish for this network, in percent; none of it on the same labels.

          lightly, 200 epochs, nearest neighbours on all labels, the best epoch on test: BYOL 86.9, SimCLR 84.7,
          Barlow Twins 84.2, MoCo 83.8, NNCLR 83.4, SwAV 81.2.
          dkobak, SimCLR, 100 epochs, linear on all labels, three runs: 85.6 ± 0.2.
          solo-learn, 1,000 epochs, linear head trained beside: BYOL 92.6, VICReg 92.1, SimCLR 90.7.
          Qi & Luo 2020 (arXiv:1903.11260), another network, 20 / 100 / 400 / 1,000 / 5,000 labels a class:
          scratch 33.7 / 47.3 / 74.2 / 83.5 / 93.1, rotation 64.6 / 75.3 / 82.8 / 86.4 / 92.0.
"""

from sslbench.contract.spec import Combination, Suite

FINETUNED = ("simclr", "byol", "vicreg")
SPARSE = (0.001, 0.01, 0.1)  # where scratch is given the compute of pretraining


def include(one: Combination) -> bool:
    """Fine-tune three pretexts; train from scratch everywhere, with more compute at three budgets."""
    if one.pretext == "supervised_compute":
        return one.label_fraction in SPARSE
    return one.protocol != "finetune" or one.pretext in ("supervised", *FINETUNED)


SUITE = Suite(
    name="cifar10",
    datasets=("cifar10",),
    encoders=("resnet18",),
    pretexts=(
        "majority_class",
        "raw_pixels",
        "random_init",
        "supervised",
        "supervised_compute",
        "autoencoder",
        "colorization",
        "rotation",
        "simclr",
        "moco",
        "nnclr",
        "byol",
        "barlow_twins",
        "vicreg",
        "swav",
    ),
    latent_dims=(128,),
    seeds=(0, 1, 2, 3, 4),
    epochs=200,
    protocols=("linear_probe", "knn", "finetune"),
    readings=("latent", "pooled"),
    primary="linear_probe, pooled",
    compute_of="simclr",
    include=include,
    notes=(
        "Pretraining: 200 epochs over the 50,000 training images without labels, the same for every pretext.",
        "`supervised` and `finetune`: 32 epochs over the labels, at least 2,000 and at most 24,000 steps of batch 64.",
        "`supervised_compute`: the steps of `supervised` and as many more as simclr's pretraining would pay for.",
    ),
)
