"""What rows of a table can be told apart by: textbooks, scipy, statsmodels, and simulations of whole tables."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats
from statsmodels.formula.api import ols

from sslbench.report.scores.replicates import Replicate, Scores
from sslbench.report.statistics.contest import Contest, contest_of, critical, judge, simultaneous
from sslbench.report.statistics.spread import holm

Floats = NDArray[np.float64]

#: Vascular grafts by extrusion pressure, one batch of resin a column (Montgomery, Design and Analysis of Experiments,
#: 8th edition, table 4.3): error mean square 7.33 with 15 degrees of freedom.
GRAFTS = {
    "supervised": (90.3, 89.2, 98.2, 93.9, 87.4, 97.9),
    "8700": (92.5, 89.5, 90.6, 94.7, 87.0, 95.8),
    "8900": (85.5, 90.8, 89.6, 86.2, 88.0, 93.4),
    "9100": (82.5, 89.5, 85.6, 87.4, 78.9, 90.7),
}


def seeded(*values: float) -> Scores:
    """Scores by seed; NaN is a missing one."""
    return {Replicate(seed, seed): value for seed, value in enumerate(values) if not math.isnan(value)}


def column(rows: dict[str, tuple[float, ...]]) -> dict[str, Scores]:
    return {name: seeded(*values) for name, values in rows.items()}


def fitted(rows: dict[str, tuple[float, ...]]) -> Contest:
    found = contest_of(column(rows))
    assert found is not None
    return found


def equicorrelated(rows: int) -> Floats:
    return np.full((rows, rows), 0.5) + 0.5 * np.eye(rows)


# Known answers ------------------------------------------------------------------------------------------------------


def test_the_textbooks_block_design_has_the_textbooks_error() -> None:
    found = fitted(GRAFTS)
    assert found.freedom == 15
    gap = found.difference("9100", "supervised")
    assert gap.mean == pytest.approx(85.77 - 92.82, abs=0.01)
    reach = 2.131 * math.sqrt(2 * 7.33 / 6)  # Student t with 15 degrees of freedom
    assert gap.half_width == pytest.approx(reach, rel=1e-3)


@pytest.mark.parametrize(
    ("rows", "two_sided", "one_sided"), [(1, 2.13, 1.75), (2, 2.44, 2.07), (3, 2.61, 2.24), (5, 2.82, 2.44)]
)
def test_critical_values_are_those_of_dunnetts_tables(rows: int, two_sided: float, one_sided: float) -> None:
    """With 15 degrees of freedom; the tables have two decimals."""
    assert critical(0.05, equicorrelated(rows), 15, both=True) == pytest.approx(two_sided, abs=0.0061)
    assert critical(0.05, equicorrelated(rows), 15, both=False) == pytest.approx(one_sided, abs=0.0061)


def test_intervals_are_those_of_scipys_dunnett() -> None:
    """Blood counts (Dunnett 1955) in groups of unequal size: no blocks there, so sizes give the correlations."""
    control = np.array([7.40, 8.50, 7.20, 8.24, 9.84, 8.32])
    drugs = np.array([9.76, 8.80, 7.68, 9.36]), np.array([12.80, 9.68, 12.16, 9.20, 10.55])
    found = stats.dunnett(*drugs, control=control)
    interval = found.confidence_interval(0.95)
    share = [math.sqrt(len(drug) / (len(drug) + len(control))) for drug in drugs]
    correlations = np.array([[1, share[0] * share[1]], [share[0] * share[1], 1]])
    means = np.array([drug.mean() - control.mean() for drug in drugs])
    expected = (interval.high - means) / (means / found.statistic)
    assert critical(0.05, correlations, 12, both=True) == pytest.approx(expected.tolist()[0], abs=5e-3)


def test_two_rows_are_a_paired_t_test() -> None:
    ours, theirs = (0.81, 0.83, 0.80, 0.84), (0.80, 0.80, 0.79, 0.82)
    found = fitted({"simclr": ours, "supervised": theirs})
    test = stats.ttest_rel(ours, theirs)
    ends = test.confidence_interval(0.95)
    gap = found.difference("simclr", "supervised")
    assert (gap.low, gap.high) == pytest.approx((ends.low, ends.high))
    assert simultaneous(found)["simclr"] == pytest.approx(gap.half_width)


def test_missing_cells_are_fitted_as_statsmodels_fits_them() -> None:
    holes = {
        **GRAFTS,
        "8900": (85.5, math.nan, 89.6, 86.2, 88.0, math.nan),
        "9100": (82.5, 89.5, 85.6, math.nan, 78.9, 90.7),
    }
    found = fitted(holes)
    lines = [(name, f"b{at}", value) for name, values in holes.items() for at, value in enumerate(values)]
    table = pd.DataFrame(lines, columns=["name", "block", "score"]).dropna()
    model = ols("score ~ C(name, Treatment('supervised')) + block", table).fit()
    assert found.freedom == model.df_resid
    for name in ("8700", "8900", "9100"):
        term = f"C(name, Treatment('supervised'))[T.{name}]"
        gap = found.difference(name, "supervised")
        assert gap.mean == pytest.approx(model.params[term])
        assert (gap.low, gap.high) == pytest.approx(tuple(model.conf_int().loc[term]))


def test_intervals_that_hold_together_are_wider_the_more_they_are() -> None:
    found = fitted(GRAFTS)
    alone = found.difference("9100", "supervised").half_width
    column, table = (simultaneous(found, family)["9100"] for family in (1, 4))
    assert column / alone == pytest.approx(2.61 / 2.131, abs=0.01)
    assert table > column > alone


def test_only_rows_shown_to_be_worse_are_out() -> None:
    """Montgomery finds 8500 and 8700 psi not to differ, and 9100 psi below both."""
    best = {name for (_, name), verdict in judge({0: column(GRAFTS)}).items() if verdict.best}
    assert {"supervised", "8700"} <= best
    assert "9100" not in best


# Rules --------------------------------------------------------------------------------------------------------------


def test_identical_rows_tie() -> None:
    found = judge({0: column({"supervised": (0.8, 0.9), "simclr": (0.8, 0.9)})})
    assert [verdict.best for verdict in found.values()] == [True, True]
    assert found[0, "simclr"].outcome == "tie"


def test_a_constant_difference_is_certain() -> None:
    found = judge({0: column({"supervised": (0.5, 0.25), "simclr": (0.75, 0.5)})})
    assert found[0, "simclr"].outcome == "win"
    assert found[0, "simclr"].reach < 1e-9
    assert not found[0, "supervised"].best


def test_more_columns_make_a_stricter_family() -> None:
    rows = {"supervised": (0.70, 0.72, 0.71), "simclr": (0.74, 0.73, 0.745), "byol": (0.70, 0.71, 0.715)}
    alone = judge({0: column(rows)})[0, "simclr"]
    together = judge({at: column(rows) for at in range(10)})[0, "simclr"]
    assert together.difference == alone.difference
    assert together.reach > alone.reach


def test_a_column_of_one_seed_is_no_part_of_the_family() -> None:
    rows = {"supervised": (0.70, 0.72), "simclr": (0.80, 0.83)}
    alone = judge({0: column(rows)})[0, "simclr"]
    beside = judge({0: column(rows), 1: column({name: values[:1] for name, values in rows.items()})})
    assert beside[0, "simclr"] == alone
    assert beside[1, "simclr"].outcome == "untested"
    assert beside[1, "simclr"].difference is not None
    assert not beside[1, "simclr"].best


def test_where_the_best_row_has_one_seed_nothing_is_best() -> None:
    found = judge({0: column({"supervised": (0.8, 0.8), "simclr": (0.9,)})})
    assert not any(verdict.best for verdict in found.values())
    assert found[0, "simclr"].outcome == "untested"


def test_a_row_that_shares_one_seed_is_untested_and_leaves_the_others_alone() -> None:
    rows = column({"supervised": (0.7, 0.72, 0.71), "byol": (0.8, 0.83, 0.81)})
    alone = judge({0: rows})
    beside = judge({0: {**rows, "simclr": {Replicate(2, 2): 0.6, Replicate(7, 7): 0.6}}})
    assert beside[0, "simclr"].outcome == "untested"
    assert beside[0, "byol"] == alone[0, "byol"]


def test_without_training_from_scratch_rows_are_still_told_apart() -> None:
    found = judge({0: column({"simclr": (0.9, 0.91, 0.9), "byol": (0.7, 0.71, 0.7)})})
    assert [found[0, name].best for name in ("simclr", "byol")] == [True, False]
    assert {verdict.outcome for verdict in found.values()} == {""}


# Simulations --------------------------------------------------------------------------------------------------------

ROWS = ("supervised", *(f"task{number}" for number in range(7)))


def table_of(
    rng: np.random.Generator, seeds: int, effects: Floats, spreads: Floats, columns: int = 4
) -> dict[int, dict[str, Scores]]:
    """A made-up table: seeds move all rows of a column together by two points."""
    return {
        at: column(
            dict(
                zip(
                    ROWS,
                    map(
                        tuple,
                        0.8
                        + effects[:, None]
                        + rng.normal(0, 0.02, seeds)
                        + spreads[:, None] * rng.normal(size=(len(ROWS), seeds)),
                    ),
                    strict=True,
                )
            )
        )
        for at in range(columns)
    }


def wrong(seeds: int, spreads: Floats, trials: int) -> tuple[float, float]:
    """Shares of tables of equal rows with any win or loss in them, and with a column that says `task0` is not the best.

    Of equal rows any one may be called the best: by a hair it is. A set that is to hold the best has to hold it.
    """
    rng = np.random.default_rng(seeds)
    told = out = 0
    for _ in range(trials):
        found = judge(table_of(rng, seeds, np.zeros(len(ROWS)), spreads))
        told += any(verdict.outcome in ("win", "loss") for verdict in found.values())
        out += not all(verdict.best for (_, row), verdict in found.items() if row == "task0")
    return told / trials, out / trials


SPREADS = np.full(len(ROWS), 0.01)
UNEQUAL = 0.005 * np.array([1, 4, 2, 2, 3, 3, 4, 4])


@pytest.mark.parametrize("seeds", [3, 5])
def test_of_a_hundred_tables_without_differences_five_are_wrong(seeds: int) -> None:
    told, out = wrong(seeds, SPREADS, trials=400)
    most = 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)
    assert 0.02 < told < most
    assert 0.02 < out < most


def test_rows_of_unequal_noise_cost_some_of_the_level() -> None:
    """Spreads from 0.5 to 2 points, and the row in question has the largest: the error is pooled all the same."""
    told, out = wrong(5, UNEQUAL, trials=400)
    assert told < 0.1
    assert out < 0.15


def test_noisier_training_from_scratch_costs_more_as_every_comparison_is_with_it() -> None:
    """1.5 times as noisy as all other rows: 11 to 15 tables of a hundred, measured with 1,500."""
    told, _ = wrong(5, 0.01 * np.array([1.5, *[1] * 7]), trials=400)
    assert told < 0.2


def test_differences_that_pairs_alone_leave_as_ties_are_found() -> None:
    """Nineteen rows of three seeds, 17 of them 2.5 points apart from training from scratch, error 0.5 points.

    With three seeds a paired t-test, corrected by Holm over 18 rows, asks for 18.9 standard errors of its own two
    degrees of freedom.
    """
    rng = np.random.default_rng(0)
    names = ["supervised", "even", *(f"task{number}" for number in range(17))]
    scores = np.array([0.0, 0.0] + [-0.025] * 17)[:, None] + rng.normal(0, 0.02, 3) + rng.normal(0, 0.005, (19, 3))
    found = judge({0: column(dict(zip(names, map(tuple, scores), strict=True)))})
    outcomes = [found[0, name].outcome for name in names[1:]]
    assert outcomes == ["tie"] + ["loss"] * 17
    alone = holm([float(stats.ttest_rel(row, scores[0]).pvalue) for row in scores[1:]])
    assert sum(p_value < 0.05 for p_value in alone) < 6
