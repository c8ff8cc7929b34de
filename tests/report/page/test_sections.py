"""Tables under the first screen say what the analysis found: every figure is checked against the records themselves."""

from __future__ import annotations

import pandas as pd
import pytest
from scipy import stats

from sslbench.contract.record import Record
from sslbench.contract.settings import TunedArm
from sslbench.report.attachments.attachments import Attachments
from sslbench.report.page.compute import budget_part, compute_part
from sslbench.report.page.insight import correlation_sheets, measure_figures, optimism_part, share_part, spread_part
from sslbench.report.page.parts import Part, by_fraction, said, sheet_of
from sslbench.report.page.savings import savings_sheets
from sslbench.report.page.sections import (
    environment_part,
    latent_part,
    looked_at_sheets,
    outcome_part,
    tuning_sheets,
)
from sslbench.report.records import from_records
from sslbench.report.scores import lay_out
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.tables.sheet import Sheet
from tests.made_up import analysed, probes, supervised
from tests.report.page.parsed import page


def texts(sheet: Sheet) -> list[tuple[str, ...]]:
    return [tuple(entry.text for entry in row) for row in sheet.rows]


def only(part: Part | None) -> Sheet:
    """The first sheet of a part that there is."""
    assert part is not None
    return part.sheets[0]


def savings(records: list[Record]) -> list[Sheet]:
    found = analysed(from_records(records))
    return savings_sheets(found, found.layout.blocks[0])


def test_multipliers_of_a_known_curve_are_written_with_their_bounds() -> None:
    # Training from scratch: 50% at half the labels, 60% at all, so a probe at 55% is worth the geometric mean.
    made = supervised(0.50, 0.50, fraction=0.5) + supervised(0.60, 0.60, fraction=1.0)
    made += probes("simclr", 0.55, 0.55, fraction=0.5) + probes("simclr", 0.99, 0.99, fraction=1.0)
    table, _ = savings(made)
    assert table.headings == ("label multiplier", "50%", "100%")
    (row,) = texts(table)
    assert row[0] == "simclr"
    assert row[1].startswith("1.4 [")
    assert row[2] == "> 1"


def test_between_budgets_far_apart_a_multiplier_and_a_crossover_are_bounds() -> None:
    made = supervised(0.50, 0.51) + supervised(0.60, 0.61, fraction=0.1)
    made += probes("simclr", 0.55, 0.56) + probes("simclr", 0.58, 0.59, fraction=0.1)
    multiples, table = savings(made)
    assert texts(multiples)[0][1] == "1 to 10"
    (row,) = texts(table)
    assert row[1:3] == ("1% to 10% [1%, 10%]", "–")


def test_crossover_and_area_of_a_known_curve() -> None:
    made = supervised(0.50, 0.51, fraction=0.5) + supervised(0.70, 0.71, fraction=1.0)
    made += probes("simclr", 0.60, 0.61, fraction=0.5) + probes("simclr", 0.60, 0.61, fraction=1.0)
    _, table = savings(made)
    (row,) = texts(table)
    assert row[1].startswith("71%")  # halfway on the logarithmic axis
    assert row[2].startswith("60.5 ± ")
    assert row[3:] == ("0.0 ± 0.0", "tie")


def test_a_table_of_savings_stands_under_each_pretraining_dataset_with_its_own_rows() -> None:
    half = supervised(0.5, 0.51, fraction=0.5) + probes("simclr", 0.6, 0.61, fraction=0.5)
    here = from_records(half + supervised(0.7, 0.71, fraction=1.0))
    there = here[here["pretext"] == "simclr"].assign(pretrain_dataset="letters", value=0.55)
    found = analysed(pd.concat([here, there]))
    shown = [texts(savings_sheets(found, block)[0])[0][1][:3] for block in found.layout.blocks]
    assert [block.pretrain_dataset for block in found.layout.blocks] == ["digits", "letters"]
    assert len(set(shown)) == 2


