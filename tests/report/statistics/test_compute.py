"""What accuracy cost, and what choosing on the test split would have added: hand-made records and brute force."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslbench.contract.record import Record
from sslbench.report.records import from_records
from sslbench.report.scores.evaluations import evaluations
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.statistics.compute import compute, front
from sslbench.report.statistics.optimism import EVERYTHING, choice_optimism, epoch_optimism
from sslbench.report.statistics.selection import Primary
from sslbench.report.words.wording import unequal
from tests.made_up import analysed, probes, tuned_arm

PROBE = Primary("linear_probe", beforehand=False)


def budget(records: list[Record], *values: float) -> list[Record]:
    """Budget scores for records, one after another."""
    return [dataclasses.replace(one, split="budget", value=value) for one, value in zip(records, values, strict=True)]


POINTS = st.lists(st.tuples(st.sampled_from([1.0, 2, 3, 4, math.nan]), st.sampled_from([0.1, 0.2, 0.3])), max_size=8)


@given(POINTS)
@settings(max_examples=100, deadline=None)
def test_the_front_is_what_nothing_beats(points: list[tuple[float, float]]):
    def beaten(cost: float, gain: float) -> bool:
        return any(c <= cost and g >= gain and (c, g) != (cost, gain) for c, g in points)

    expected = [not math.isnan(cost) and not beaten(cost, gain) for cost, gain in points]
    assert front([cost for cost, _ in points], [gain for _, gain in points]) == expected


def test_the_bill_of_a_number_is_tuning_and_pretraining_and_evaluation():
    """Seeds took 10 and 11 s to pretrain and 0.5 s per evaluation."""
    records = [*probes("simclr", 0.8, 0.8), *probes("simclr", 0.7, 0.7, protocol="knn")]
    found = compute(evaluations(from_records(records)), [tuned_arm("simclr", 20, 100.0, 1e12)])
    assert found["seconds"].tolist() == pytest.approx([111.0, 111.0])
    assert found["flops"].tolist() == pytest.approx([1e12 + 2.5e12 + 1e10] * 2)
    assert found["protocol"].tolist() == ["knn", "linear_probe"]
    assert front(found["seconds"], found["accuracy"]) == [False, True]


def test_records_from_before_evaluations_counted_their_operations_are_on_no_front_in_flops():
    records = [dataclasses.replace(one, evaluate_flops=math.nan) for one in probes("simclr", 0.8, 0.8)]
    found = compute(evaluations(from_records(records)))
    assert found["flops"].isna().all()
    assert front(found["flops"], found["accuracy"]) == [False]


def test_training_from_scratch_is_on_the_published_front_in_flops(analysis: Analysis):
    """Nothing else reaches its accuracy with all labels, whatever it costs."""
    everything = analysis.compute[analysis.compute["label_fraction"] == 1]
    scratch = everything["pretext"] == "supervised"
    assert (everything.loc[scratch, "flops"] > 0).all()
    assert scratch[front(everything["flops"], everything["accuracy"])].any()


def test_unequal_budgets_are_said_in_words():
    dear = [dataclasses.replace(one, pretrain_flops=1e13) for one in probes("byol", 0.8, 0.8)]
    found = analysed(
        from_records([*probes("simclr", 0.8, 0.8), *dear]),
        [tuned_arm("simclr", 20, 5.0, 0.0), tuned_arm("byol", 20, 5.0, 0.0)],
    ).budgets.set_index("quantity")
    assert (
        unequal({"quantity": "FLOPs", **found.loc["FLOPs"].to_dict()}) == "BYOL was given 4 times the FLOPs of SimCLR"
    )
    assert found.loc[["samples", "seconds", "trials"], "matched"].all()
    assert not found.loc["FLOPs", "matched"]


def test_choosing_on_test_is_credited_with_what_the_budget_did_not_see():
    """Test prefers SimCLR by 5 points in seed 0, the budget prefers BYOL; in seed 1 they agree."""
    simclr, byol, other = (
        probes("simclr", 0.80, 0.80),
        probes("byol", 0.75, 0.70),
        probes("byol", 0.9, 0.9, protocol="knn"),
    )
    records = [*simclr, *byol, *other, *budget(simclr, 0.6, 0.9), *budget(byol, 0.7, 0.8), *budget(other, 1.0, 1.0)]
    found = choice_optimism(evaluations(from_records(records)), PROBE)
    assert found["over"].tolist() == [EVERYTHING]
    assert found["optimism"].tolist() == pytest.approx([0.025])
    assert found["low"].tolist() == [0]
    assert found["chosen_on_test"].tolist() == pytest.approx([0.8])


def test_where_scores_inside_the_budget_are_missing_there_is_no_choice_to_be_optimistic_about():
    simclr, byol = probes("simclr", 0.80, 0.80), probes("byol", 0.75, 0.70)
    assert choice_optimism(evaluations(from_records(simclr + byol)), PROBE).empty


def test_published_optimism_agrees_with_a_search_by_hand(quick: pd.DataFrame, analysis: Analysis):
    kept = quick[
        (quick["metric"] == "accuracy") & (quick["pretrain_dataset"] != "") & (quick["protocol"] == "linear_probe")
    ]
    overall = analysis.choice_optimism[analysis.choice_optimism["over"] == EVERYTHING]
    assert (analysis.choice_optimism["optimism"] >= 0).all()
    for line in overall.itertuples():
        leads = []
        for _, seed in kept[kept["label_fraction"] == line.label_fraction].groupby("seed"):
            keys = ["pretext", "latent_dim"]
            tests = seed[seed["split"] == "test"].set_index(keys)["value"]
            scores = seed[seed["split"] == "budget"].set_index(keys)["value"].sort_index()
            leads.append(tests.max() - tests[scores.idxmax()])
        assert line.optimism == pytest.approx(np.mean(leads))


def checkpoints(pretext: str, split: str, by_epoch: dict[float, tuple[float, ...]]) -> list[Record]:
    return [
        dataclasses.replace(one, metric=f"accuracy_after_{epoch:g}_epochs", split=split)
        for epoch, values in by_epoch.items()
        for one in probes(pretext, *values, protocol="knn")
    ]


def test_the_best_epoch_on_test_is_compared_with_the_last_and_with_the_budgets_choice():
    """Seed 0 peaks on test at epoch 10, seed 1 at the end; the budget picks epoch 0.5 and 100."""
    scored = checkpoints("simclr", "test", {0.5: (0.5, 0.5), 10: (0.8, 0.6), 100: (0.7, 0.7)})
    scored += checkpoints("simclr", "budget", {0.5: (0.9, 0.1), 10: (0.2, 0.2), 100: (0.3, 0.3)})
    found = epoch_optimism(from_records(scored)).set_index("pretext")
    for name in ("simclr", ""):
        assert found.loc[name, ["over_last", "over_budget"]].tolist() == pytest.approx([0.05, 0.15])
        assert found.loc[name, ["checkpoints", "n", "over_last_low"]].tolist() == [3, 2, 0]


def test_a_seed_without_all_checkpoints_is_left_out_and_one_checkpoint_is_no_choice():
    scored = checkpoints("simclr", "test", {1: (0.5, 0.5), 2: (0.8,)}) + checkpoints(
        "simclr", "budget", {1: (0.5, 0.5), 2: (0.8,)}
    )
    assert set(epoch_optimism(from_records(scored))["n"]) == {1}
    single = checkpoints("byol", "test", {1: (0.5,)}) + checkpoints("byol", "budget", {1: (0.5,)})
    assert epoch_optimism(from_records(single)).empty
    assert epoch_optimism(from_records([])).empty
