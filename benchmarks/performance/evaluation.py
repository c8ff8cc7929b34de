"""Bar 5: what evaluating an encoder costs beside pretraining it, and the probe beside scikit-learn's.

The encoder is `conv` with 128 numbers after one epoch of `rotation`, the cheapest task, so the 20 epochs it is held
against are as short as they get. scikit-learn solves one problem, at the strength the probe chose and to its default
tolerance; the probe's time has its choice in it.
"""

from __future__ import annotations

import statistics
import time
from functools import cache, partial

import torch
from _measure import Row, interleave, publish, row, seconds
from _trainings import CORES, CPU, cell, fashion_mnist, images_per_second
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sslbench.contract.cells import EvaluateCell
from sslbench.contract.spec import DEFAULT_FRACTIONS
from sslbench.engine.evaluate import Features, evaluate, extract
from sslbench.engine.pretrain import Pretraining
from sslbench.protocols import PROTOCOLS

LATENT_DIM, REPEATS, REFERENCE_EPOCHS = 128, 5, 20

#: Accuracies on the test split, by contender.
ACCURACY: dict[str, list[float]] = {"probe": [], "scikit-learn": []}


@cache
def trained() -> Pretraining:
    """The encoder that is evaluated."""
    training = Pretraining(cell("rotation", "conv", LATENT_DIM, epochs=1.0), fashion_mnist(), CPU)
    for _ in training.reports():
        pass
    return training


@cache
def features() -> Features:
    """Its features of both splits."""
    return extract(trained().pretext.encoder, fashion_mnist(), CPU)["latent"]


def score(protocol: str, fraction: float) -> tuple[float, dict[str, float]]:
    """Accuracy and details of one evaluation."""
    wanted = EvaluateCell(
        trained().cell, trained().cell.dataset, fraction, 0, protocol, PROTOCOLS.get(protocol).Config()
    )
    outcome = evaluate(wanted, fashion_mnist(), trained().pretext.encoder, features(), CPU)
    return outcome.accuracy, outcome.details


def all_evaluations() -> float:
    """Seconds of the features and of every fraction by both protocols."""
    started = time.perf_counter()
    extract(trained().pretext.encoder, fashion_mnist(), CPU)
    for protocol in ("linear_probe", "knn"):
        for fraction in DEFAULT_FRACTIONS:
            score(protocol, fraction)
    return time.perf_counter() - started


def pretraining() -> float:
    """Seconds of the reference pretraining, from the speed over a part of an epoch."""
    speed = images_per_second(cell("rotation", "conv", LATENT_DIM, epochs=0.5))
    return REFERENCE_EPOCHS * len(fashion_mnist().train_inputs) / speed


def probe() -> float:
    """Seconds of the probe on all labels, choice included."""

    def work() -> None:
        ACCURACY["probe"].append(score("linear_probe", 1.0)[0])

    return seconds(work)


def scikit_learn(strength: float) -> float:
    """Seconds of `LogisticRegression` on all labels."""
    data, found = fashion_mnist(), features()
    train, labels = found.train.numpy(), data.train_labels.numpy()
    solver = make_pipeline(StandardScaler(), LogisticRegression(C=1 / (strength * len(labels)), max_iter=1000))
    elapsed = seconds(lambda: solver.fit(train, labels))
    ACCURACY["scikit-learn"].append(float(solver.score(found.test.numpy(), data.test_labels.numpy())))
    return elapsed


def main() -> list[Row]:
    """Measure the share and the ratio."""
    torch.set_num_threads(CORES)
    strength = score("linear_probe", 1.0)[1]["l2"]
    share = interleave({"evaluations": all_evaluations, "pretraining": pretraining}, REPEATS, warm=False)
    solvers = interleave({"probe": probe, "scikit-learn": partial(scikit_learn, strength)}, REPEATS, warm=False)
    accuracy = {name: statistics.median(values) for name, values in ACCURACY.items()}
    apart = 100 * abs(accuracy["probe"] - accuracy["scikit-learn"])
    scores = f"{accuracy['probe']:.2%} and {accuracy['scikit-learn']:.2%}"
    return [
        row(
            5,
            f"evaluations of an encoder beside its {REFERENCE_EPOCHS}-epoch pretraining",
            [100 * value for value in share.ratios("evaluations", "pretraining")],
            f"{share.median('evaluations'):.1f} of {share.median('pretraining'):.0f} s: features, "
            f"{len(DEFAULT_FRACTIONS)} fractions x linear_probe and knn",
            others=share.others,
            bound="at most",
            target=10.0,
            unit="%",
        ),
        row(
            5,
            "probe against scikit-learn, all labels, 128 features",
            solvers.ratios("scikit-learn", "probe"),
            f"{solvers.median('probe'):.2f} against {solvers.median('scikit-learn'):.2f} s",
            others=solvers.others,
            bound="at least",
            target=5.0,
        ),
        row(
            5,
            "probe's accuracy apart from scikit-learn's",
            [apart],
            scores,
            others=solvers.others,
            bound="at most",
            target=0.2,
            unit="points",
        ),
    ]


if __name__ == "__main__":
    publish(main())
