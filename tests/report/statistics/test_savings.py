"""Differences, multipliers, crossovers, areas and choices: known answers, the golden table, properties."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pandas as pd
import pytest

from sslbench.contract.record import Record
from sslbench.contract.spec import InputError
from sslbench.report.records import from_records, read_records
from sslbench.report.scores.layout import lay_out
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.statistics.area import FEWER_BUDGETS, TOO_WIDE
from sslbench.report.statistics.label_efficiency import (
    BELOW,
    BETWEEN,
    BEYOND,
    NEVER_AHEAD,
    NEVER_OVERTAKEN,
    NO_SEED,
    NO_SINGLE,
    ONE_SEED,
    OVERTAKEN,
    REACHED,
)
from sslbench.report.statistics.selection import Primary
from tests.made_up import probes, record, supervised

ROOT = Path(__file__).parents[3]
FRACTIONS = (0.25, 0.5, 1.0)
FRAMES = ("differences", "multipliers", "crossovers", "areas")


def curve(pretext: str, by_fraction: dict[float, tuple[float, ...]], protocol: str = "linear_probe") -> list[Record]:
    return [
        one
        for fraction, values in by_fraction.items()
        for one in probes(pretext, *values, fraction=fraction, protocol=protocol)
    ]


def level(*means: float, spread: float = 0.0) -> dict[float, tuple[float, ...]]:
    """Three seeds around each mean."""
    return {f: (m - spread, m, m + spread) for f, m in zip(FRACTIONS, means, strict=False)}


SCRATCH = curve("supervised", level(0.70, 0.80, 0.90), "finetune")


def analysed(*records: list[Record], primary: str = "") -> Analysis:
    return Analysis(lay_out(from_records([one for part in records for one in part]), primary=primary))


# Known answers ------------------------------------------------------------------------------------------------------


def test_the_golden_records_give_the_analysis_checked_by_hand():
    """By hand: supervised has 0.70, 0.81, 0.91 at 250, 500, 1,000 labels, and its seeds differ by 2, 1, 1 points.

    At 25% five rows compete in the probe's table. Seeds move them by -1.8, 0.2 and 1.6 points; the squares of what is
    left sum to 0.24 (raw pixels, supervised), 1.04 (random_init, autoencoder) and 2.24 (SimCLR), 4.8 in all with 8
    degrees of freedom, so a difference reaches 2.306 sqrt(0.6 * 2 / 3) = 1.46 points. Where the autoencoder lacks seed
    2, at 100%, the others say what that seed does.
    Autoencoder at 25% (0.71): reached at log2 labels 1 / 11 beyond 250, 1.065 times as many; the interval ends where
    11 w - 1 = 4.303 / sqrt(3) (1 - w), at 2^0.2584 = 1.196. Its crossover has two seeds: gaps of -1.5, 5, 8 points meet
    zero at 0.25 * 2^(1.5 / 6.5). Area of SimCLR's probe: (72 + 2 * 81 + 86) / 4 points.
    """
    found = Analysis(lay_out(read_records(ROOT / "tests" / "golden" / "records.csv")))
    kept = ["protocol", "pretext", "label_fraction", "value", "low", "high", "outcome", "n"]
    parts = []
    for name, value in (("differences", "difference"), ("multipliers", "multiplier"), ("crossovers", "label_fraction")):
        frame = getattr(found, name)
        parts.append(frame.assign(statistic=name, value=frame[value])[["statistic", *kept]])
    areas = found.areas.assign(statistic="areas", label_fraction=math.nan, value=found.areas["area"])
    parts.append(areas[["statistic", *kept]])
    text = pd.concat(parts).to_csv(index=False, float_format="%.4f", lineterminator="\n")
    assert text == (ROOT / "tests" / "golden" / "analysis.csv").read_text(encoding="utf-8")


def test_a_multiplier_is_read_off_the_logarithmic_axis():
    """0.85 lies halfway between 500 and 1,000 labels: 250 labels do the work of 707."""
    line = analysed(SCRATCH, curve("simclr", level(0.85))).multipliers.iloc[0]
    assert line["outcome"] == REACHED
    assert line["multiplier"] == pytest.approx(2**1.5)
    assert (line["low"], line["high"]) == pytest.approx((2**1.5, 2**1.5))
    assert (line["num_labels"], line["n"], line["reason"]) == (250, 3, "")


def test_between_budgets_more_than_a_factor_of_three_apart_a_multiplier_is_a_bound():
    apart = {0.1: (0.69, 0.70, 0.71), 1.0: (0.79, 0.80, 0.81)}
    line = analysed(
        curve("supervised", apart, "finetune"), curve("simclr", {0.1: (0.74, 0.75, 0.76)})
    ).multipliers.iloc[0]
    assert line["outcome"] == BETWEEN
    assert math.isnan(line["multiplier"])
    assert (line["least"], line["most"], line["low"], line["high"]) == pytest.approx((1, 10, 1, 10))


def test_more_than_the_data_holds_is_a_bound_and_no_number():
    line = analysed(SCRATCH, curve("simclr", level(0.95, spread=0.01))).multipliers.iloc[0]
    assert line["outcome"] == BEYOND
    assert math.isnan(line["multiplier"])
    assert (line["least"], line["low"], line["most"], line["high"]) == pytest.approx((4, 4, math.inf, math.inf))


def test_below_the_smallest_budget_is_a_bound_and_no_number():
    line = analysed(SCRATCH, curve("rotation", {1.0: (0.59, 0.60, 0.61)})).multipliers.iloc[0]
    assert line["outcome"] == BELOW
    assert math.isnan(line["multiplier"])
    assert (line["least"], line["low"], line["most"], line["high"]) == pytest.approx((0, 0, 0.25, 0.25))


def test_one_seed_gives_a_multiplier_without_an_interval():
    records = [record for record in [*SCRATCH, *curve("simclr", level(0.85))] if record.seed == 1]
    found = analysed(records)
    line = found.multipliers.iloc[0]
    assert line["multiplier"] == pytest.approx(2**1.5)
    assert (math.isnan(line["low"]), math.isnan(line["high"]), line["reason"]) == (True, True, ONE_SEED)
    difference = found.differences.iloc[0]
    assert difference["outcome"] == "untested"
    assert difference[["low", "high", "reach"]].isna().all()


def test_a_seed_that_lacks_a_budget_of_supervised_takes_no_part():
    records = [record for record in SCRATCH if (record.seed, record.label_fraction) != (2, 0.5)]
    assert analysed(records, curve("simclr", level(0.85))).multipliers.iloc[0]["n"] == 2
    alone = [record for record in SCRATCH if record.seed == 0]
    other = [dataclasses.replace(record, seed=7, label_seed=7) for record in curve("simclr", level(0.85))[:1]]
    assert analysed(alone, other).multipliers.iloc[0]["reason"] == NO_SEED


def test_the_crossover_is_where_the_curves_meet():
    """Ahead by 2 points at 50%, behind by 2 at 100%: they meet halfway on the log axis, at 2^-0.5."""
    line = analysed(SCRATCH, curve("simclr", level(0.80, 0.82, 0.88))).crossovers.iloc[0]
    assert (line["outcome"], line["sign_changes"]) == (OVERTAKEN, 1)
    assert line["label_fraction"] == pytest.approx(2**-0.5)


@pytest.mark.parametrize(
    ("means", "outcome"),
    [
        ((0.8, 0.85, 0.91), NEVER_OVERTAKEN),
        ((0.6, 0.7, 0.8), NEVER_AHEAD),
        ((0.70, 0.80, 0.90), NEVER_AHEAD),
        ((0.6, 0.8, 0.95), NO_SINGLE),
    ],
)
def test_without_a_crossover_there_is_no_fraction(means: tuple[float, ...], outcome: str):
    line = analysed(SCRATCH, curve("simclr", level(*means))).crossovers.iloc[0]
    assert line["outcome"] == outcome
    assert math.isnan(line["label_fraction"])


def test_the_area_is_the_mean_height_on_the_log_axis():
    """Straight from 0.7 to 0.9: 0.8; and 5 points more is 5 points more."""
    found = analysed(SCRATCH, curve("simclr", level(0.75, 0.85, 0.95))).areas.set_index("pretext")
    assert found.loc["simclr", "area"] == pytest.approx(0.85)
    assert found.loc["simclr", "difference"] == pytest.approx(0.05)
    assert found.loc["simclr", "outcome"] == "win"


def test_an_area_needs_every_budget_of_training_from_scratch_and_no_wide_gap_among_them():
    line = analysed(SCRATCH, curve("simclr", level(0.75))).areas.iloc[0]
    assert math.isnan(line["area"])
    assert line["reason"] == FEWER_BUDGETS
    ends = [record for record in [*SCRATCH, *curve("simclr", level(0.75, 0.85, 0.95))] if record.label_fraction != 0.5]
    line = analysed(ends).areas.iloc[0]
    assert (math.isnan(line["area"]), line["reason"]) == (True, TOO_WIDE)


@pytest.mark.filterwarnings("error")
def test_fractions_that_are_the_same_labels_span_no_area():
    """Of few inputs both 1% and 2% may be one label of each class."""
    records = [record for record in [*SCRATCH, *curve("simclr", level(0.75, 0.85))] if record.label_fraction < 1]
    line = analysed([dataclasses.replace(record, num_labels=10) for record in records]).areas.iloc[0]
    assert math.isnan(line["area"])
    assert line["reason"] == "one label budget: no curve"


def test_wins_ties_and_losses_are_counted_and_baselines_are_not():
    found = analysed(
        SCRATCH,
        curve("simclr", level(0.75, 0.80, 0.85)),
        curve("random_init", level(0.1, 0.1, 0.1)),
    ).outcomes.set_index("label_fraction")
    assert found.loc[0.25, ["win", "tie", "loss"]].tolist() == [1, 0, 0]
    assert found.loc[1.0, ["win", "tie", "loss"]].tolist() == [0, 0, 1]
    assert found[found.index.isna()][["win", "tie", "loss", "untested"]].iloc[0].tolist() == [1, 1, 1, 0]
    assert set(found["protocol"]) == {"linear_probe"}


def test_identical_pretexts_tie_in_everything():
    same = level(0.75, 0.82, 0.9, spread=0.01)
    found = analysed(SCRATCH, curve("simclr", same), curve("byol", same))
    for name in FRAMES:
        frame = getattr(found, name)
        halves = [frame[frame["pretext"] == pretext].drop(columns="pretext") for pretext in ("simclr", "byol")]
        pd.testing.assert_frame_equal(*(half.reset_index(drop=True) for half in halves))


def test_a_pretext_that_is_supervised_is_worth_exactly_its_labels():
    same = level(0.70, 0.80, 0.90, spread=0.02)
    found = analysed(curve("supervised", same, "finetune"), curve("simclr", same))
    assert found.multipliers["multiplier"].tolist() == pytest.approx([1, 1, 1])
    assert set(found.differences["outcome"]) == {"tie"}


def scored(pretext: str, test: float, *budget: float, protocol: str = "linear_probe") -> list[Record]:
    """A pretext at half the labels with as many seeds as there are scores inside the budget; NaN is none."""
    shown = probes(pretext, *[test] * len(budget), fraction=0.5, protocol=protocol)
    pairs = zip(shown, budget, strict=True)
    return shown + [dataclasses.replace(one, value=score, split="budget") for one, score in pairs if score == score]


def test_every_seed_chooses_inside_its_own_budget_by_the_primary_protocol():
    found = analysed(
        scored("simclr", 0.9, 0.6, 0.9),
        scored("byol", 0.7, 0.8, 0.8),
        scored("byol", 0.1, 0.99, 0.99, protocol="finetune"),  # its budget score is training accuracy
        scored("moco", 0.1, 0.99, 0.99, protocol="knn"),
        scored("random_init", 0.5, 0.95, 0.95),
    )
    assert found.choices[["seed", "pretext", "protocol", "candidates", "test"]].to_numpy().tolist() == [
        [0, "byol", "linear_probe", 2, 0.7],
        [1, "simclr", "linear_probe", 2, 0.9],
    ]
    assert found.primary == Primary("linear_probe", beforehand=False)


def test_the_plan_names_the_primary_protocol_if_it_was_run():
    parts = scored("simclr", 0.9, 0.6), scored("byol", 0.7, 0.8, protocol="knn")
    named = analysed(*parts, primary="knn")
    assert named.primary == Primary("knn", beforehand=True)
    assert named.choices["pretext"].tolist() == ["byol"]
    assert analysed(*parts, primary="map").primary == Primary("linear_probe", beforehand=False)


def test_nothing_is_chosen_without_a_score_nor_by_a_protocol_that_holds_nothing_out():
    nan = math.nan
    found = analysed(scored("aaa", 0.1, nan, nan), scored("simclr", 0.9, nan, 0.6)).choices
    assert found[["seed", "pretext", "candidates"]].to_numpy().tolist() == [[1, "simclr", 1]]
    assert analysed(scored("simclr", 0.9, nan)).choices.empty
    assert analysed(scored("simclr", 0.9, 0.9, protocol="finetune")).choices.empty


def test_equal_scores_choose_together_and_no_alphabet_decides():
    found = analysed(supervised(0.5, 0.5, fraction=0.5), scored("aaa", 0.2, 0.8, 0.8), scored("zzz", 0.6, 0.8, 0.8))
    assert found.choices["weight"].tolist() == [0.5] * 4
    line = found.headlines.budgets.iloc[0]
    assert (line["accuracy"], line["difference"]) == pytest.approx((0.4, -0.1))


def test_a_headline_is_what_the_seeds_chose_against_scratch_at_the_size_they_chose():
    """Seed 0 chooses 32 numbers (0.7 against 0.6), seed 1 eight (0.9 against 0.5)."""

    def sized(pretext: str, values: tuple[float, float], size: int, protocol: str = "linear_probe") -> list[Record]:
        return [record(pretext, protocol, 0.5, seed, value, size) for seed, value in enumerate(values)]

    tests = [*sized("simclr", (0.7, 0.1), 32), *sized("simclr", (0.2, 0.9), 8)]
    budgets = [*sized("simclr", (0.9, 0.3), 32), *sized("simclr", (0.2, 0.8), 8)]
    scratch = [*sized("supervised", (0.6, 0.6), 32, "finetune"), *sized("supervised", (0.5, 0.5), 8, "finetune")]
    found = analysed(tests, [dataclasses.replace(one, split="budget") for one in budgets], scratch)
    line = found.headlines.budgets.iloc[0]
    assert (line["accuracy"], line["difference"], line["n"]) == pytest.approx((0.8, (0.1 + 0.4) / 2, 2))


def test_crossed_label_seeds_enter_as_independent_pairs_only():
    crossed = [
        dataclasses.replace(record, label_seed=label, value=record.value + 0.001 * label)
        for record in [*SCRATCH, *curve("simclr", level(0.75, 0.85, 0.95))]
        for label in range(3)
    ]
    assert set(analysed(crossed).differences["n"]) == {3}


def test_two_records_for_one_cell_are_refused_with_both_runs_named():
    twice = [*SCRATCH, dataclasses.replace(SCRATCH[0], run_id="other")]
    with pytest.raises(InputError, match=r"supervised d=32 finetune at 25% seed 0: runs other and run-supervised"):
        analysed(twice)


def test_no_records_give_empty_frames():
    found = analysed([])
    for name in FRAMES:
        assert getattr(found, name).empty


# Properties ---------------------------------------------------------------------------------------------------------


def test_the_order_of_records_does_not_show(quick: pd.DataFrame, analysis: Analysis):
    shuffled = Analysis(lay_out(quick.sample(frac=1, random_state=0)))
    for name in (*FRAMES, "outcomes", "choices", "shares", "correlations", "compute", "choice_optimism"):
        expected = getattr(analysis, name)
        pd.testing.assert_frame_equal(getattr(shuffled, name), expected, check_exact=False, rtol=1e-9)


def test_renaming_seeds_changes_no_number(quick: pd.DataFrame, analysis: Analysis):
    renamed = Analysis(lay_out(quick.assign(seed=100 - quick["seed"], label_seed=100 - quick["label_seed"])))
    for name in (*FRAMES, "outcomes", "shares", "correlations", "choice_optimism"):
        pd.testing.assert_frame_equal(getattr(renamed, name), getattr(analysis, name), rtol=1e-9)
    pd.testing.assert_frame_equal(renamed.headlines.budgets, analysis.headlines.budgets, rtol=1e-9)


def test_adding_a_pretext_leaves_the_means_and_multipliers_of_other_rows_alone(quick: pd.DataFrame, analysis: Analysis):
    """Its noise joins the error that intervals of differences are made of: those are about the whole table."""
    newcomer = quick[quick["pretext"] == "simclr"].assign(pretext="newcomer", value=0.5)
    added = Analysis(lay_out(pd.concat([quick, newcomer])))
    pooled = ["low", "high", "reach", "difference_low", "difference_high", "outcome"]
    for name in FRAMES:
        after, before = (getattr(found, name) for found in (added, analysis))
        after = after[after["pretext"] != "newcomer"].reset_index(drop=True)
        if name in ("differences", "areas"):
            after, before = (frame.drop(columns=pooled, errors="ignore") for frame in (after, before))
        pd.testing.assert_frame_equal(after, before)
