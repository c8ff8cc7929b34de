"""How many labels does self-supervision save on time series? Heartbeats, appliances, engines, vowels and spoken digits.

Command:  sslbench run series
Cost:     not measured yet, not published yet.
Question: from one label a class to all, which frozen or fine-tuned encoder is worth how many labels, and which of them
          is above MiniRocket, which trains no network?
"""

from sslbench.contract.spec import Combination, Suite

FINETUNED = ("simclr",)

#: The smallest share of the labels that is more than one a class, roughly; below it, all shares are that.
SMALLEST = {"ECG5000": 0.01, "ElectricDevices": 0.001, "FordA": 0.001, "JapaneseVowels": 0.04, "spoken_digits": 0.004}


def include(one: Combination) -> bool:
    """Fine-tune one pretext; leave out shares of the labels that come to one a class as a smaller one does."""
    if one.label_fraction < SMALLEST.get(one.dataset.rpartition(":")[2], 0):
        return False
    return one.protocol != "finetune" or one.pretext in ("supervised", *FINETUNED)


SUITE = Suite(
    name="series",
    datasets=("ucr:ECG5000", "ucr:ElectricDevices", "ucr:FordA", "ucr:JapaneseVowels", "spoken_digits"),
    encoders=("conv1d",),
    pretexts=(
        "majority_class",
        "raw_values",
        "minirocket",
        "random_init",
        "supervised",
        "autoencoder",
        "segment_inpainting",
        "contrastive_predictive_coding",
        "temporal_order",
        "ts2vec",
        "simclr",
        "vicreg",
    ),
    latent_dims=(128,),
    seeds=(0, 1, 2),
    steps=400,
    label_fractions=(0.001, 0.004, 0.01, 0.04, 0.1, 0.25, 1.0),
    protocols=("linear_probe", "finetune"),
    readings=("latent", "map"),
    primary="linear_probe, map",
    include=include,
    settings={"finetune": {"min_steps": 500, "max_steps": 4_000}},
    notes=(
        "Pretraining: 400 steps over the training series without labels, the same for every pretext.",
        "`supervised` and `finetune`: 32 epochs over the labels, at least 500 and at most 4,000 steps of batch 64.",
        "`minirocket`: ridge regression on 9,996 features of fixed convolutions; its regularisation is chosen by "
        "leaving one out, inside the label budget.",
    ),
)
