"""Does longer pretraining without labels save labels? Three pretexts for once, 3 and 10 times as long.

Command:  sslbench run longer
Cost:     not measured yet, not published yet.
Question: what do 3 and 10 times the operations of pretraining add with 0.1%, 1% and 10% of the labels?
"""

from sslbench.contract.spec import Suite
from sslbench.pretexts import PRETEXTS

PRETRAINED = ("vae", "simclr", "vicreg")  # of three families, each the best of its own in suite `fashion_mnist`
TIMES = (3, 10)


def names(pretext: str) -> tuple[str, ...]:
    """The rows of a pretext: itself and, registered here, the same task trained several times as long."""
    task, version = PRETEXTS.get(pretext), PRETEXTS.version(pretext)
    for times in TIMES:
        longer = type(f"{task.__name__}{times}x", (task,), {"__doc__": task.__doc__, "stretch": float(times)})
        PRETEXTS.register(f"{pretext}_{times}x", version)(longer)
    return pretext, *(f"{pretext}_{times}x" for times in TIMES)


SUITE = Suite(
    name="longer",
    datasets=("fashion_mnist",),
    encoders=("conv",),
    pretexts=("random_init", "supervised", *(name for pretext in PRETRAINED for name in names(pretext))),
    latent_dims=(128,),
    seeds=(0, 1, 2),
    flops=8e12,
    label_fractions=(0.001, 0.01, 0.1),
    protocols=("linear_probe",),
    readings=("latent", "map"),
    primary="linear_probe, map",
    notes=(
        "Pretraining: 8 TFLOPs over the 60,000 training images without labels, a third of what suite `fashion_mnist` "
        "spends; `_3x` and `_10x`: so many times as many, with the whole course of the learning rate.",
        "`supervised`: 32 epochs over the labels, at least 2,000 and at most 24,000 steps of batch 64.",
    ),
)
