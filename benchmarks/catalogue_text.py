"""Do the tasks of language learn? Each on sentences from four sources with the `transformer` encoder.

Command:  sslbench run catalogue_text
Cost:     to be measured.
Question: is a probe of what each learns above `random_init` of the same encoder, above training from scratch and above
          TF-IDF?
"""

from sslbench.contract.spec import Combination, Suite


def include(one: Combination) -> bool:
    """Scratch for twice as many steps with 1% and with 10% of the labels."""
    return one.pretext != "supervised_double" or one.label_fraction in (0.01, 0.1)


SUITE = Suite(
    name="catalogue_text",
    datasets=("sentences_domain",),
    encoders=("transformer",),
    pretexts=(
        "majority_class",
        "tfidf",
        "random_init",
        "supervised",
        "supervised_double",
        "masked_lm",
        "causal_lm",
        "denoising_lm",
        "next_sentence",
        "contrastive_text",
        "autoencoder",
        "vicreg",
    ),
    latent_dims=(128,),
    seeds=(0, 1, 2),
    steps=1000,
    label_fractions=(0.001, 0.01, 0.1, 1.0),
    protocols=("linear_probe",),
    readings=("latent", "pooled"),
    primary="linear_probe, pooled",
    include=include,
    settings={
        "finetune": {"epochs": 8, "min_steps": 500, "max_steps": 2_000, "optimizer.learning_rate": 1e-3},
        "vicreg": {"optimizer.batch_size": 64},
    },
    notes=(
        "Pretraining: 1,000 steps of 64 stretches of training sentences without labels, the same for every pretext.",
        "`supervised`: 8 epochs over the labels, at least 500 and at most 2,000 steps of 64 sentences, at a learning "
        "rate of 1e-3; `supervised_double`: twice as many.",
        "`tfidf`: logistic regression on words and pairs of them; its regularisation chosen inside the label budget.",
    ),
)
