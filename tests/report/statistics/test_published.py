"""Label savings of the published records, computed another way: scipy, statsmodels and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import auc
from statsmodels.formula.api import ols

from sslbench.report.statistics.analysis import Analysis
from sslbench.report.statistics.label_efficiency import BETWEEN, BEYOND, REACHED


def scores_of(quick: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy by row (encoder, latent_dim, protocol, pretext) and seed; a column per label fraction."""
    chosen = quick[(quick["metric"] == "accuracy") & (quick["split"] == "test")]
    return chosen.pivot(
        index=["encoder", "latent_dim", "protocol", "pretext", "seed"], columns="label_fraction", values="value"
    )


def test_published_differences_agree_with_statsmodels(quick: pd.DataFrame, analysis: Analysis):
    """A column is accuracy = row + seed + error by least squares; all differences at once by scipy's multivariate t."""
    scores = scores_of(quick)
    columns = ["latent_dim", "protocol", "label_fraction"]
    family = {key: len(set(table["label_fraction"])) for key, table in analysis.differences.groupby(columns[:2])}
    for (latent_dim, protocol, fraction), column in analysis.differences.groupby(columns):
        places = [("raw", 784) if pretext == "raw_pixels" else ("conv", latent_dim) for pretext in column["pretext"]]
        keys = [(*place, protocol, pretext) for place, pretext in zip(places, column["pretext"], strict=True)]
        named = {
            "supervised": ("conv", latent_dim, "finetune", "supervised"),
            **dict(zip(column["pretext"], keys, strict=True)),
        }
        lines = [
            (name, f"s{seed}", value)
            for name, key in named.items()
            for seed, value in scores.loc[key, fraction].items()
        ]
        table = pd.DataFrame(lines, columns=["name", "seed", "score"])
        model = ols("score ~ C(name, Treatment('supervised')) + seed", table).fit()
        rows = len(column)
        correlations = np.full((rows, rows), 0.5) + 0.5 * np.eye(rows)
        for line in column.itertuples():
            term = f"C(name, Treatment('supervised'))[T.{line.pretext}]"
            assert (line.difference, line.n) == (pytest.approx(model.params[term]), len(set(table["seed"])))
            assert (line.low, line.high) == pytest.approx(tuple(model.conf_int().loc[term]))
            statistic = np.full(rows, line.reach / model.bse[term])
            inside = stats.multivariate_t.cdf(
                statistic, shape=correlations, df=model.df_resid, lower_limit=-statistic, random_state=1
            )
            assert 1 - inside == pytest.approx(0.05 / family[latent_dim, protocol], rel=0.03)
            told = "win" if line.difference > line.reach else "loss" if line.difference < -line.reach else "tie"
            assert line.outcome == told


def test_published_multipliers_agree_with_scikit_learn_and_a_search_of_t_tests(quick: pd.DataFrame, analysis: Analysis):
    """Read off at budgets, and between those that are close; the interval holds what a t-test does not reject there."""
    scores = scores_of(quick)
    for line in analysis.multipliers.itertuples():
        place = ("raw", 784) if line.pretext == "raw_pixels" else ("conv", line.latent_dim)
        own = scores.loc[(*place, line.protocol, line.pretext), line.label_fraction].to_numpy(float)
        scratch = scores.loc[("conv", line.latent_dim, "finetune", "supervised")].to_numpy(float)
        axis = np.log(scores.columns.to_numpy(float) / line.label_fraction)
        smooth = IsotonicRegression().fit_transform(axis, scratch.mean(axis=0))
        positions = axis[0] + np.linspace(0, 1, 2001) * (axis[-1] - axis[0])
        height = np.interp(positions, axis, smooth)
        if line.outcome in (REACHED, BETWEEN):
            first = positions[np.argmax(height >= own.mean() - 1e-12)]
            step = positions[1] - positions[0]
            assert math.log(line.least) - step <= first <= math.log(line.most) + step
        else:
            assert (own.mean() > smooth[-1]) if line.outcome == BEYOND else (own.mean() < smooth[0])
        curves = scratch - scratch.mean(axis=0) + smooth - own[:, None]
        test = stats.ttest_1samp(np.array([np.interp(positions, axis, curve) for curve in curves]), 0, axis=0)
        kept = np.exp(positions[test.pvalue >= 0.05])
        if len(kept):
            assert line.low <= kept[0] <= kept[-1] <= line.high
        assert (line.low == 0) == (test.pvalue[0] >= 0.05 or test.statistic[0] > 0)
        assert math.isinf(line.high) == (test.pvalue[-1] >= 0.05 or test.statistic[-1] < 0)


def test_published_areas_agree_with_scikit_learn(quick: pd.DataFrame, analysis: Analysis):
    scores = scores_of(quick)
    axis = np.log(scores.columns.to_numpy(float))
    width = axis[-1] - axis[0]
    for line in analysis.areas[analysis.areas["reason"] == ""].itertuples():
        place = ("raw", 784) if line.pretext == "raw_pixels" else ("conv", line.latent_dim)
        areas = [auc(axis, seed) / width for seed in scores.loc[(*place, line.protocol, line.pretext)].to_numpy(float)]
        low, high = stats.t.interval(0.95, len(areas) - 1, np.mean(areas), stats.sem(areas))
        assert (line.area, line.low, line.high) == pytest.approx((np.mean(areas), low, high))


def test_published_choices_agree_with_a_sort_of_the_budget_scores(quick: pd.DataFrame, analysis: Analysis):
    assert analysis.primary is not None
    scored = quick[(quick["split"] == "budget") & (quick["metric"] == "accuracy") & (quick["pretrain_dataset"] != "")]
    scored = scored[scored["protocol"] == analysis.primary.protocol].set_index(["label_fraction", "seed"]).sort_index()
    assert set(zip(analysis.choices["label_fraction"], analysis.choices["seed"], strict=True)) == set(scored.index)
    for line in analysis.choices.itertuples():
        here = scored.loc[(line.label_fraction, line.seed)]
        best = here[here["value"] == here["value"].max()]
        assert line.budget == best["value"].iloc[0]
        assert (line.pretext, line.latent_dim) in set(zip(best["pretext"], best["latent_dim"], strict=True))
        assert line.weight == pytest.approx(1 / len(best))
