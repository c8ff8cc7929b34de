"""What reports know of plug-ins beyond their records: their order in tables and their names in sentences.

Nothing here is needed: what is not listed comes after what is, by name, and is called by its identifier with spaces.
A new pretext or protocol may get a line here, beside the one of its registry.
"""

from __future__ import annotations

from sslbench.contract.spec import READINGS

#: Protocols in the order of the tables, and what sentences call them.
PROTOCOL_TITLES = {"linear_probe": "a linear probe", "knn": "nearest neighbours", "finetune": "fine-tuning"}

#: Baselines that are another way altogether and train no network: the ones to beat.
CLASSICS = ("minirocket", "tfidf")

#: Baselines that probe the values of an input; they have one reading, which stands in the tables of all.
RAW_ROWS = ("raw_pixels", "raw_values")

#: What sentences call the readings of a frozen encoder other than its latent.
READING_TITLES = {"pooled": "on the pooled features", "map": "on the feature map"}

#: Protocols that not every pretext is expected to have run: training the network is what costs most.
OPTIONAL_PROTOCOLS = ("finetune",)

#: Protocols that hold no labels out, so that nothing can be chosen by them inside the budget. Older records hold their
#: accuracy on what they trained on as if it were a score on the budget.
NOT_HELD_OUT = ("finetune", "majority_class")

#: The encoder that is none; its rows stand in every table, whatever the latent size.
RAW = "raw"

#: The baselines that use none, so that latent size and encoder say nothing of them.
WITHOUT_ENCODER = ("majority_class", *RAW_ROWS, *CLASSICS)

#: Pretexts whose capitals matter.
PRETEXT_TITLES = {
    "barlow_twins": "Barlow Twins",
    "bigan": "BiGAN",
    "byol": "BYOL",
    "dino": "DINO",
    "ijepa": "I-JEPA",
    "lejepa": "LeJEPA",
    "minirocket": "MiniRocket",
    "moco": "MoCo",
    "nnclr": "NNCLR",
    "simclr": "SimCLR",
    "simclr_progressive": "SimCLR on small views first",
    "simsiam": "SimSiam",
    "swav": "SwAV",
    "tfidf": "TF-IDF",
    "ts2vec": "TS2Vec",
    "vae": "VAE",
    "vicreg": "VICReg",
}


def title_of(name: str) -> str:
    """What sentences call a plug-in, by default its name with spaces.

    `SimCLR` for `simclr`, `SimCLR 3x` for `simclr_3x`, `a linear probe on the feature map` for `linear_probe, map`.
    """
    protocol, comma, reading = name.partition(", ")
    if comma:
        return f"{title_of(protocol)} {READING_TITLES.get(reading, reading)}"
    usual, _, variant = name.rpartition("_")
    if usual in PRETEXT_TITLES and name not in PRETEXT_TITLES:
        return f"{PRETEXT_TITLES[usual]} {variant}"
    return PRETEXT_TITLES.get(name) or PROTOCOL_TITLES.get(name) or name.replace("_", " ")


def protocol_rank(protocol: str) -> tuple[int, str, int]:
    """Sort key of protocols as tables name them: the known ones in their order, then others by name; then readings."""
    order, (name, _, reading) = tuple(PROTOCOL_TITLES), protocol.partition(", ")
    place = READINGS.index(reading) if reading in READINGS else 0
    return order.index(name) if name in order else len(order), name, place
