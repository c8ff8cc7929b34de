"""How many labels does self-supervision save on time series? Heartbeats, appliances, engines, vowels and spoken digits.

Command:  sslbench run series
Cost:     12 to 24 minutes on two CPU cores, whichever they are.
Question: from one label a class to all, which frozen or fine-tuned encoder is worth how many labels, and which of them
          is above MiniRocket, which trains no network?
Answer:   after 300 steps none is shown to be worth any: frozen, none is above scratch at any number of labels, nor is
          the one that is fine-tuned.
"""

from sslbench.contract.spec import Combination, Suite

#: The share of the labels that is about one a class; smaller ones would be the same. Of other sets: all shares.
SMALLEST = {"ECG5000": 0.004, "ElectricDevices": 0.001, "FordA": 0.0005, "JapaneseVowels": 0.04, "spoken_digits": 0.004}

#: What is left to `catalogue_series`: all but the cheapest task, and the probe of 2,520 raw values.
ALL = ("contrastive_predictive_coding",)
ELSEWHERE = {"JapaneseVowels": (), "spoken_digits": (*ALL, "raw_values")}

#: What is fine-tuned too, where, and at which shares of the labels.
FINETUNED, SPARSE = ("segment_inpainting", "JapaneseVowels"), (0.1, 0.3, 1.0)


def include(one: Combination) -> bool:
    """Five seeds of the vowels, three of the others; what takes minutes by itself is left to `catalogue_series`."""
    dataset = one.dataset.rpartition(":")[2]
    if one.pretext in ELSEWHERE.get(dataset, ALL) or (one.seed > 2 and dataset != "JapaneseVowels"):
        return False
    if one.label_fraction < SMALLEST.get(dataset, 0) or (dataset == "ElectricDevices" and one.label_fraction > 0.3):
        return False
    if one.pretext == "supervised_compute":
        return one.label_fraction == 0.1
    if one.protocol != "finetune" or one.pretext == "supervised":
        return True
    return (one.pretext, dataset) == FINETUNED and one.label_fraction in SPARSE


SUITE = Suite(
    name="series",
    datasets=("ucr:JapaneseVowels", "ucr:ECG5000", "ucr:ElectricDevices", "ucr:FordA", "spoken_digits"),
    encoders=("conv1d",),
    pretexts=(
        "raw_values",
        "minirocket",
        "random_init",
        "supervised",
        "supervised_compute",
        "segment_inpainting",
        "contrastive_predictive_coding",
    ),
    latent_dims=(128,),
    seeds=(0, 1, 2, 3, 4),
    steps=300,
    label_fractions=(0.0005, 0.001, 0.004, 0.01, 0.04, 0.1, 0.3, 1.0),
    protocols=("linear_probe", "finetune"),
    readings=("map",),
    primary="linear_probe, map",
    compute_of="segment_inpainting",
    include=include,
    settings={"finetune": {"epochs": 16, "min_steps": 300, "max_steps": 2_000}},
    notes=(
        "Pretraining: 300 steps over the training series without labels, the same for every pretext. The "
        "cheapest task on every set, one that contrasts on the vowels too; `catalogue_series` has all of them.",
        "`supervised` and `finetune`: 16 epochs over the labels, at least 300 and at most 2,000 steps of batch 64; "
        "`catalogue_series` shows what twice as many would give.",
        "`supervised_compute`, with 10% of the labels: as many more as the operations of segment inpainting pay for.",
        "ElectricDevices: up to 30% of the labels; with all 8,926 scratch and MiniRocket alone take 8 minutes.",
        "`minirocket`: ridge regression on 9,996 features of fixed convolutions; its regularisation is chosen by "
        "leaving one out, inside the label budget.",
    ),
)
