"""Label-free measures against accuracy: scipy, and a simulation."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sslbench.report.statistics.analysis import Analysis
from sslbench.report.statistics.label_free import MIN_ENCODERS, PREFERENCES, fisher_interval


def test_published_correlations_agree_with_scipy(quick: pd.DataFrame, analysis: Analysis):
    encoders = ["pretext", "latent_dim"]
    trained = quick[quick["pretrain_dataset"] != ""]
    tests = trained[(trained["metric"] == "accuracy") & (trained["split"] == "test")]
    known = analysis.correlations[analysis.correlations["reason"] == ""]
    assert set(known["measure"]) == set(PREFERENCES)
    for line in known.itertuples():
        here = tests[(tests["protocol"] == line.protocol) & (tests["label_fraction"] == line.label_fraction)]
        accuracy = here.groupby(encoders)["value"].mean()
        measure = trained[trained["metric"] == f"representation.{line.measure}"].groupby(encoders)["value"].mean()
        measure = measure[accuracy.index]
        if line.measure == "alpha_req":
            measure = -(measure - 1).abs()
        if line.measure in ("uniformity", "alignment"):
            measure = -measure
        assert line.encoders == len(accuracy)
        assert line.spearman == pytest.approx(stats.spearmanr(measure, accuracy).statistic)
        assert line.loss == pytest.approx(accuracy.max() - accuracy[measure.idxmax()])


def test_too_few_encoders_give_no_correlation_but_a_reason(analysis: Analysis):
    few = analysis.correlations[analysis.correlations["encoders"] < MIN_ENCODERS]
    assert len(few)
    assert few[["spearman", "spearman_low", "spearman_high"]].isna().all(axis=None)
    assert (few["reason"] != "").all()


def test_a_perfect_correlation_of_a_few_encoders_is_not_certain():
    low, high = fisher_interval(1.0, 1.5 / 3, 6 / (6 * 35))
    assert 0.3 < low < 0.7
    assert high == 1
    assert fisher_interval(-1.0, 1.5 / 3, 6 / (6 * 35)) == pytest.approx((-1, -low))


def test_the_correlation_interval_covers_the_truth_at_its_nominal_rate():
    """Normal pairs of correlation r have a Spearman correlation of 6 / pi asin(r / 2) (Pearson 1907)."""
    rng = np.random.default_rng(0)
    covered, trials, n = 0, 1000, 12
    truth = 6 / math.pi * math.asin(0.6 / 2)
    for first, noise in rng.normal(size=(trials, 2, n)):
        rho = float(stats.spearmanr(first, 0.6 * first + 0.8 * noise).statistic)
        low, high = fisher_interval(rho, (1 + rho**2 / 2) / (n - 3), 6 / (n * (n**2 - 1)))
        covered += low <= truth <= high
    assert covered / trials > 0.95 - 3 * math.sqrt(0.95 * 0.05 / trials)
