"""Is what `quick` says owed to its default settings? The same with settings tuned on equal terms.

Command:  sslbench run quick_tuned
Settings: sslbench tune quick --latent-dim 128 --trials 12
Answer:   no: tuned or not, no frozen encoder is above scratch from 1% of the labels on. Tuning changed the settings of
          the autoencoder and of rotation and kept those of vicreg and scratch.
Cost:     5 minutes on two CPU cores, and 22 for the tuning (beside other work), which is in the ledger.
"""

from sslbench.contract.spec import Combination, Suite


def include(one: Combination) -> bool:
    """Fine-tune one pretext; train from scratch everywhere, with more compute at 1%."""
    if one.pretext == "supervised_compute":
        return one.label_fraction == 0.01
    return one.protocol != "finetune" or one.pretext in ("supervised", "vicreg")


SUITE = Suite(
    name="quick_tuned",
    datasets=("fashion_mnist",),
    encoders=("conv",),
    pretexts=(
        "majority_class",
        "raw_pixels",
        "random_init",
        "supervised",
        "supervised_compute",
        "autoencoder",
        "rotation",
        "vicreg",
    ),
    latent_dims=(128,),
    seeds=(0, 1, 2),
    epochs=2,
    label_fractions=(0.01, 0.02, 0.05, 0.1),
    protocols=("linear_probe", "finetune"),
    readings=("latent", "map"),
    primary="linear_probe, map",
    compute_of="vicreg",
    settings={"finetune": {"epochs": 16, "min_steps": 1_000, "max_steps": 3_000}},
    settings_file="settings/quick_tuned.json",
    include=include,
    notes=(
        "Budgets and lengths are those of `quick`: 2 epochs of pretraining, and for `supervised` and `finetune` 1,000 "
        "steps of batch 64, 1,500 at 10% of the labels.",
        "Settings: 12 trials for every pretext and for `supervised`, judged by cross-validation inside 1% of the "
        "labels (a subset of its own, so a row at 1% has used up to 2%); they serve up to 10% of the labels, and so "
        "far this suite goes.",
        "`supervised_compute`, with 1% of the labels: as many more steps as vicreg's pretraining would pay for.",
    ),
)