def test_without_training_from_scratch_there_are_no_savings() -> None:
    made = probes("simclr", 0.8, 0.9) + probes("rotation", 0.7, 0.8)
    assert savings(made) == []
    assert outcome_part(analysed(from_records(made))) is None


def test_wins_ties_and_losses_add_up(quick: pd.DataFrame, analysis: Analysis) -> None:
    rows = texts(only(outcome_part(analysis)))
    totals = [row for row in rows if row[1] == "all"]
    for total in totals:
        for column in range(2, 6):
            here = [int(row[column]) for row in rows if row[0] == total[0] and row[1] != "all"]
            assert int(total[column]) == sum(here)
    cells = quick[(quick["split"] == "test") & (quick["metric"] == "accuracy")]
    cells = cells[~cells["pretext"].isin(["majority_class", "raw_pixels", "random_init", "supervised"])]
    places = cells.drop_duplicates(["pretext", "latent_dim", "protocol", "label_fraction"])
    assert sum(int(text) for total in totals for text in total[2:]) == len(places)


def test_what_one_would_choose_is_the_best_inside_the_budget(analysis: Analysis) -> None:
    part = outcome_part(analysis)
    assert part is not None
    shown = texts(part.sheets[1])
    wanted = [f"{100 * line['budget']:.1f}" for line in analysis.choices.to_dict("records")]
    assert [row[-3] for row in shown] == wanted
    assert [row[-1] for row in shown] == [f"{100 * test:.1f}" for test in analysis.choices["test"]]


def test_no_point_beats_one_on_the_front(analysis: Analysis) -> None:
    part = compute_part(analysis)
    assert part is not None
    charts = [chart for figure in part.figures for _, chart in figure.charts]
    assert {chart.xlabel.split(" ")[0] for chart in charts} == {"seconds", "floating-point"}
    for chart in charts:
        ahead = {(point.x, point.y) for point in chart.front}
        for point in chart.points:
            beaten = any(
                (other.x <= point.x and other.y > point.y) or (other.x < point.x and other.y >= point.y)
                for other in chart.points
            )
            assert beaten != ((point.x, point.y) in ahead)
            assert ("on the front" in point.tip) != beaten


def test_budgets_are_those_of_the_analysis(analysis: Analysis) -> None:
    shown = texts(only(budget_part(analysis.budgets)))
    assert [row[-2] for row in shown] == [f"{ratio:.2f}" for ratio in analysis.budgets["ratio"]]
    assert [row[-1] == "yes" for row in shown] == analysis.budgets["matched"].astype(bool).tolist()


def test_shares_are_those_of_the_analysis_and_make_a_whole(analysis: Analysis) -> None:
    shown = [float(row[-1].split("%")[0]) for row in texts(only(share_part(analysis)))]
    assert shown == pytest.approx([100 * share for share in analysis.shares["share"]], abs=0.05)
    assert sum(shown) == pytest.approx(100, abs=0.1 * len(shown))


def test_measures_are_drawn_against_the_accuracy_they_are_correlated_with(analysis: Analysis) -> None:
    (figure,) = measure_figures(analysis)
    chart = dict(figure.charts)["RankMe"]
    points = [point for point in chart.points if point.row != "random_init"]
    expected = float(stats.spearmanr([point.x for point in points], [point.y for point in points]).statistic)
    table = next(table for table in correlation_sheets(analysis) if table.title.endswith("linear_probe"))
    (row,) = [row for row in texts(table) if row[0] == "RankMe"]
    assert float(row[table.headings.index("1%")].split(" ")[0]) == pytest.approx(expected, abs=0.005)


def test_optimism_is_never_negative(analysis: Analysis) -> None:
    rows = texts(only(optimism_part(analysis)))
    assert all(float(text.split(" ")[0]) >= 0 for row in rows for text in row[3:])
    assert "any pretext" in {row[0] for row in rows}


