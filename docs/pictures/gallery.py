"""Pictures of the tasks that no published table shows yet, for the gallery of the documentation.

Command:  sslbench run docs/pictures/gallery.py --home gallery
          cp gallery/results/gallery/pictures/*.png docs/pictures/
Cost:     2 CPU minutes.
"""

from sslbench.contract.spec import Suite

SUITE = Suite(
    name="gallery",
    datasets=("fashion_mnist", "ucr:ECG5000", "sentences_domain"),
    encoders=("conv", "conv1d", "transformer"),
    pretexts=(
        "simclr_progressive",
        "segment_inpainting",
        "contrastive_predictive_coding",
        "temporal_order",
        "ts2vec",
        "causal_lm",
        "denoising_lm",
    ),
    latent_dims=(128,),
    seeds=(0,),
    steps=200,
    label_fractions=(1.0,),
    protocols=("knn",),
)
