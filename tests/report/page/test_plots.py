"""The plots of the first screen: every place they draw is checked against the frames, or against a curve worked out."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pandas as pd
import pytest

from sslbench.contract.record import Record
from sslbench.contract.spec import BASELINES
from sslbench.report.figures.savings import Bar
from sslbench.report.page.charts import Chart
from sslbench.report.page.savings import saved_figure
from sslbench.report.records import from_records
from sslbench.report.scores.layout import Block
from sslbench.report.statistics.analysis import Analysis
from tests.made_up import analysed, probes, summary, supervised
from tests.report.page.parsed import Page, page


def saved(found: Analysis, block: Block, fraction: float = 0.01) -> Chart:
    figure = saved_figure(found, block)
    assert figure is not None
    (chart,) = [chart for name, chart in figure.charts if name.startswith(f"{100 * fraction:g}% ")]
    return chart


def bar(records: list[Record], row: str = "simclr", fraction: float = 0.01) -> Bar:
    found = analysed(from_records(records))
    (one,) = [one for one in saved(found, found.layout.blocks[0], fraction).bars if one.row == row]
    return one


def test_training_from_scratch_for_longer_saves_no_labels_and_is_the_answer_where_there_is_no_pretext() -> None:
    records = supervised(0.7, 0.71, 0.72) + probes("supervised_double", 0.71, 0.72, 0.73, protocol="finetune")
    found = analysed(from_records(records))
    assert saved_figure(found, found.layout.blocks[0]) is None
    shown = page(from_records(records))
    assert any(
        text.startswith("Training from scratch twice as long moves its accuracy by +1.0") for text in shown.texts["p"]
    )
    assert any("no pretraining is compared with supervised" in text for text in shown.texts["p"])


def lines_of(analysis: Analysis, block: Block, fraction: float) -> dict[str, dict[Any, Any]]:
    frame = analysis.multipliers
    for name in ("dataset", "encoder", "latent_dim", "protocol"):
        frame = frame[frame[name] == getattr(block, name)]
    return {line["pretext"]: line for line in frame[frame["label_fraction"] == fraction].to_dict("records")}


def test_labels_saved_are_drawn_where_the_analysis_has_them(analysis: Analysis) -> None:
    drawn = 0
    for block in analysis.layout.blocks:
        for fraction in block.fractions:
            chart, lines = saved(analysis, block, fraction), lines_of(analysis, block, fraction)
            assert [one.row for one in chart.bars] == sorted(lines, key=lambda row: row in BASELINES)
            first, last, least, most = chart.xdomain
            assert first < least <= most < last
            assert chart.alt.count(";") == len(lines) - 1
            for one in chart.bars:
                line = lines[one.row]
                drawn += one.low is not None
                assert (one.at is None) == math.isnan(line["multiplier"])
                assert one.at is None or one.at == pytest.approx(line["multiplier"], rel=1e-3)
                assert one.interval == (not (line["low"] == 0 and math.isinf(line["high"])))
                if one.interval:
                    assert one.low == pytest.approx(line["low"] or first, rel=1e-3)
                    assert one.high == pytest.approx(min(line["high"], last), rel=1e-3)
                    assert one.arrows == "<" * (line["low"] == 0) + ">" * math.isinf(line["high"])
    assert drawn > 20


def test_every_number_of_the_plot_is_that_of_its_table(quick_page: Page) -> None:
    found = quick_page
    tables = [table for table in found.tables if table[0][0] == "label multiplier"]
    charts = found.charts("saved")
    assert [len(table[0]) - 1 for table in tables] == [5] * 5
    for table in tables:
        for column in range(5):
            said = {one["row"]: one["text"] for one in charts[5 * tables.index(table) + column]["bars"]}
            assert {row: text.replace("×", "") for row, text in said.items()} == {
                line[0]: line[1 + column] for line in table[1:]
            }


def test_a_multiple_of_a_known_curve_and_of_each_of_its_seeds() -> None:
    # Training from scratch: 50% at half the labels, 60% at all, so a probe at 55% is worth the geometric mean.
    scratch = supervised(0.50, 0.50, fraction=0.5) + supervised(0.60, 0.60, fraction=1.0)
    one = bar(scratch + probes("simclr", 0.55, 0.551, fraction=0.5), fraction=0.5)
    assert one.at == pytest.approx(2**0.505, rel=1e-3)
    assert [seed for seed, _ in one.seeds] == pytest.approx([2**0.5, 2**0.51], rel=1e-3)
    half = 0.1 * 12.706 * 0.0005  # Student's t for two seeds, in accuracy; ten points are a factor of two
    assert (one.low, one.high) == pytest.approx((2 ** (0.505 - 100 * half), 2 ** (0.505 + 100 * half)), rel=2e-3)
    assert one.text == "1.4× [1.4, 1.5]"


def test_between_budgets_far_apart_only_the_bounds_are_drawn() -> None:
    one = bar(supervised(0.50, 0.50) + supervised(0.60, 0.60, fraction=0.1) + probes("simclr", 0.55, 0.551))
    assert (one.at, one.low, one.high, one.seeds, one.text) == (None, 1.0, 10.0, (), "1 to 10×")


def test_what_lies_beyond_the_measured_budgets_is_an_arrow_and_no_dot() -> None:
    scratch = supervised(0.50, 0.51) + supervised(0.60, 0.61, fraction=0.1)
    below, beyond = bar(scratch + probes("simclr", 0.3, 0.31)), bar(scratch + probes("simclr", 0.9, 0.91))
    assert (below.at, below.arrows, below.text, below.interval) == (None, "<", "< 1×", True)
    assert (beyond.at, beyond.arrows, beyond.text, beyond.interval) == (None, ">", "> 10×", True)
    assert below.seeds == ((1.0, "<"), (1.0, "<"))
    assert (below.high, beyond.low) == (1.0, 10.0)


def test_one_seed_draws_no_interval_and_says_so() -> None:
    scratch = supervised(0.50, fraction=0.5) + supervised(0.60, fraction=1.0)
    one = bar(scratch + probes("simclr", 0.55, fraction=0.5), fraction=0.5)
    assert one.at == pytest.approx(2**0.5, rel=1e-3)
    assert (one.low, one.high, one.interval) == (None, None, False)
    assert one.text == "1.4× (one seed: no interval)"
    unmeasured = bar(scratch + probes("simclr", 0.4, fraction=0.5), fraction=0.5)
    assert (unmeasured.at, unmeasured.interval, unmeasured.arrows) == (None, False, "<")  # a side, no interval


def test_an_interval_that_the_data_does_not_bound_is_not_drawn_and_said() -> None:
    scratch = supervised(0.40, 0.70) + supervised(0.50, 0.75, fraction=0.1)
    one = bar(scratch + probes("simclr", 0.70, 0.46))
    assert not one.interval
    assert one.text.endswith("× (interval unbounded)")


def test_the_plot_says_what_its_axis_means_in_multiples_and_in_labels(analysis: Analysis) -> None:
    chart = saved(analysis, analysis.layout.blocks[0], 0.1)
    assert "training from scratch needs for the same accuracy, divided by the 6,000 used" in chart.caption
    assert (1.0, "1×\n6k") in chart.ticks
    assert [text for _, text in chart.ticks] == ["0.1×\n600", "1×\n6k", "10×\n60k"]


def test_curves_hold_the_means_and_intervals_of_the_summary_on_the_number_of_labels(
    quick: pd.DataFrame, quick_page: Page
) -> None:
    found = quick_page
    cells = summary(quick).set_index(["protocol", "latent_dim", "pretext", "num_labels"])
    charts = [chart for chart in found.charts("lines") if chart["xlabel"] == "labels used"]
    assert len(charts) == 5
    for chart in charts:
        assert [text for _, text in chart["ticks"]] == ["600", "3k", "6k", "15k", "60k"]
        assert chart["logarithmic"]
        protocol = chart["alt"].split(": ")[1].split(", latent")[0]
        size = int(chart["alt"].split("latent size ")[1].split(":")[0])
        assert "majority_class" not in {line["row"] for line in chart["lines"]}
        for line in chart["lines"]:
            for point in line["points"]:
                wanted = cells.loc[(protocol, size, line["row"], point["x"])]
                assert point["y"] == pytest.approx(100 * wanted["mean"], abs=1e-3)
                assert point["half"] == pytest.approx(100 * wanted["half_width"], abs=1e-3)
        ceiling = cells.loc[(protocol, size, "supervised", 60_000), "mean"]
        assert chart["level"] == pytest.approx(100 * ceiling, abs=1e-3)


def test_many_rows_have_a_panel_each_and_few_share_one() -> None:
    rows = [made for index in range(7) for made in probes(f"task{index}", 0.5 + index / 100, 0.6)]
    few = page(from_records(rows[:6] + supervised(0.7, 0.72))).charts("lines")
    many = page(from_records(rows + supervised(0.7, 0.72)))
    assert len(few) == 1
    assert many.charts("lines") == []
    (panels,) = many.charts("panels")
    assert [line["row"] for line in panels["lines"]] == [*(f"task{index}" for index in range(7)), "supervised"]


def test_rows_are_told_apart_without_colour() -> None:
    records = from_records([made for index in range(14) for made in probes(f"task{index:02d}", 0.5 + index / 100, 0.6)])
    looks = page(records).data["looks"]
    assert len({(look["symbol"], look["dash"]) for look in looks.values()}) == 14


def test_repetitions_that_share_labels_or_a_training_have_no_dot() -> None:
    made = supervised(0.50, 0.51) + supervised(0.60, 0.61, fraction=0.1) + probes("simclr", 0.55, 0.56)
    crossed = [dataclasses.replace(one, label_seed=1 - one.seed, run_id=f"{one.run_id}-crossed") for one in made]
    assert bar(made + crossed).seeds == bar(made).seeds