def test_a_spread_that_cannot_be_split_says_why(analysis: Analysis) -> None:
    part = spread_part(analysis)
    assert part.sheets == ()
    assert "cannot be split" in part.text[0]


def test_latent_sizes_are_drawn_only_where_there_are_several(quick: pd.DataFrame, analysis: Analysis) -> None:
    assert latent_part(analysed(quick[quick["latent_dim"] != 32]).layout.blocks) is None
    part = latent_part(analysis.layout.blocks)
    assert part is not None
    assert [text for _, text in part.figures[0].charts[0][1].ticks] == ["32", "128"]


def test_what_was_run_is_counted(quick: pd.DataFrame, analysis: Analysis) -> None:
    told = dict(texts(only(environment_part({"packages": {"torch": "2"}, "memory_gib": 8}, analysis.layout))))
    tests = quick[(quick["metric"] == "accuracy") & (quick["split"] == "test")]
    trained = tests[tests["pretrain_samples"] > 0]
    assert told["evaluations"] == str(len(tests))
    assert told["pretrainings"] == str(len(trained.drop_duplicates(["pretext", "latent_dim", "seed"])))
    assert (told["torch"], told["memory, GiB"]) == ("2", "8")


TUNED = TunedArm(
    {"temperature": 0.2}, 0.75, None, 0, 10, 8, 1.0, 125.0, 60_000, 2.5e12, "simclr", "budget_cv with 1% of the labels"
)


def test_tuning_stands_in_the_ledger_and_in_the_bill_of_its_pretext() -> None:
    records = from_records(probes("simclr", 0.8, 0.9) + probes("rotation", 0.7, 0.8) + supervised(0.6, 0.7))
    (table,) = tuning_sheets((TUNED,))
    line = ("simclr", "8 of 10", "125", "60,000", "2.5 TFLOPs", "–", "0.750", "temperature 0.2")
    assert texts(table) == [line]
    assert tuning_sheets(()) == ()
    bills = analysed(records, [TUNED]).compute.set_index("pretext")["seconds"]
    plain = analysed(records).compute.set_index("pretext")["seconds"]
    assert bills["simclr"] - plain["simclr"] == pytest.approx(125)
    assert bills["rotation"] == plain["rotation"]
    assert list(line) in [row for found in page(records, Attachments(tuned=(TUNED,))).tables for row in found]


def test_defaults_that_looked_at_labels_stand_in_the_ledger_of_what_was_run() -> None:
    records = from_records(probes("simclr", 0.8, 0.9) + probes("rotation", 0.7, 0.8) + supervised(0.6, 0.7))
    (table,) = looked_at_sheets(lay_out(records))
    assert [line[0] for line in texts(table)] == ["finetune", "rotation"]
    assert [list(line) for line in texts(table)] in [found[1:] for found in page(records).tables]
    assert looked_at_sheets(lay_out(from_records(probes("simclr", 0.8, 0.9)))) == ()


def test_columns_that_say_the_same_on_every_line_are_left_out() -> None:
    columns = [(name, said(name)) for name in ("dataset", "encoder", "pretext", "n")]
    frame = pd.DataFrame({"dataset": ["a", "b"], "encoder": ["x", "x"], "pretext": ["p", "q"], "n": [1, 1]})
    made = sheet_of(frame, columns, 3)
    assert (made.headings, made.names) == (("dataset", "pretext", "n"), 2)
    assert texts(made) == [("a", "p", "1"), ("b", "q", "1")]


def test_what_was_not_run_at_a_fraction_is_said_to_be_so() -> None:
    frame = pd.DataFrame({"pretext": ["p", "p", "q"], "label_fraction": [0.1, 0.01, 0.1], "n": [1, 2, 3]})
    made = by_fraction(frame, [("pretext", said("pretext"))], said("n"))
    assert made.headings == ("pretext", "1%", "10%")
    assert texts(made) == [("p", "2", "1"), ("q", "–", "3")]
