"""Do tasks teach a transformer, of words or of patches of a series? Each in 500 steps of 64 inputs.

Command:  sslbench run catalogue_transformer
Cost:     under two hours on two CPU cores, two thirds of it on sentences.
Question: with 1 to 4% and with 10% of the labels, does a linear probe of the mean token beat `random_init` of the same
          encoder?
Answer:   on sentences every task does: with 1% of the labels next words have 74.0, SimCLR 71.8, restored sentences
          68.3, BYOL 67.8, masked words 58.6, untrained 45.8, scratch 67.4; next sentence with 10% only (57.7; untrained
          53.0). On vowels masked patches do (78.8 with one label a class, untrained 65.8, scratch 69.5). On heartbeats
          no task is shown to be better than no training.
"""

from sslbench.contract.spec import Combination, Suite

SMALL = {"optimizer.batch_size": 64}  # two views of a batch, as many inputs as the other tasks see in two steps

#: The smaller of two label fractions: a few labels a class, or one.
FEW = {"sentences_domain": 0.01, "JapaneseVowels": 0.04, "ECG5000": 0.01}


def include(one: Combination) -> bool:
    """Two budgets of each dataset; scratch is given the compute of pretraining at the larger one."""
    if one.label_fraction not in (FEW[one.dataset.rpartition(":")[2]], 0.1):
        return False
    return one.pretext != "supervised_compute" or one.label_fraction == 0.1


SUITE = Suite(
    name="catalogue_transformer",
    datasets=("sentences_domain", "ucr:JapaneseVowels", "ucr:ECG5000"),
    encoders=("transformer", "patch_transformer"),
    pretexts=(
        "majority_class",
        "raw_values",
        "tfidf",
        "minirocket",
        "random_init",
        "supervised",
        "supervised_compute",
        "masked_lm",
        "next_sentence",
        "causal_lm",
        "denoising_lm",
        "contrastive_text",
        "autoencoder",
        "masked_autoencoder",
        "denoising_autoencoder",
        "segment_inpainting",
        "simclr",
        "byol",
        "barlow_twins",
        "vicreg",
    ),
    latent_dims=(96,),
    seeds=(0, 1, 2),
    steps=500,
    label_fractions=(0.01, 0.04, 0.1),
    protocols=("linear_probe",),
    readings=("pooled",),
    primary="linear_probe, pooled",
    compute_of="simclr",
    include=include,
    settings={
        "finetune": {"min_steps": 500, "max_steps": 500, "optimizer.learning_rate": 2e-3},
        "simclr": SMALL,
        "byol": SMALL,
        "barlow_twins": SMALL,
        "vicreg": SMALL,
    },
    notes=(
        "Pretraining: 500 steps of 64 training inputs without labels, the same for every pretext.",
        "`supervised`: 500 steps of batch 64 at every label fraction, at a learning rate of 2e-3; that it has stopped "
        "gaining by then was not measured.",
        "`supervised_compute`, with 10% of the labels: as many more steps as the operations of SimCLR pay for.",
    ),
)
