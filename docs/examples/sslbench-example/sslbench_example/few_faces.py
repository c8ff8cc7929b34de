"""Does guessing the lower half of a face help to tell faces from what is none?

Command:  sslbench run few_faces
"""

from sslbench.contract.spec import Suite

SUITE = Suite(
    name="few_faces",
    datasets=("faces",),
    encoders=("patchwork",),
    pretexts=("random_init", "supervised", "blank_out"),
    latent_dims=(16,),
    seeds=(0, 1, 2),
    epochs=20,
    label_fractions=(0.1, 1.0),
    protocols=("linear_probe", "nearest_mean"),
    # Seconds, for an example: a baseline that one reports is trained until it stops gaining.
    settings={"blank_out": {"share": 0.4}, "finetune": {"min_steps": 40, "max_steps": 40}},
)
