"""Bar 12: contrasting moments of series, against the authors' own TS2Vec as PyPI has it.

The loss of the same moments must be theirs. What is trained is not the same network: theirs keeps every value of a
series through ten blocks of width 64, ours is `conv1d`. Each is trained as its own default says (theirs 200 steps of 16
series on sets this small, ours the 300 steps of 64 of the published tables) and probed on the same labels: their
features are the largest of each of 320 numbers over time, ours the feature map.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from _measure import Others, Row, publish, row, wait_until_quiet
from _trainings import CPU
from ts2vec.models.losses import hierarchical_contrastive_loss
from ts2vec.ts2vec import TS2Vec

import sslbench as sb
from sslbench.contract.cells import PretrainCell
from sslbench.datasets import default_root, load
from sslbench.engine.pretrain import Pretraining
from sslbench.pretexts import PRETEXTS
from sslbench.pretexts.series.ts2vec import hierarchical_contrast

DATASETS, SEEDS = ("ucr:JapaneseVowels",), (0, 1, 2)
FRACTIONS = (0.1, 1.0)
STEPS = 300


def ours(name: str, seed: int) -> tuple[float, list[float]]:
    """Seconds of a training, and the accuracy of its probes."""
    dataset = load(name, default_root())
    config = PRETEXTS.get("ts2vec").Config()
    training = Pretraining(
        PretrainCell(dataset.name, "conv1d", "ts2vec", 128, seed, 0.0, None, config, steps=STEPS), dataset, CPU
    )
    started = time.perf_counter()
    for _ in training.reports():
        pass
    taken = time.perf_counter() - started
    return taken, probed(training.pretext.encoder.eval().feature_map, name, seed, "map")


def theirs(name: str, seed: int) -> tuple[float, list[float]]:
    """The same of the authors' package."""
    dataset = load(name, default_root())
    train, test = (split.transpose(1, 2).numpy() for split in (dataset.unlabelled_inputs, dataset.test_inputs))
    torch.manual_seed(seed)
    np.random.seed(seed)  # theirs draws crops and masks from it
    model = TS2Vec(train.shape[2], device="cpu")
    started = time.perf_counter()
    model.fit(train)
    taken = time.perf_counter() - started
    features = [model.encode(split, encoding_window="full_series", batch_size=256) for split in (train, test)]
    return taken, probed(tuple(features), name, seed, "latent")


def probed(encoder: object, name: str, seed: int, reading: str) -> list[float]:
    """Test accuracy, in percent, of a linear probe on each share of the labels, as every published table draws them."""
    told = sb.evaluate(encoder, name, label_fractions=FRACTIONS, readings=(reading,), seeds=(seed,))
    tests = told[(told["metric"] == "accuracy") & (told["split"] == "test")].sort_values("label_fraction")
    return [100 * value for value in tests["value"]]


def loss_apart() -> float:
    """By how many per cent our loss of the same moments differs from theirs."""
    torch.manual_seed(0)
    first, second = torch.randn(2, 16, 35, 64)
    one, other = hierarchical_contrast(first, second), hierarchical_contrastive_loss(first, second)
    return 100 * abs(float(one / other) - 1)


def main() -> list[Row]:
    """Measure both."""
    torch.set_num_threads(1)
    wait_until_quiet()
    watch = Others()
    rows = [("loss of the same moments, apart from the authors'", [loss_apart()], "", "%", "at most", 0.01)]
    for name in DATASETS:
        trained = [(ours(name, seed), theirs(name, seed)) for seed in SEEDS]
        own, other = (np.median([pair[side][0] for pair in trained]) for side in (0, 1))
        ratios = [theirs_[0] / ours_[0] for ours_, theirs_ in trained]
        detail = f"{other:.0f} s, 200 steps of 16, against {own:.0f} s, {STEPS} steps of 64"
        rows.append((f"TS2Vec's training on {name}: the authors' seconds over ours", ratios, detail, "x", "", None))
        for place, fraction in enumerate(FRACTIONS):
            pairs = [(ours_[1][place], theirs_[1][place]) for ours_, theirs_ in trained]
            means = np.mean(pairs, axis=0)
            detail = f"means {means[0]:.1f} and {means[1]:.1f}%"
            what = f"TS2Vec on {name}, {fraction:.0%} of the labels: our probe above the authors'"
            rows.append((what, [one - another for one, another in pairs], detail, "points", "", None))
    others = watch.share()
    return [
        row(12, what, values, detail, others=others, bound=bound, target=target, unit=unit)
        for what, values, detail, unit, bound, target in rows
    ]


if __name__ == "__main__":
    publish(main())
