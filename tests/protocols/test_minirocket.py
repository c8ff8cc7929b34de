"""MiniRocket: its kernels, its features, and that it tells series apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import sslbench as sb
from sslbench.contract.spec import InputSpec, ProtocolConfig
from sslbench.encoders.raw import Raw
from sslbench.protocols.minirocket import KERNELS, MiniRocket, MiniRocketTransform, _channels, _dilations


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_there_are_84_kernels_that_add_up_to_nothing() -> None:
    assert len(set(KERNELS)) == 84
    transform = MiniRocketTransform(torch.randn(4, 1, 50), generator())
    for weights in transform.weights:
        assert weights.sum(dim=2).abs().max() == 0
        assert set(weights.unique().tolist()) == {-1.0, 2.0}


@pytest.mark.parametrize(("length", "first"), [(140, [1, 2, 3, 4, 5]), (9, [1]), (500, [1, 2, 3, 4, 5])])
def test_dilations_reach_the_length_of_the_series(length: int, first: list[int]) -> None:
    dilations, counts = _dilations(length)
    assert dilations[: len(first)] == first
    assert dilations[-1] * 8 <= length - 1 < 2 * 8 * (dilations[-1] + 1)
    assert sum(counts) == 119


def test_features_are_shares_of_places_above_a_threshold() -> None:
    series = torch.randn(3, 1, 60, generator=generator(1))
    transform = MiniRocketTransform(series, generator())
    features = transform(series)
    assert features.shape == (3, 119 * 84)
    assert 0 <= float(features.min()) < float(features.max()) <= 1
    # The second kernel at dilation 1 looks only where it lies inside the series.
    weights, threshold = transform.weights[0][1, 0].numpy(), float(transform.thresholds[0][1, 0])
    answers = np.correlate(series[0, 0].numpy(), weights, mode="valid")
    place = transform.thresholds[0].shape[1]
    assert float(features[0, place]) == pytest.approx(float(np.mean(answers > threshold)), abs=1e-6)


def test_published_accuracies_are_those_its_authors_have() -> None:
    """Means of 30 resamplings in the supplement of arXiv:2012.08791; ours are of the archive's own split."""
    found = sb.records(Path(__file__).parents[2] / "results" / "catalogue_series")
    of_all = found.query("pretext == 'minirocket' and label_fraction == 1").groupby("dataset")["accuracy"].mean()
    assert of_all["ECG5000"] == pytest.approx(0.946, abs=0.005)


def test_of_many_channels_kernels_add_up_few() -> None:
    chosen = torch.cat([_channels(40, generator(seed)) for seed in range(20)]).sum(dim=1)
    assert set(chosen.tolist()) <= set(range(1, 10))
    assert float((chosen == 1).float().mean()) > 0.25
    assert _channels(1, generator()).sum() == 84


def test_waves_of_two_speeds_are_told_apart_from_four_labels() -> None:
    time, labels = torch.linspace(0, 12, 100), torch.arange(60) % 2
    phase = 6.3 * torch.rand(60, 1, 1, generator=generator())
    noise = 0.1 * torch.randn(60, 1, 100, generator=generator())
    series = ((1 + labels)[:, None, None] * time + phase).sin() + noise
    encoder = Raw(InputSpec("series", (1, 100)), 100)
    torch.manual_seed(0)
    answer = MiniRocket(ProtocolConfig()).predict(encoder, series[:4], labels[:4], series[4:], 2)
    assert float((answer.labels == labels[4:]).float().mean()) > 0.95


def test_one_class_is_the_answer_where_there_is_no_other() -> None:
    encoder = Raw(InputSpec("series", (1, 20)), 20)
    answer = MiniRocket(ProtocolConfig()).predict(
        encoder, torch.randn(3, 1, 20), torch.tensor([2, 2, 2]), torch.randn(5, 1, 20), 4
    )
    assert answer.labels.tolist() == [2] * 5
