"""How many labels does self-supervision save on texts? Sources, news, genres and definitions, read as bags of words.

Command:  sslbench run text
Cost:     22 minutes on two CPU cores.
Question: from one label a class to all, which frozen or fine-tuned encoder is worth how many labels, and is any of them
          above TF-IDF, which trains no network?
Answer:   with 38 labels of four sources a probe of `vicreg` has 77.9, scratch 59.0 and TF-IDF 46.9; on news it is above
          both up to 1% of the labels and on genres up to 10%, with more TF-IDF is above it. On definitions TF-IDF is
          above everything at every number of labels.
"""

from sslbench.contract.spec import Combination, Suite

#: The share of the labels that is about one a class; smaller ones would be the same.
SMALLEST = {"newsgroups": 0.002, "brown": 0.001, "glosses": 0.0005}

#: Where vicreg's encoder is fine-tuned, and at which shares of the labels.
FINETUNED, SPARSE = "sentences_domain", (0.01, 0.1, 1.0)


def include(one: Combination) -> bool:
    """Five seeds of the shortest texts, three of the others; masked words of the longest are in `catalogue_text`."""
    if one.seed > 2 and one.dataset != "sentences_domain":
        return False
    if one.label_fraction < SMALLEST.get(one.dataset, 0.0):
        return False
    if one.pretext == "masked_lm" and one.dataset == "newsgroups":
        return False
    if one.pretext == "supervised_compute":
        return one.label_fraction == 0.01
    if one.protocol != "finetune" or one.pretext == "supervised":
        return True
    return one.pretext == "vicreg" and one.dataset == FINETUNED and one.label_fraction in SPARSE


SUITE = Suite(
    name="text",
    datasets=("sentences_domain", "newsgroups", "brown", "glosses"),
    encoders=("bag",),
    pretexts=(
        "majority_class",
        "tfidf",
        "random_init",
        "supervised",
        "supervised_compute",
        "masked_lm",
        "next_sentence",
        "contrastive_text",
        "vicreg",
    ),
    latent_dims=(128,),
    seeds=(0, 1, 2, 3, 4),
    steps=1000,
    label_fractions=(0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.03, 0.1, 0.3, 1.0),
    protocols=("linear_probe", "finetune"),
    readings=("latent", "pooled"),
    primary="linear_probe, pooled",
    compute_of="contrastive_text",
    include=include,
    settings={
        "finetune": {"epochs": 4, "min_steps": 500, "max_steps": 4_000},
        "vicreg": {"optimizer.batch_size": 64},
    },
    notes=(
        "Pretraining: 1,000 steps of 64 training texts without labels, the same for every pretext; masked words of "
        "newsgroups, whose texts are longest, are in `catalogue_text`.",
        "`supervised` and `finetune`: 4 epochs over the labels, at least 500 and at most 4,000 steps of batch 64; "
        "`catalogue_text` shows what twice as many would give.",
        "`supervised_compute`, with 1% of the labels: as many more steps as the operations of contrastive_text pay "
        "for, about ten times; those of vicreg are its projector's, and in a bag would be sixty times.",
        "`tfidf`: logistic regression on the tokens that encoders read, parts of words, and pairs of them; its "
        "regularisation chosen inside the label budget.",
        "`contrastive_text` tells two readings of a text apart by dropout alone, which leaves a bag of words little to "
        "learn.",
    ),
)
