"""Ranks, and label-free measures against accuracy: published tables, scipy and pandas."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sslbench.report.figures.rank_diagram import rank_figure
from sslbench.report.statistics.ranks import friedman_p_value, nemenyi_quantile

from sslbench.report.records import from_records
from sslbench.report.statistics.analysis import Analysis, analyse
from sslbench.report.statistics.label_free import MIN_ENCODERS, PREFERENCES, fisher_interval
from tests.made_up import probes, supervised


def test_critical_values_are_those_of_the_published_table():
    """Demšar 2006, table 5a."""
    published = {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949, 8: 3.031, 9: 3.102, 10: 3.164}
    for rows, quantile in published.items():
        assert nemenyi_quantile(rows) == pytest.approx(quantile, abs=0.001)


def test_ranks_of_a_hand_made_table():
    """Rows a > b > supervised everywhere but at the last fraction, where a and b tie: 1, 1, 1.5 and 2, 2, 1.5."""
    fractions = (0.01, 0.1, 1.0)
    records = [one for f in fractions for one in supervised(0.5, 0.5, fraction=f)]
    records += [one for f in fractions for one in probes("simclr", 0.8, 0.8, fraction=f)]
    records += [
        one for f, v in zip(fractions, (0.7, 0.7, 0.8), strict=True) for one in probes("byol", v, v, fraction=f)
    ]
    records += probes("moco", 0.9, 0.9)
    (found,) = analyse(from_records(records)).ranks
    assert found.names == ("simclr", "byol", "supervised")
    assert found.mean_ranks == pytest.approx((3.5 / 3, 5.5 / 3, 3))
    assert found.left_out == ("moco",)
    assert found.critical_difference == pytest.approx(2.343 * math.sqrt(3 * 4 / (6 * 3)), abs=0.001)
    assert found.groups == (("simclr", "byol", "supervised"),)


def test_two_rows_have_ranks_but_no_test():
    (found,) = analyse(from_records([*supervised(0.5, 0.5), *probes("simclr", 0.8, 0.8)])).ranks
    assert found.mean_ranks == (1, 2)
    assert math.isnan(found.p_value)
    assert found.reason


def test_the_friedman_test_agrees_with_scipy_and_perfect_agreement_has_its_exact_chance():
    rng = np.random.default_rng(1)
    ranked = stats.rankdata(rng.normal(size=(6, 4)).round(1), axis=1)  # with ties
    chi_squared = stats.friedmanchisquare(*ranked.T).statistic
    expected = stats.f.sf(5 * chi_squared / (18 - chi_squared), 3, 15)
    assert friedman_p_value(ranked) == pytest.approx(expected)
    assert friedman_p_value(np.tile([1.0, 2, 3], (4, 1))) == pytest.approx(6.0**-3)
    assert friedman_p_value(np.full((4, 3), 2.0)) == 1


def test_published_ranks_agree_with_pandas(quick: pd.DataFrame, analysis: Analysis):
    chosen = quick[
        (quick["metric"] == "accuracy") & (quick["split"] == "test") & (quick["pretext"] != "majority_class")
    ]
    for found in analysis.ranks:
        here = chosen[chosen["latent_dim"].isin([found.latent_dim, 784])]
        here = here[(here["protocol"] == found.protocol) | (here["pretext"] == "supervised")]
        means = here.groupby(["label_fraction", "pretext"])["value"].mean().unstack()
        expected = means[list(found.names)].rank(axis=1, ascending=False).mean()
        assert list(found.mean_ranks) == pytest.approx(expected.tolist())


def test_the_diagram_shows_every_row_and_bar(analysis: Analysis):
    for found in analysis.ranks:
        figure = rank_figure(found, "ranks")
        figure.draw_without_rendering()
        (axes,) = figure.axes
        texts = " ".join(text.get_text() for text in axes.texts)
        assert all(f"{rank:.2f}" in texts for rank in found.mean_ranks)
        assert sum(line.get_linewidth() == 3.5 for line in axes.lines) == len(found.groups)


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
        kendall = stats.kendalltau(measure, accuracy)
        assert (line.kendall, line.p_value) == pytest.approx((kendall.statistic, kendall.pvalue))
        assert line.loss == pytest.approx(accuracy.max() - accuracy[measure.idxmax()])


def test_too_few_encoders_give_no_correlation_but_a_reason(analysis: Analysis):
    few = analysis.correlations[analysis.correlations["encoders"] < MIN_ENCODERS]
    assert len(few)
    assert few[["spearman", "kendall", "p_value", "p_holm"]].isna().all(axis=None)
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
