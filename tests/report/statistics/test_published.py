"""Label savings of the published records, computed another way: scipy, statsmodels and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import auc
from statsmodels.stats.multitest import multipletests

from sslbench.report.scores.evaluations import ROW_KEY
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.statistics.label_efficiency import BEYOND, REACHED


def scores_of(quick: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy by row (encoder, latent_dim, protocol, pretext) and seed; a column per label fraction."""
    chosen = quick[(quick["metric"] == "accuracy") & (quick["split"] == "test")]
    return chosen.pivot(
        index=["encoder", "latent_dim", "protocol", "pretext", "seed"], columns="label_fraction", values="value"
    )


def test_published_differences_agree_with_scipy_and_statsmodels(quick: pd.DataFrame, analysis: Analysis):
    scores = scores_of(quick)
    columns = ["latent_dim", "protocol", "label_fraction"]
    for (latent_dim, protocol, fraction), column in analysis.differences.groupby(columns):
        reference = scores.loc[("conv", latent_dim, "finetune", "supervised"), fraction]
        p_values = []
        for line in column.itertuples():
            place = ("raw", 784) if line.pretext == "raw_pixels" else ("conv", latent_dim)
            test = stats.ttest_rel(scores.loc[(*place, protocol, line.pretext), fraction], reference)
            ends = test.confidence_interval(0.95)
            assert (line.low, line.high, line.p_value) == pytest.approx((ends.low, ends.high, test.pvalue))
            p_values.append(test.pvalue)
        if fraction == 1:  # statsmodels collects garbage at every call: seconds with torch in memory
            assert column["p_holm"].tolist() == pytest.approx(multipletests(p_values, method="holm")[1].tolist())
        significant = (column["p_holm"] < 0.05) & (column["difference"] < 0)
        assert ((column["outcome"] == "loss") == significant).all()


def test_published_multipliers_agree_with_scikit_learn_and_a_search_of_t_tests(quick: pd.DataFrame, analysis: Analysis):
    scores = scores_of(quick)
    grid = np.linspace(0, 1, 2001)
    reached = 0
    for line in analysis.multipliers.itertuples():
        place = ("raw", 784) if line.pretext == "raw_pixels" else ("conv", line.latent_dim)
        own = scores.loc[(*place, line.protocol, line.pretext), line.label_fraction].to_numpy(float)
        scratch = scores.loc[("conv", line.latent_dim, "finetune", "supervised")].to_numpy(float)
        fractions = scores.columns.to_numpy(float)
        axis = np.log(fractions / line.label_fraction)
        smooth = IsotonicRegression().fit_transform(axis, scratch.mean(axis=0))
        positions = axis[0] + grid * (axis[-1] - axis[0])
        height = np.interp(positions, axis, smooth)
        if line.outcome == REACHED:
            reached += 1
            first = positions[np.argmax(height >= own.mean() - 1e-12)]
            assert math.log(line.multiplier) == pytest.approx(first, abs=positions[1] - positions[0])
        else:
            assert (own.mean() > smooth[-1]) if line.outcome == BEYOND else (own.mean() < smooth[0])
        check_interval(line.low, line.high, positions, axis, smooth, scratch, own)
    assert reached > 0


def check_interval(
    low: float,
    high: float,
    positions: NDArray[np.float64],
    axis: NDArray[np.float64],
    smooth: NDArray[np.float64],
    scratch: NDArray[np.float64],
    own: NDArray[np.float64],
) -> None:
    """The interval is what a t-test at every position of a fine grid does not reject, open where an end is inside."""
    curves = scratch - scratch.mean(axis=0) + smooth - own[:, None]
    gaps = np.array([np.interp(positions, axis, curve) for curve in curves])
    test = stats.ttest_1samp(gaps, 0, axis=0)
    inside = test.pvalue >= 0.05
    step = positions[1] - positions[0]
    if inside[0] or test.statistic[0] > 0:
        assert low == 0
    else:
        expected = positions[inside.argmax()] if inside.any() else positions[-1]
        assert math.log(low) == pytest.approx(expected, abs=step)
    if inside[-1] or test.statistic[-1] < 0:
        assert high == math.inf
    else:
        expected = positions[len(inside) - 1 - inside[::-1].argmax()] if inside.any() else positions[0]
        assert math.log(high) == pytest.approx(expected, abs=step)


def test_published_areas_agree_with_scikit_learn(quick: pd.DataFrame, analysis: Analysis):
    scores = scores_of(quick)
    axis = np.log(scores.columns.to_numpy(float))
    width = axis[-1] - axis[0]
    for line in analysis.areas.itertuples():
        place = ("raw", 784) if line.pretext == "raw_pixels" else ("conv", line.latent_dim)
        areas = [auc(axis, seed) / width for seed in scores.loc[(*place, line.protocol, line.pretext)].to_numpy(float)]
        low, high = stats.t.interval(0.95, len(areas) - 1, np.mean(areas), stats.sem(areas))
        assert (line.area, line.low, line.high) == pytest.approx((np.mean(areas), low, high))


def test_published_choices_agree_with_a_sort_of_the_budget_scores(quick: pd.DataFrame, analysis: Analysis):
    pretexts = quick[
        (quick["split"] == "budget") & (quick["pretrain_dataset"] != "") & (quick["protocol"] != "finetune")
    ]
    means = pretexts[pretexts["metric"] == "accuracy"].groupby(["label_fraction", *ROW_KEY])["value"].mean()
    frozen = analysis.choices[(analysis.choices["kind"] == "frozen") & analysis.choices["label_fraction"].notna()]
    assert len(frozen) == len(means.index.unique("label_fraction"))
    for line in frozen.itertuples():
        assert line.budget == pytest.approx(means.loc[line.label_fraction].max())
        best = means.loc[line.label_fraction].idxmax()
        assert (line.latent_dim, line.protocol, line.pretext) == (best[2], best[3], best[5])
