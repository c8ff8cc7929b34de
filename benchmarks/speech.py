"""Do hours of prompts in five languages help with spoken digits of new people? Pretraining on either.

Command:  sslbench run speech
Cost:     about 40 minutes on two CPU cores.
Question: with how few labelled digits is an encoder of other speech worth how many labels, on people never heard?
Answer:   with none, after 300 steps. SimCLR on digits is within 5 points of the untrained encoder, on prompts 4 to 8
          below it, inpainting and coding 6 to 21. From scratch all labels give 84%, MiniRocket 86%.
"""

from sslbench.contract.spec import Combination, Suite


def include(one: Combination) -> bool:
    """Scratch is given the compute of pretraining where it has ten labels a class, and where it has fifty."""
    return one.pretext != "supervised_compute" or one.labels_per_class in (10, 50)


SUITE = Suite(
    name="speech",
    datasets=("spoken_digits_speakers",),
    pretrain_datasets=("spoken_digits_speakers", "prompts"),
    encoders=("conv1d",),
    pretexts=(
        "majority_class",
        "raw_values",
        "minirocket",
        "random_init",
        "supervised",
        "supervised_compute",
        "segment_inpainting",
        "contrastive_predictive_coding",
        "simclr",
    ),
    latent_dims=(128,),
    seeds=(0, 1, 2, 3, 4),
    steps=300,
    label_fractions=(1.0,),
    labels_per_class=(1, 2, 5, 10, 20, 50, 100),
    protocols=("linear_probe",),
    readings=("map",),
    primary="linear_probe, map",
    compute_of="simclr",
    include=include,
    settings={"finetune": {"epochs": 64, "min_steps": 600, "max_steps": 2_000}},
    notes=(
        "Pretraining: 300 steps over spectrograms without labels: 2,000 digits of four people, or 6,088 seconds of "
        "prompts by five others. The digits of the two people who are tested are in neither.",
        "`supervised`: 64 epochs over the labels, at least 600 and at most 2,000 steps of batch 64. That "
        "it has stopped gaining by then is not shown, as `supervised_compute` says; what is below it would be so all "
        "the more.",
        "`supervised_compute`, with 10 and with 50 labels a class: as many more steps as the operations of SimCLR pay "
        "for: about five times as many in all.",
    ),
)
