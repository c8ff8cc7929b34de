"""`curves.png`: nothing of it is cut, nothing hides behind anything else."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sslbench.report.figures.curves import draw_curves, looks_of, short_count, spaced
from sslbench.report.records import from_records, read_records
from sslbench.report.scores.layout import lay_out
from tests.made_up import probes, supervised

RESULTS = Path(__file__).parents[3] / "results"


def panels(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.axison]


def drawn(records: pd.DataFrame) -> Figure:
    figure = draw_curves(lay_out(records), "tested")
    FigureCanvasAgg(figure).draw()
    return figure


def inside(figure: Figure, box: tuple[float, float, float, float]) -> bool:
    width, height = figure.bbox.width, figure.bbox.height
    return box[0] >= 0 and box[1] >= 0 and box[2] <= width and box[3] <= height


def test_the_figure_has_a_panel_per_block_and_a_look_per_row(golden: pd.DataFrame) -> None:
    titles = [axes.get_title(loc="left") for axes in panels(drawn(golden))]
    assert titles == ["linear_probe, latent size 32", "finetune, latent size 32"]
    looks = looks_of({f"pretext{index}" for index in range(18)})
    assert len({(look.color, look.line) for look in looks.values()}) == 18


@pytest.mark.parametrize("suite", ["quick", "catalogue", "catalogue_vit", "transfer"])
def test_the_legend_names_training_from_scratch_and_is_not_cut(suite: str) -> None:
    figure = drawn(read_records(RESULTS / suite / "records.csv"))
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert "supervised" in names
    assert ("ceiling (supervised, 100%)" in names) == (suite == "quick")  # the others ran no 100%
    assert inside(figure, legend.get_window_extent().extents)
    assert all(inside(figure, axes.get_tightbbox().extents) for axes in panels(figure))


def test_a_legend_longer_than_the_panels_makes_the_figure_taller() -> None:
    sizes = [
        record
        for index in range(5)
        for record in probes(f"a{index}", 0.5, 0.6) + probes(f"b{index}", 0.5, 0.6, protocol="other")
    ]
    figure = drawn(from_records(sizes))
    assert inside(figure, figure.legends[0].get_window_extent().extents)


def test_many_rows_have_a_panel_each_with_training_from_scratch_behind(golden: pd.DataFrame) -> None:
    rows = [f"task{index}" for index in range(9)]
    made = [record for row in rows for share in (0.01, 0.1) for record in probes(row, 0.5, 0.6, fraction=share)]
    figure = drawn(from_records(made + supervised(0.7, 0.72) + supervised(0.8, 0.82, fraction=0.1)))
    assert [axes.get_title(loc="left") for axes in panels(figure)] == rows
    for axes in panels(figure):
        assert [line.get_ydata()[0] for line in axes.lines] == pytest.approx([71, 55])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["supervised"]


def test_labels_are_counted_on_a_logarithmic_axis_and_the_ceiling_is_one_line(quick: pd.DataFrame) -> None:
    for axes in panels(drawn(quick)):
        assert axes.get_xscale() == "log"
        assert [label.get_text() for label in axes.get_xticklabels()] == ["600", "3k", "6k", "15k", "60k"]
        assert sum(line.get_linestyle() == ":" for line in axes.lines) == 1
        assert list(axes.lines[0].get_xdata()) == [600, 3000, 6000, 15000, 60000]


def test_the_majority_class_is_said_and_not_drawn(quick: pd.DataFrame) -> None:
    figure = drawn(quick)
    assert all(min(line.get_ydata()) > 30 for axes in panels(figure) for line in axes.lines)
    assert any("Majority class, not drawn: 10.0%." in text.get_text() for text in figure.texts)


def test_numbers_of_labels_are_short() -> None:
    assert [short_count(number) for number in (7, 600, 1297, 60_000, 1_281_167)] == ["7", "600", "1.3k", "60k", "1.28M"]


def test_a_dense_grid_names_as_many_label_counts_as_there_is_room_for() -> None:
    grid = [60, 120, 300, 600, 1200, 3000, 6000, 15000, 30000, 60000]
    assert spaced(grid, 4) == [60, 600, 6000, 60000]
    assert spaced(grid, 30) == grid
    assert spaced([100, 1000], 9) == [100, 1000]
