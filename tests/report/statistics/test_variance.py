"""What variance comes from: hand-made tables, statsmodels, simulation."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from sslbench.contract.record import Record
from sslbench.report.records import from_records
from sslbench.report.scores.evaluations import evaluations
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.statistics.replication import NOT_CROSSED, components, two_way
from sslbench.report.statistics.variance import AXES, complete_design, share_intervals, sums_of_squares
from tests.made_up import analysed, probes, record

Floats = NDArray[np.float64]


def test_published_shares_agree_with_a_type_two_anova_of_statsmodels(quick: pd.DataFrame, analysis: Analysis):
    evaluated = evaluations(quick)
    design = complete_design(evaluated[evaluated["pretrain_dataset"] != ""])
    rows = [
        (*(f"l{level}" for level in place), float(design.scores[place]))
        for place in itertools.product(*(range(length) for length in design.scores.shape))
    ]
    table = pd.DataFrame(rows, columns=[*AXES, "score"])
    pairs = [" : ".join(pair) for pair in itertools.combinations(AXES[:-1], 2)]
    cells = " : ".join(AXES[:-1])  # what is left beside them is what seeds change
    fitted = anova_lm(ols(f"score ~ {' + '.join([*AXES[:-1], *pairs])}", table).fit(), typ=2)["sum_sq"]
    within = float(ols(f"score ~ {cells}", table).fit().ssr)
    fitted = pd.concat([fitted.drop("Residual"), pd.Series({"seed": within, "residual": fitted["Residual"] - within})])
    shares = analysis.shares.set_index("source")["share"]
    assert shares.sum() == pytest.approx(1)
    for source, expected in (fitted / fitted.sum()).items():
        assert shares[str(source).replace(":", " x ")] == pytest.approx(expected, abs=1e-9)


def test_an_additive_table_is_explained_without_interactions():
    """Pretext adds 0 or 0.2, fraction 0 or 0.1: squares in the ratio of 4 to 1, nothing else."""
    scores = np.zeros((2, 1, 1, 2, 3)) + np.array([0, 0.2])[:, None, None, None, None]
    scores = scores + np.array([0, 0.1])[None, None, None, :, None]
    found = sums_of_squares(scores)
    assert found["pretext"] / found["label_fraction"] == pytest.approx(4)
    assert [found[name] for name in ("pretext x label_fraction", "seed", "residual")] == pytest.approx([0, 0, 0])


@given(st.tuples(*[st.integers(1, 3)] * 5), st.integers(0, 100))
@settings(max_examples=30, deadline=None)
def test_sums_of_squares_add_up_to_the_total(shape: tuple[int, ...], seed: int):
    scores = np.random.default_rng(seed).normal(size=shape)
    total = np.square(scores - scores.mean()).sum()
    assert sum(sums_of_squares(scores).values()) == pytest.approx(total)


def test_what_seeds_change_includes_their_interactions():
    """Seeds move one pretext up and the other down: no main effect, and all of the variance."""
    scores = np.zeros((2, 1, 1, 2, 2)) + np.array([[0.1, -0.1], [-0.1, 0.1]])[:, None, None, None, :]
    found = sums_of_squares(scores)
    assert found["seed"] == pytest.approx(np.square(scores).sum())
    assert sum(value for name, value in found.items() if name != "seed") == pytest.approx(0)


def test_levels_with_holes_are_left_out_and_named(analysis: Analysis):
    records = [
        record(pretext, protocol, fraction, seed, 0.5 + 0.01 * seed + 0.1 * fraction)
        for pretext in ("simclr", "byol")
        for protocol in ("linear_probe", "knn")
        for fraction in (0.01, 0.1)
        for seed in range(2)
    ]
    records += probes("simclr", 0.8, 0.9, protocol="finetune")
    shares = analysed(from_records(records)).shares
    assert set(shares["reason"]) == {"left out, as not run everywhere: protocol finetune"}
    assert shares.set_index("source").loc["label_fraction", "levels"] == 2
    assert shares["share"].sum() == pytest.approx(1)


def test_a_grid_with_holes_on_its_diagonal_keeps_what_is_whole(analysis: Analysis):
    """Each latent size with a protocol of its own: the holes are balanced over all axes."""
    grid = [("linear_probe", 32), ("knn", 8)]
    records = [
        record(pretext, protocol, fraction, seed, 0.5 + 0.01 * seed + 0.1 * fraction, size)
        for pretext in ("simclr", "byol")
        for protocol, size in grid
        for fraction in (0.01, 0.1)
        for seed in range(2)
    ]
    shares = analysed(from_records(records)).shares
    assert shares["share"].sum() == pytest.approx(1)
    assert len(set(shares["reason"])) == 1
    assert "left out" in shares["reason"].iloc[0]


def test_the_interval_of_a_share_covers_the_truth_at_its_nominal_rate():
    """Pretext effects vary by seed; the truth is the share with a great many seeds."""
    rng = np.random.default_rng(2)

    def frame(seeds: int) -> Floats:
        pretexts = np.array([0.0, 0.03, 0.08])[:, None, None] + rng.normal(0, 0.01, (3, 1, seeds))
        return pretexts + np.array([0.0, 0.05, 0.1, 0.12])[:, None] + rng.normal(0, 0.005, (3, 4, seeds))

    def shaped(scores: Floats) -> Floats:
        return scores[:, None, None]

    many = sums_of_squares(shaped(frame(20_000)))
    truth = many["pretext"] / sum(many.values())
    ends = [share_intervals(shaped(frame(5)))["pretext"] for _ in range(400)]
    covered = np.mean([low <= truth <= high for low, high in ends])
    assert covered > 0.9


def crossed(scores: Floats) -> list[Record]:
    return [
        dataclasses.replace(record("simclr", "knn", 0.1, seed, float(value)), label_seed=label)
        for (seed, label), value in np.ndenumerate(scores)
    ]


def test_a_spread_over_labels_alone_is_found_as_such():
    scores = np.tile([0.5, 0.6, 0.7], (3, 1))
    (line,) = components(evaluations(from_records(crossed(scores)))).itertuples()
    assert (line.seeds, line.label_seeds) == (3, 3)
    assert (line.initialisation_sd, line.labels_sd, line.residual_sd) == pytest.approx((0, 0.1, 0), abs=1e-9)
    assert line.labels_share == pytest.approx(1)


def test_components_agree_with_the_mean_squares_of_statsmodels():
    scores = np.random.default_rng(5).normal(size=(4, 3)) + np.arange(4)[:, None]
    rows = [(f"s{seed}", f"l{label}", value) for (seed, label), value in np.ndenumerate(scores)]
    table = anova_lm(ols("score ~ seed + label", pd.DataFrame(rows, columns=["seed", "label", "score"])).fit())
    squares = table["sum_sq"] / table["df"]
    found = two_way(scores)
    assert found[0] == pytest.approx(math.sqrt((squares["seed"] - squares["Residual"]) / 3))
    assert found[1] == pytest.approx(math.sqrt(max(0, (squares["label"] - squares["Residual"]) / 4)))
    assert found[2] == pytest.approx(math.sqrt(squares["Residual"]))


def test_components_are_unbiased_in_a_simulation():
    rng = np.random.default_rng(0)
    found = [
        two_way(rng.normal(0, 0.03, (5, 1)) + rng.normal(0, 0.02, (1, 5)) + rng.normal(0, 0.01, (5, 5)))
        for _ in range(1000)
    ]
    means = np.square(np.array(found)[:, :3]).mean(axis=0)
    assert means == pytest.approx([9e-4, 4e-4, 1e-4], rel=0.1)


def test_a_design_that_is_not_crossed_says_why_it_cannot_be_split(analysis: Analysis):
    alone = analysed(from_records(probes("simclr", 0.5, 0.6, 0.7)))
    assert alone.components.empty
    assert alone.components_reason == NOT_CROSSED
    assert analysed(from_records(crossed(np.eye(3)))).components_reason == ""
