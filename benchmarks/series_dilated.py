"""Does an encoder that keeps every moment change what `series` says? TS2Vec's own, on vowels and heartbeats.

Command:  sslbench run series_dilated
Cost:     14 minutes on two CPU cores.
Question: with `dilated_conv` in place of `conv1d`, is any frozen encoder worth labels, and is it better than untrained?
Answer:   on vowels the untrained encoder is not told apart from scratch, nor after segment inpainting, where what was
          chosen of `conv1d` is below its own scratch. That pretraining makes it better is not shown, nor that it
          saves labels, on vowels or on heartbeats.
"""

from sslbench.contract.spec import Combination, Suite

#: The share of the labels that is about one a class, or a few.
SMALLEST = {"ECG5000": 0.01, "JapaneseVowels": 0.04}


def include(one: Combination) -> bool:
    """Five seeds of the vowels, three of the heartbeats, whose moments cost five times as much."""
    dataset = one.dataset.rpartition(":")[2]
    if one.seed > 2 and dataset != "JapaneseVowels":
        return False
    if one.label_fraction < SMALLEST[dataset]:
        return False
    if one.pretext == "supervised_compute":
        return one.label_fraction == 0.1
    return one.protocol != "finetune" or one.pretext == "supervised"


SUITE = Suite(
    name="series_dilated",
    datasets=("ucr:JapaneseVowels", "ucr:ECG5000"),
    encoders=("dilated_conv",),
    pretexts=(
        "raw_values",
        "minirocket",
        "random_init",
        "supervised",
        "supervised_compute",
        "segment_inpainting",
        "contrastive_predictive_coding",
        "ts2vec",
    ),
    latent_dims=(128,),
    seeds=(0, 1, 2, 3, 4),
    steps=300,
    label_fractions=(0.01, 0.04, 0.1, 0.3, 1.0),
    protocols=("linear_probe", "finetune"),
    readings=("pooled", "map"),
    primary="linear_probe, pooled",
    compute_of="segment_inpainting",
    include=include,
    settings={
        "finetune": {"epochs": 16, "min_steps": 300, "max_steps": 2_000},
        "ts2vec": {"optimizer.batch_size": 16},
    },
    notes=(
        "Pretraining: 300 steps over the training series without labels, the same for every pretext; of `ts2vec` with "
        "its authors' batches of 16, of the others with batches of 64.",
        "Headlines are about the probe on the pooled features, each channel's largest value over time, which is what "
        "the authors of TS2Vec read.",
        "`supervised` and `finetune`: 16 epochs over the labels, at least 300 and at most 2,000 steps of batch 64.",
        "`supervised_compute`, with 10% of the labels: as many more as the operations of segment inpainting pay for.",
        "`minirocket`: ridge regression on 9,996 features of fixed convolutions; its regularisation is chosen by "
        "leaving one out, inside the label budget.",
    ),
)
