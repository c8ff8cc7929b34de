"""Tasks that train an encoder without labels, and the baselines beside them. One line here adds one.

What a task of your own inherits and answers is handed on from here, torch being loaded with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sslbench.contract.lazy import lazily
from sslbench.contract.registry import At, Registry
from sslbench.contract.spec import PretextConfig as PretextConfig

if TYPE_CHECKING:
    from sslbench.modalities._base import Picture as Picture
    from sslbench.pretexts._base import Pretext as Pretext
    from sslbench.pretexts._teacher import HalfLife as HalfLife
    from sslbench.pretexts._views import TwoViewConfig as TwoViewConfig
    from sslbench.pretexts._views import TwoViewPretext as TwoViewPretext

PRETEXTS: Registry[type[Pretext]] = Registry(
    "pretext",
    {
        "majority_class": "sslbench.pretexts.baselines:MajorityClass",
        "raw_pixels": "sslbench.pretexts.baselines:RawPixels",
        "raw_values": "sslbench.pretexts.baselines:RawValues",
        "minirocket": "sslbench.pretexts.baselines:MiniRocket",
        "tfidf": "sslbench.pretexts.baselines:TfIdf",
        "random_init": "sslbench.pretexts.baselines:RandomInit",
        "supervised_quarter": "sslbench.pretexts.baselines:SupervisedQuarter",
        "supervised_half": "sslbench.pretexts.baselines:SupervisedHalf",
        "supervised": "sslbench.pretexts.baselines:Supervised",
        "supervised_double": "sslbench.pretexts.baselines:SupervisedDouble",
        "supervised_compute": "sslbench.pretexts.baselines:SupervisedCompute",
        "autoencoder": At("sslbench.pretexts.autoencoder:Autoencoder", version=2),
        "denoising_autoencoder": At("sslbench.pretexts.denoising_autoencoder:DenoisingAutoencoder", version=2),
        "vae": At("sslbench.pretexts.images.vae:VAE", version=2),
        "masked_autoencoder": At("sslbench.pretexts.masked_autoencoder:MaskedAutoencoder", version=2),
        "inpainting": At("sslbench.pretexts.images.inpainting:Inpainting", version=3),
        "colorization": At("sslbench.pretexts.images.colorization:Colorization", version=2),
        "rotation": "sslbench.pretexts.images.rotation:Rotation",
        "jigsaw": "sslbench.pretexts.images.jigsaw:Jigsaw",
        "context_prediction": "sslbench.pretexts.images.context_prediction:ContextPrediction",
        "bigan": "sslbench.pretexts.images.bigan:BiGAN",
        "simclr": "sslbench.pretexts.simclr:SimCLR",
        "simclr_progressive": "sslbench.pretexts.images.simclr_progressive:SimCLRProgressive",
        "moco": At("sslbench.pretexts.moco:MoCo", version=2),
        "nnclr": "sslbench.pretexts.nnclr:NNCLR",
        "byol": At("sslbench.pretexts.byol:BYOL", version=2),
        "simsiam": "sslbench.pretexts.simsiam:SimSiam",
        "barlow_twins": "sslbench.pretexts.barlow_twins:BarlowTwins",
        "vicreg": "sslbench.pretexts.vicreg:VICReg",
        "lejepa": "sslbench.pretexts.lejepa:LeJEPA",
        "swav": "sslbench.pretexts.swav:SwAV",
        "dino": At("sslbench.pretexts.dino:DINO", version=2),
        "ijepa": At("sslbench.pretexts.images.ijepa:IJEPA", version=2),
        "segment_inpainting": "sslbench.pretexts.series.segment_inpainting:SegmentInpainting",
        "contrastive_predictive_coding": At(
            "sslbench.pretexts.series.contrastive_predictive_coding:ContrastivePredictiveCoding", version=2
        ),
        "temporal_order": "sslbench.pretexts.series.temporal_order:TemporalOrder",
        "ts2vec": At("sslbench.pretexts.series.ts2vec:TS2Vec", version=2),
        "masked_lm": "sslbench.pretexts.text.masked_lm:MaskedLM",
        "next_sentence": "sslbench.pretexts.text.next_sentence:NextSentence",
        "causal_lm": At("sslbench.pretexts.text.causal_lm:CausalLM", version=2),
        "denoising_lm": At("sslbench.pretexts.text.denoising_lm:DenoisingLM", version=2),
        "contrastive_text": "sslbench.pretexts.text.contrastive_text:ContrastiveText",
    },
    "sslbench.pretexts",
)

__getattr__, __dir__ = lazily(
    __name__,
    {
        "Pretext": "sslbench.pretexts._base",
        "TwoViewPretext": "sslbench.pretexts._views",
        "TwoViewConfig": "sslbench.pretexts._views",
        "HalfLife": "sslbench.pretexts._teacher",
        "Picture": "sslbench.modalities._base",
    },
)
