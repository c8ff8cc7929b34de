"""What does each pretext save on each of five sets of time series? All that `series` leaves out, and twice the scratch.

Command:  sslbench run catalogue_series
Cost:     an hour and a half on two CPU cores, half of it for SimCLR with its fine-tuning and for training from scratch.
Question: from one label a class to all, which frozen or fine-tuned encoder is worth how many labels, and which of them
          is above MiniRocket, which trains no network?
Answer:   after 300 steps none is shown to be worth any: no encoder, frozen or fine-tuned, is above scratch anywhere.
          MiniRocket is, on heartbeats with 4 to 30% of the labels.
"""

from sslbench.contract.spec import Combination, Suite

#: The smallest share of the labels that is more than one a class, roughly; below it, all shares are that.
SMALLEST = {"ECG5000": 0.01, "ElectricDevices": 0.001, "FordA": 0.001, "JapaneseVowels": 0.04, "spoken_digits": 0.004}

#: The one pretext that is fine-tuned, and at which shares of the labels; there scratch is also trained twice as long.
FINETUNED, SPARSE = "simclr", (0.01, 0.1, 1.0)

#: Where tasks of two views are left out: they take longest, so that they would take most of the time.
LEFT_OUT = {"simclr": ("FordA",), "vicreg": ("ECG5000", "FordA", "JapaneseVowels")}


def include(one: Combination) -> bool:
    """Five seeds of the two sets that take least, three of the others; fine-tuning at three budgets."""
    dataset = one.dataset.rpartition(":")[2]
    if dataset in LEFT_OUT.get(one.pretext, ()):
        return False
    if one.seed > 2 and dataset not in ("ECG5000", "JapaneseVowels"):
        return False
    if one.label_fraction < SMALLEST.get(dataset, 0):
        return False
    if one.pretext == "supervised_compute":
        return one.label_fraction == 0.1
    if one.protocol != "finetune" or one.pretext == "supervised":
        return True
    return one.pretext in (FINETUNED, "supervised_double") and one.label_fraction in SPARSE


SUITE = Suite(
    name="catalogue_series",
    datasets=("ucr:ECG5000", "ucr:ElectricDevices", "ucr:FordA", "ucr:JapaneseVowels", "spoken_digits"),
    encoders=("conv1d",),
    pretexts=(
        "raw_values",
        "minirocket",
        "random_init",
        "supervised",
        "supervised_compute",
        "supervised_double",
        "denoising_autoencoder",
        "segment_inpainting",
        "contrastive_predictive_coding",
        "temporal_order",
        "ts2vec",
        "simclr",
        "vicreg",
    ),
    latent_dims=(128,),
    seeds=(0, 1, 2, 3, 4),
    steps=300,
    label_fractions=(0.001, 0.004, 0.01, 0.04, 0.1, 0.3, 1.0),
    protocols=("linear_probe", "finetune"),
    readings=("map",),
    primary="linear_probe, map",
    compute_of="segment_inpainting",
    include=include,
    settings={"finetune": {"epochs": 16, "min_steps": 300, "max_steps": 2_000}},
    notes=(
        "Pretraining: 300 steps over the training series without labels, the same for every pretext. SimCLR is not run "
        "on FordA, VICReg on appliances and spoken digits alone: two views of long series would take most of the time.",
        "`supervised` and `finetune`: 16 epochs over the labels, at least 300 and at most 2,000 steps of batch 64; "
        "`supervised_double`, the same with twice the steps, shows what more would give.",
        "`supervised_compute`, with 10% of the labels: as many more as the operations of segment inpainting pay for.",
        "`minirocket`: ridge regression on 9,996 features of fixed convolutions; its regularisation is chosen by "
        "leaving one out, inside the label budget.",
    ),
)
