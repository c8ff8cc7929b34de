"""Do tasks teach a transformer, of words or of patches of a series? Each in 500 steps of 64 inputs.

Command:  sslbench run catalogue_transformer
Cost:     25 minutes on two CPU cores.
Question: with 1% and 10% of the labels, does a linear probe of the mean token beat `random_init` of the same encoder?
"""

from sslbench.contract.spec import Suite

SMALL = {"optimizer.batch_size": 64}  # two views of a batch, as many inputs as the other tasks see in two steps

SUITE = Suite(
    name="catalogue_transformer",
    datasets=("sentences_domain", "ucr:JapaneseVowels"),
    encoders=("transformer", "patch_transformer"),
    pretexts=(
        "majority_class",
        "raw_values",
        "tfidf",
        "minirocket",
        "random_init",
        "supervised",
        "masked_lm",
        "next_sentence",
        "causal_lm",
        "denoising_lm",
        "contrastive_text",
        "masked_autoencoder",
        "denoising_autoencoder",
        "segment_inpainting",
        "simclr",
        "vicreg",
    ),
    latent_dims=(96,),
    seeds=(0, 1, 2),
    steps=500,
    label_fractions=(0.01, 0.1),
    protocols=("linear_probe",),
    readings=("pooled",),
    primary="linear_probe, pooled",
    settings={
        "finetune": {"min_steps": 500, "max_steps": 500, "optimizer.learning_rate": 2e-3},
        "simclr": SMALL,
        "vicreg": SMALL,
    },
    notes=(
        "Pretraining: 500 steps of 64 training inputs without labels, the same for every pretext.",
        "`supervised`: 500 steps of batch 64 at every label fraction, at a learning rate of 2e-3; that it has stopped "
        "gaining by then was not measured.",
    ),
)
