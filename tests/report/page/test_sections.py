"""The page's sections say what the analysis found: every figure in them is checked against the records themselves."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats
from sslbench.report.scores.blocks import place

from sslbench.contract.spec import InputError
from sslbench.report.attachments.attachments import Attachments
from sslbench.report.attachments.tuned import Tuned, read_tuned, write_tuned
from sslbench.report.page.compute import compute_section, tuning_grids
from sslbench.report.page.insight import (
    correlation_grids,
    measure_figures,
    optimism_section,
    share_section,
    spread_section,
)
from sslbench.report.page.savings import outcome_section, savings_section
from sslbench.report.page.sections import Grid, Section, cost_section, latent_section, rank_section
from sslbench.report.records import from_records
from sslbench.report.statistics.analysis import Analysis, analyse
from sslbench.report.words.findings import findings
from tests.made_up import probes, supervised
from tests.report.page.test_page import page


def grid(section: Section | None, start: str) -> Grid:
    assert section is not None
    return next(table for table in section.tables if table.title.startswith(start))


def test_the_page_opens_with_the_findings_of_the_analysis(quick: pd.DataFrame, analysis: Analysis) -> None:
    sentences = [finding.sentence for finding in findings(analysis)]
    assert len(sentences) >= 3
    shown = page(quick)
    assert shown.texts["li"][: len(shown.texts["li"])].count(sentences[0]) == 1
    first = shown.texts["h2"].index("The answer")
    assert shown.texts["h2"][first + 1] == "Accuracy"
    assert [text for text in shown.texts["li"] if text in sentences] == sentences


def test_multipliers_of_a_known_curve_are_written_with_their_bounds() -> None:
    # Training from scratch: 50% at 1% of the labels, 60% at 10%, so a probe at 55% is worth the geometric mean.
    made = supervised(0.50, 0.50) + supervised(0.60, 0.60, fraction=0.1)
    made += probes("simclr", 0.55, 0.55) + probes("simclr", 0.99, 0.99, fraction=0.1)
    table = grid(savings_section(analyse(from_records(made))), "Multipliers")
    assert table.columns == ("label multiplier", "1%", "10%")
    (row,) = table.rows
    assert row[0] == "simclr"
    assert row[1].startswith("3.2 [")
    assert row[2].startswith("> 1 [")


def test_crossover_and_area_of_a_known_curve() -> None:
    made = supervised(0.50, 0.51) + supervised(0.70, 0.71, fraction=1.0)
    made += probes("simclr", 0.60, 0.61) + probes("simclr", 0.60, 0.61, fraction=1.0)
    table = grid(savings_section(analyse(from_records(made))), "Crossover")
    (row,) = table.rows
    assert row[1].startswith("10%")  # halfway on the logarithmic axis
    assert row[2].startswith("60.5 ± ")
    assert row[3:] == ("+0.0 ± 0.0", "tie")


def test_without_training_from_scratch_there_are_no_savings() -> None:
    found = analyse(from_records(probes("simclr", 0.8, 0.9) + probes("rotation", 0.7, 0.8)))
    assert savings_section(found) is None
    assert outcome_section(found) is None
    assert rank_section(found.ranks) is None


def test_wins_ties_and_losses_add_up(quick: pd.DataFrame, analysis: Analysis) -> None:
    section = outcome_section(analysis)
    assert section is not None
    *fractions, total = section.tables[0].rows
    assert total[0] == "all"
    for column in range(1, 5):
        assert int(total[column]) == sum(int(row[column]) for row in fractions)
    cells = quick[(quick["split"] == "test") & (quick["metric"] == "accuracy")]
    cells = cells[~cells["pretext"].isin(["majority_class", "raw_pixels", "random_init", "supervised"])]
    places = cells.drop_duplicates(["pretext", "latent_dim", "protocol", "label_fraction"])
    assert sum(int(text) for text in total[1:]) == len(places)


def test_no_point_beats_one_on_the_front(analysis: Analysis) -> None:
    section = compute_section(analysis)
    assert section is not None
    charts = [chart for figure in section.figures for _, chart in figure.charts]
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


def test_a_diagram_places_ranks_in_order_and_joins_exactly_the_groups(analysis: Analysis) -> None:
    section = rank_section(analysis.ranks)
    assert section is not None
    for diagram, ranks in zip(section.diagrams, analysis.ranks, strict=True):
        assert diagram.names == ranks.names
        assert [float(row.text) for row in diagram.rows] == pytest.approx(ranks.mean_ranks, abs=0.005)
        assert [row.x for row in diagram.rows] == sorted(row.x for row in diagram.rows)
        heights = dict(zip(diagram.names, (row.y for row in diagram.rows), strict=True))
        joined = [tuple(name for name, y in heights.items() if bar.top <= y <= bar.bottom) for bar in diagram.bars]
        assert joined == [tuple(group) for group in ranks.groups]
        assert all(row.x < bar.x for row, bar in itertools.product(diagram.rows, diagram.bars))


def test_shares_are_those_of_the_analysis_and_the_longest_bar_fills_its_place(analysis: Analysis) -> None:
    section = share_section(analysis)
    assert section is not None
    (bars,) = section.bars
    shown = [float(text.split("%")[0]) for _, text, _ in bars.rows]
    assert sum(shown) == pytest.approx(100, abs=0.1 * len(shown))
    assert max(share for _, _, share in bars.rows) == 1.0
    assert all(0 <= share <= 1 for _, _, share in bars.rows)


def test_measures_are_drawn_against_the_accuracy_they_are_correlated_with(
    quick: pd.DataFrame, analysis: Analysis
) -> None:
    (figure,) = measure_figures(quick, analysis)
    chart = dict(figure.charts)["RankMe"]
    points = [point for point in chart.points if point.row != "random_init"]
    expected = float(stats.spearmanr([point.x for point in points], [point.y for point in points]).statistic)
    table = next(table for table in correlation_grids(analysis) if table.title.endswith("linear_probe"))
    (row,) = [row for row in table.rows if row[0] == "RankMe"]
    assert float(row[table.columns.index("1%")].split(" ")[0]) == pytest.approx(expected, abs=0.005)


def test_optimism_is_never_negative(analysis: Analysis) -> None:
    section = optimism_section(analysis)
    assert section is not None
    cells = [text for row in section.tables[0].rows for text in row[3:]]
    assert all(float(text.split(" ")[0]) >= 0 for text in cells)
    assert "any pretext" in {row[0] for row in section.tables[0].rows}


def test_a_spread_that_cannot_be_split_says_why(analysis: Analysis) -> None:
    section = spread_section(analysis)
    assert section.tables == ()
    assert "cannot be split" in section.text[0]


def test_latent_sizes_are_drawn_only_where_there_are_several(quick: pd.DataFrame) -> None:
    assert latent_section(place(quick[quick["latent_dim"] != 32])) is None
    section = latent_section(place(quick))
    assert section is not None
    chart = section.figures[0].charts[0][1]
    assert [text for _, text in chart.ticks] == ["32", "128"]


TUNED = Tuned(
    "simclr", "budget_cv with 1% of the labels", 0.75, None, 10, 8, 125.0, 60_000, 2.5e12, {"temperature": 0.2}
)


def test_tuning_stands_in_the_ledger_and_in_the_bill_of_its_pretext(tmp_path: Path) -> None:
    records = from_records(probes("simclr", 0.8, 0.9) + probes("rotation", 0.7, 0.8) + supervised(0.6, 0.7))
    (table,) = tuning_grids((TUNED,))
    assert table.rows == (("simclr", "8 of 10", "125", "60,000", "2.5 TFLOPs", "–", "0.750", "temperature 0.2"),)
    assert tuning_grids(()) == ()
    bills = analyse(records, [TUNED.cost]).compute.set_index("pretext")["seconds"]
    plain = analyse(records).compute.set_index("pretext")["seconds"]
    assert bills["simclr"] - plain["simclr"] == pytest.approx(125)
    assert bills["rotation"] == plain["rotation"]
    assert table in cost_section(records, (table,)).tables
    assert ["simclr", "8 of 10", "125"] in [
        row[:3] for found in page(records, Attachments(tuned=(TUNED,))).tables for row in found
    ]


def test_tuning_survives_its_file_and_goes_with_it(tmp_path: Path) -> None:
    write_tuned((TUNED,), tmp_path)
    assert read_tuned(tmp_path) == (TUNED,)
    (tmp_path / "tuning.json").write_text("[1]")
    with pytest.raises(InputError, match="cannot read tuning from"):
        read_tuned(tmp_path)
    write_tuned((), tmp_path)
    assert read_tuned(tmp_path) == ()


def test_columns_that_say_the_same_on_every_line_are_left_out() -> None:
    full = Grid(("dataset", "encoder", "pretext", "n"), (("a", "x", "p", "1"), ("b", "x", "q", "1")), names=3)
    assert full.compact() == Grid(("dataset", "pretext", "n"), (("a", "p", "1"), ("b", "q", "1")), names=2)


def test_no_cell_of_any_section_shows_a_number_that_is_none(quick: pd.DataFrame) -> None:
    one_seed = quick[(quick["seed"] == 0) & (quick["label_fraction"].isin([0.0, 0.01]))]
    for records in (quick, one_seed):
        for table in page(records).tables:
            for text in itertools.chain.from_iterable(table):
                assert "nan" not in text.lower().split()
                assert not any(part == "inf" or part == str(math.inf) for part in text.split())
