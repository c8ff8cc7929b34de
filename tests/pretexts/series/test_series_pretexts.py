"""Known answers of the tasks on time series."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from sslbench.contract.spec import InputSpec, PretextConfig
from sslbench.encoders import ENCODERS
from sslbench.pretexts import PRETEXTS
from sslbench.pretexts._base import Pretext
from sslbench.pretexts._losses import info_nce
from sslbench.pretexts.series.contrastive_predictive_coding import (
    ContrastivePredictiveCoding,
    ContrastivePredictiveCodingConfig,
)
from sslbench.pretexts.series.segment_inpainting import SegmentInpainting, SegmentInpaintingConfig
from sslbench.pretexts.series.temporal_order import TemporalOrder, TemporalOrderConfig
from sslbench.pretexts.series.ts2vec import TS2Vec, TS2VecConfig, dual_contrast, hierarchical_contrast

SPEC = InputSpec("series", (2, 40))


def build(name: str, config: PretextConfig | None = None, encoder: str = "conv1d") -> Pretext:
    torch.manual_seed(0)
    task = PRETEXTS.get(name)
    return task(ENCODERS.get(encoder)(SPEC, 8), config or task.Config(), SPEC)


def batch(count: int = 16) -> torch.Tensor:
    return torch.randn(count, *SPEC.shape, generator=torch.Generator().manual_seed(1))


# --- segment inpainting


def inpainting(share: float = 0.25) -> SegmentInpainting:
    task = build("segment_inpainting", SegmentInpaintingConfig(share=share))
    assert isinstance(task, SegmentInpainting)
    return task.eval()


def test_only_what_is_wrong_inside_the_segment_counts() -> None:
    task, series = inpainting(), batch()
    mask = task.hide(series)
    assert set(mask.sum(dim=2).flatten().tolist()) == {10.0}
    outside = torch.where(mask.expand_as(series) > 0, series, series + 100)
    assert float(task.error(series, mask, outside)) == 0
    assert float(task.error(series, mask, series + 3)) == pytest.approx(9)
    assert float(task.error(series, mask, torch.where(mask > 0, series + 3, series))) == pytest.approx(9)


def test_nothing_is_seen_of_the_segment() -> None:
    task, series = inpainting(), batch()
    mask = task.hide(series)
    changed = torch.where(mask > 0, torch.randn_like(series), series)
    assert torch.equal(task.predict(series, mask), task.predict(changed, mask))
    assert not torch.equal(task.predict(series, mask), task.predict(series + 1 - mask, mask))


# --- contrastive predictive coding


def cpc() -> ContrastivePredictiveCoding:
    task = build("contrastive_predictive_coding", ContrastivePredictiveCodingConfig(horizons=3))
    assert isinstance(task, ContrastivePredictiveCoding)
    return task


@pytest.mark.parametrize("count", [2, 16, 37])
def test_chance_is_the_logarithm_of_the_candidates(count: int) -> None:
    task = cpc()
    for predictor in task.predictors:
        assert isinstance(predictor, nn.Linear)
        nn.init.zeros_(predictor.weight)
    assert float(task(batch(count)).detach()) == pytest.approx(math.log(count), rel=1e-5)


def test_the_true_future_is_the_one_of_the_same_series() -> None:
    true = torch.eye(8)
    assert float(info_nce(true, 30 * true, 0.05)) == pytest.approx(0, abs=1e-6)
    assert float(info_nce(true, true.roll(1, 0), 0.05)) == pytest.approx(1 / 0.05, rel=1e-6)


def test_past_and_future_share_no_value_and_come_in_order() -> None:
    task = cpc()
    place = torch.arange(40.0).expand(4, 1, 40)
    ends = set()
    for seed in range(50):
        torch.manual_seed(seed)
        past, future = task.cut(place)
        assert past[0, 0, 0] == 0
        assert future[0, 0].tolist() == list(range(20, 40))
        ends.add(int(past.max()))
    assert ends == {14, 15, 16, 17, 18, 19}


def test_series_too_short_to_have_a_future_are_told_so() -> None:
    reason = ContrastivePredictiveCoding.unsuitable("conv1d", InputSpec("series", (1, 15)))
    assert reason == "needs series of 16 values or more, not 15"
    assert "takes whole ones only" in str(ContrastivePredictiveCoding.unsuitable("mlp", SPEC))


# --- temporal order


def order_task(gap: float = 0.2) -> TemporalOrder:
    task = build("temporal_order", TemporalOrderConfig(gap=gap))
    assert isinstance(task, TemporalOrder)
    return task


def test_an_order_that_is_known_is_undone() -> None:
    task = order_task(gap=0.0)
    place = torch.arange(40.0).expand(24, 2, 40)
    order = torch.arange(24)
    segments = task.segments(place)
    assert torch.equal(segments[0, :, 0].flatten(), torch.arange(40.0))
    shuffled = task.shuffled(segments, order)
    assert torch.equal(shuffled[0], segments[0])
    assert len(shuffled[:, :, 0, 0].unique(dim=0)) == 24
    assert torch.equal(task.put_back(shuffled, order), segments)
    said = (shuffled[:, :, 0, 0] / 10).long()
    assert torch.equal(said, task.orders[order])


def test_an_untrained_head_knows_one_order_of_24() -> None:
    task = order_task()
    for weight in task.head.parameters():
        nn.init.zeros_(weight)
    assert float(task(batch()).detach()) == pytest.approx(math.log(24), rel=1e-5)


def test_a_gap_keeps_segments_from_touching_always() -> None:
    torch.manual_seed(0)
    segments = order_task(gap=0.3).segments(torch.arange(40.0).expand(500, 1, 40))
    assert segments.shape == (500, 4, 1, 7)
    between = segments[:, 1:, 0, 0] - segments[:, :-1, 0, -1]
    assert set(between.flatten().tolist()) == {1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0}


# --- ts2vec


def test_vectors_that_are_alike_are_found_by_chance_among_the_others() -> None:
    same = torch.ones(3, 5, 4)
    assert float(dual_contrast(same, same)) == pytest.approx(math.log(9), rel=1e-6)
    apart = 30 * torch.eye(5).expand(3, 5, 5)
    assert float(dual_contrast(apart, apart)) == pytest.approx(0, abs=1e-6)
    assert float(dual_contrast(apart, apart.roll(1, 1))) > 100


def test_scales_are_weighed_alike_down_to_a_single_moment() -> None:
    same = torch.ones(6, 4, 3)  # scales of 4, 2 and 1 moments, six series
    instances, moments = math.log(11), (math.log(7), math.log(3))
    expected = (sum(0.5 * instances + 0.5 * one for one in moments) + 0.5 * instances) / 3
    assert float(hierarchical_contrast(same, same)) == pytest.approx(expected, rel=1e-6)


def test_two_crops_share_the_moments_they_say() -> None:
    task = build("ts2vec", TS2VecConfig())
    assert isinstance(task, TS2Vec)
    assert (task.stride, task.moments, task.cropped) == (4, 10, 8)
    shares = set()
    for seed in range(40):
        torch.manual_seed(seed)
        first, second, shared = task.crops(torch.arange(40.0).expand(1, 2, 40))
        assert first.shape == second.shape == (1, 2, 32)
        assert torch.equal(first[:, :, -4 * shared :], second[:, :, : 4 * shared])
        shares.add(shared)
    assert shares == {6, 7, 8}


def test_what_is_evaluated_is_the_mean_of_the_weights_after_every_step() -> None:
    task = build("ts2vec", TS2VecConfig())
    after = []
    for step in range(3):
        with torch.no_grad():
            for weight in task.encoder.parameters():
                weight.fill_(step + 1.0)
        task.after_step((step + 1) / 3)
        after.append([weight.unique().tolist() for weight in task.evaluated.parameters()])
    assert [{value for weight in weights for value in weight} for weights in after] == [{1.0}, {1.5}, {2.0}]
    assert not any(weight.requires_grad for weight in task.evaluated.parameters())


def test_encoders_whose_moments_keep_no_places_are_told_so() -> None:
    assert TS2Vec.unsuitable("conv1d", SPEC) is TS2Vec.unsuitable("patch_transformer", SPEC) is None
    assert "'mlp' has none" in str(TS2Vec.unsuitable("mlp", SPEC))
