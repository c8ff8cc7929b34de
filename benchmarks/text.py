"""How many labels does self-supervision save on texts? News, definitions, opinions and genres, read as bags of words.

Command:  sslbench run text
Cost:     not measured yet, not published yet.
Question: from one label a class to all, which frozen or fine-tuned encoder is worth how many labels, and is any of them
          above TF-IDF, which trains no network?
"""

from sslbench.contract.spec import Combination, Suite

FINETUNED = ("masked_lm",)


def include(one: Combination) -> bool:
    """Fine-tune one pretext."""
    return one.protocol != "finetune" or one.pretext in ("supervised", *FINETUNED)


SUITE = Suite(
    name="text",
    datasets=("sentences_sentiment", "newsgroups", "brown", "glosses"),
    encoders=("bag",),
    pretexts=(
        "majority_class",
        "tfidf",
        "random_init",
        "supervised",
        "autoencoder",
        "masked_lm",
        "contrastive_text",
        "vicreg",
    ),
    latent_dims=(128,),
    seeds=(0, 1, 2),
    steps=1500,
    protocols=("linear_probe", "finetune"),
    readings=("latent", "pooled"),
    primary="linear_probe, pooled",
    include=include,
    settings={
        "finetune": {"min_steps": 500, "max_steps": 4_000},
        "vicreg": {"optimizer.batch_size": 64},
    },
)
